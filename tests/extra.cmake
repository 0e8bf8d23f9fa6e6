if(STRATA_FUZZERS)
  add_subdirectory(fuzz)
endif()
add_subdirectory(${CMAKE_CURRENT_SOURCE_DIR}/simt)

add_executable(kernels_bench EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/kernels_bench.cpp)
target_link_libraries(kernels_bench PRIVATE strata_kernels Threads::Threads)
