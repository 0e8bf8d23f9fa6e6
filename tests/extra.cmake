if(STRATA_FUZZERS)
  add_subdirectory(fuzz)
endif()
if(STRATA_TESTS)
  add_subdirectory(${CMAKE_CURRENT_SOURCE_DIR}/simt)
endif()

add_executable(kernels_bench EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/kernels_bench.cpp)
target_link_libraries(kernels_bench PRIVATE strata_kernels Threads::Threads)

add_executable(tokenize_bench EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/tokenize_bench.cpp)
target_link_libraries(tokenize_bench PRIVATE strata_core_text)

add_executable(run_database_bench EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/run_database_bench.cpp)
target_link_libraries(run_database_bench PRIVATE strata_core_project)
if(STRATA_TORCH)
  add_executable(run_list_bench EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/run_list_bench.cpp)
  target_link_libraries(run_list_bench PRIVATE strata_core_service)
endif()
