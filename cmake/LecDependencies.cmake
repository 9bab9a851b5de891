# Debian packages; scripts/bootstrap installs them.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(simdjson REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(rocksdb REQUIRED IMPORTED_TARGET rocksdb)

find_program(FLATC flatc REQUIRED)
find_path(XXHASH_INCLUDE xxhash.h REQUIRED)  # the header alone: nothing of it is linked
find_package(ZLIB REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)

# llhttp is shipped as C sources by Debian's node-llhttp.
find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include PATH_SUFFIXES llhttp REQUIRED)
find_path(LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp REQUIRED)
add_library(lec_llhttp STATIC
  ${LLHTTP_SOURCE}/llhttp.c ${LLHTTP_SOURCE}/api.c ${LLHTTP_SOURCE}/http.c)
target_include_directories(lec_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
# The strict parser: no bytes after Connection: close, no non-ASCII targets.
target_compile_definitions(lec_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
