# Compiler settings shared by every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
endif()

# Sanitize: optimised enough to be quick, with frames that a report can show.
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g -fno-omit-frame-pointer")

add_library(lec_options INTERFACE)
target_compile_options(lec_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wconversion -Wno-sign-conversion
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Werror=thread-safety>
  # Nobody replaces a function of ours at run time: with -fPIC g++ would inline none for that.
  $<$<CXX_COMPILER_ID:GNU>:-fno-semantic-interposition>
  # g++ 12 sees overlaps in std::string that are none (GCC bug 105651).
  # g++ 12 reports std::string and std::optional where nothing is wrong.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  $<$<BOOL:${LEC_WARNINGS_AS_ERRORS}>:-Werror>)
target_compile_definitions(lec_options INTERFACE
  BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_SEPARATE_COMPILATION)

if(LEC_SANITIZE)
  set(_lec_sanitize -fsanitize=${LEC_SANITIZE} -fno-sanitize-recover=all)
  if(LEC_BUILD_FUZZERS)
    list(APPEND _lec_sanitize -fsanitize=fuzzer-no-link)
  endif()
  add_compile_options(${_lec_sanitize})
  add_link_options(${_lec_sanitize})
endif()

find_program(LEC_LLD NAMES ld.lld-19 ld.lld)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND LEC_LLD)
  add_link_options(-fuse-ld=lld)
endif()
