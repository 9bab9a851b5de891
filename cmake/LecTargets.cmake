# The four kinds of target in this project. Visibility states the direction of dependencies:
# a module names what it uses in PUBLIC (its headers) or PRIVATE (its sources), nothing else.

function(lec_add_subdirectory dir)
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${dir}/CMakeLists.txt")
    add_subdirectory(${dir})
  endif()
endfunction()

# Sources are compiled several to a unit where LEC_UNITY says so: their headers cost more than they
# do. Those that use a name for something of their own that another file of the target has too, or
# have a member of such a type in a class that others see, are named in SEPARATE.
function(lec_unite target)
  set_target_properties(${target} PROPERTIES
    UNITY_BUILD ${LEC_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# lec_library(NAME lec_core SOURCES a.cpp .. [SEPARATE b.cpp ..] PUBLIC lec_base .. PRIVATE ..)
function(lec_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;SEPARATE;PUBLIC;PRIVATE" ${ARGN})
  add_library(${ARG_NAME} STATIC ${ARG_SOURCES} ${ARG_SEPARATE})
  lec_unite(${ARG_NAME} ${ARG_SEPARATE})
  target_include_directories(${ARG_NAME} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  target_link_libraries(${ARG_NAME} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} lec_options)
endfunction()

# lec_test(NAME core_test SOURCES a_test.cpp .. [SEPARATE b_test.cpp ..] LIBS lec_core ..
#          [LABELS redis] [TIMEOUT 120] [OPTIMISED])
# Sources are compiled eight to a unit, for their headers cost more than they do. Those that use a
# name for something of their own that another file of the target has too are in a namespace named
# as the file, or, where that does not do, named in SEPARATE.
function(lec_test)
  cmake_parse_arguments(ARG "OPTIMISED" "NAME;TIMEOUT" "SOURCES;SEPARATE;LIBS;LABELS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES} ${ARG_SEPARATE})
  set_target_properties(${ARG_NAME} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  set_source_files_properties(${ARG_SEPARATE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_include_directories(${ARG_NAME} PRIVATE
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${ARG_NAME} PRIVATE LEC_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # What is tested is compiled as shipped; the tests around it need not cost -O3's build time. Those
  # of headers alone say OPTIMISED.
  set(_level $<IF:$<BOOL:${ARG_OPTIMISED}>,-O1,-O0>)
  target_compile_options(${ARG_NAME} PRIVATE $<$<CONFIG:Release>:${_level}>)
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest_main lec_options)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME})
  set_tests_properties(${ARG_NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

# lec_fuzzer(NAME fuzz_resp SOURCES fuzz_resp.cpp LIBS lec_redis CORPUS corpus/resp)
function(lec_fuzzer)
  cmake_parse_arguments(ARG "" "NAME;CORPUS" "SOURCES;LIBS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_include_directories(${ARG_NAME} PRIVATE
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_LIBS} lec_options)
  target_link_options(${ARG_NAME} PRIVATE -fsanitize=fuzzer)
  set_property(GLOBAL APPEND PROPERTY LEC_FUZZERS "${ARG_NAME}|${ARG_CORPUS}")
endfunction()

# lec_bench(NAME bench_l1 SOURCES .. LIBS ..): Google Benchmark is linked where LIBS names it.
function(lec_bench)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;LIBS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  lec_unite(${ARG_NAME})
  target_include_directories(${ARG_NAME} PRIVATE
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${ARG_NAME} PRIVATE LEC_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_LIBS} lec_options)
endfunction()
