# cmake --install and find_package(llm_edge_cache).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS llm_edge_cache EXPORT llm_edge_cache_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/llm_edge_cache
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(EXPORT llm_edge_cache_targets NAMESPACE llm_edge_cache::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/llm_edge_cache)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/llm_edge_cacheConfig.cmake.in
  ${CMAKE_BINARY_DIR}/llm_edge_cacheConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/llm_edge_cache)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/llm_edge_cacheConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_BINARY_DIR}/llm_edge_cacheConfig.cmake
  ${CMAKE_BINARY_DIR}/llm_edge_cacheConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/llm_edge_cache)
if(TARGET llm-edge-cache)
  install(TARGETS llm-edge-cache RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
