# Installs the library into an empty prefix, then configures, builds and runs the foreign project
# against it, with the compiler and the sanitizers of the build under test.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed (${status}): ${command}")
  endif()
endfunction()

set(prefix ${WORK_DIR}/prefix)
set(build ${WORK_DIR}/build)
file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR})

if(SANITIZE)
  set(sanitize_flags -fsanitize=${SANITIZE})
endif()

run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix} --component library)
run(${CMAKE_COMMAND} -S ${FOREIGN_DIR} -B ${build} -G ${GENERATOR}
  -D CMAKE_PREFIX_PATH=${prefix}
  -D CMAKE_C_COMPILER=${C_COMPILER}
  -D CMAKE_CXX_COMPILER=${CXX_COMPILER}
  -D CMAKE_CXX_FLAGS=${sanitize_flags})
run(${CMAKE_COMMAND} --build ${build})
run(${build}/foreign)
