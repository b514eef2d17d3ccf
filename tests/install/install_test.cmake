# Installs into an empty directory, then configures, builds and runs the consumer against that.
function(must_run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${ARGN}\nended with ${status}:\n${output}")
    endif()
endfunction()

file(REMOVE_RECURSE ${work})
must_run(${CMAKE_COMMAND} --install ${build} --prefix ${work}/prefix)
must_run(${CMAKE_COMMAND} -S ${consumer} -B ${work}/build -G Ninja
    -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_PREFIX_PATH=${work}/prefix)
must_run(${CMAKE_COMMAND} --build ${work}/build)
must_run(${work}/build/consumer)
must_run(${work}/prefix/bin/wharfctl --version)
must_run(${work}/prefix/sbin/wharfd --version)
file(REMOVE_RECURSE ${work})
