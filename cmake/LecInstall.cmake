# cmake --install and find_package(llm_edge_cache). Two components: library and application.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(_lec_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/llm_edge_cache)

install(TARGETS llm_edge_cache EXPORT llm_edge_cache_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/llm_edge_cache
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library FILES_MATCHING PATTERN "*.hpp")
install(EXPORT llm_edge_cache_targets NAMESPACE llm_edge_cache::
  DESTINATION ${_lec_package_dir} COMPONENT library)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/llm_edge_cacheConfig.cmake.in
  ${PROJECT_BINARY_DIR}/llm_edge_cacheConfig.cmake
  INSTALL_DESTINATION ${_lec_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/llm_edge_cacheConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/llm_edge_cacheConfig.cmake
  ${PROJECT_BINARY_DIR}/llm_edge_cacheConfigVersion.cmake
  DESTINATION ${_lec_package_dir} COMPONENT library)
if(TARGET llm-edge-cache)
  install(TARGETS llm-edge-cache
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT application)
endif()
