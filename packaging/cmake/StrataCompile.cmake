# What keeps a build of everything short. Parsing the same headers in each file took most of it, so:
# one precompiled header for each kind of target, shared by all of that kind; files compiled in batches (unity builds); tests
# optimised less; and a fast linker where there is one.

find_program(STRATA_MOLD mold)
if(STRATA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Tests are compiled often and run once. Code under test keeps the build type's options.
if(STRATA_SANITIZE)
  set(STRATA_TEST_OPTIONS -O0)
else()
  set(STRATA_TEST_OPTIONS $<$<CONFIG:Release>:-O1>)
endif()

set(strata_std_headers <algorithm> <array> <chrono> <cmath> <cstdint> <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional>
  <sstream> <string> <string_view> <unordered_map> <utility> <variant> <vector>)
set(strata_core_headers ${strata_std_headers} <nlohmann/json.hpp> <tl/expected.hpp>)

# strata_pch(NAME LIBRARY|EXECUTABLE HEADERS ... LIBRARIES ...): g++ takes a precompiled header only where the code is as position
# independent as the header's, so programs have others than libraries.
function(strata_pch name kind)
  cmake_parse_arguments(ARG "" "" "HEADERS;LIBRARIES;OPTIONS;DEFINITIONS" ${ARGN})
  if(kind STREQUAL "LIBRARY")
    add_library(${name} OBJECT ${PROJECT_SOURCE_DIR}/packaging/cmake/empty_library.cpp)
  else()
    add_executable(${name} ${PROJECT_SOURCE_DIR}/packaging/cmake/empty_program.cpp)
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS})
  target_compile_definitions(${name} PRIVATE ${ARG_DEFINITIONS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

strata_pch(strata_pch LIBRARY HEADERS ${strata_core_headers} LIBRARIES nlohmann_json::nlohmann_json tl::expected)
if(STRATA_TORCH)
  strata_pch(strata_pch_torch LIBRARY HEADERS ${strata_core_headers} <ATen/ATen.h>
    LIBRARIES nlohmann_json::nlohmann_json tl::expected Strata::Torch)
endif()
if(STRATA_WINDOW)
  strata_pch(strata_pch_qt LIBRARY HEADERS ${strata_core_headers} <QtWidgets>
    LIBRARIES nlohmann_json::nlohmann_json tl::expected Qt6::Widgets DEFINITIONS QT_NO_KEYWORDS)
endif()
if(STRATA_TESTS)
  set(test_headers ${strata_core_headers} <gmock/gmock.h> <gtest/gtest.h>)
  set(test_libraries nlohmann_json::nlohmann_json tl::expected GTest::gmock)
  strata_pch(strata_pch_test EXECUTABLE HEADERS ${test_headers} LIBRARIES ${test_libraries} OPTIONS ${STRATA_TEST_OPTIONS})
  if(STRATA_TORCH)
    strata_pch(strata_pch_test_torch EXECUTABLE HEADERS ${test_headers} <ATen/ATen.h> LIBRARIES ${test_libraries} Strata::Torch
      OPTIONS ${STRATA_TEST_OPTIONS})
  endif()
endif()

# Several files are one compilation: names in their anonymous namespaces must differ, as within a file. A file that cannot share is
# compiled alone: strata_compile_alone(FILE...), called where its target is made.
option(STRATA_UNITY "Compile files in batches" ON)
function(strata_compile_fast target)
  if(STRATA_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
endfunction()
function(strata_compile_alone)
  list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
