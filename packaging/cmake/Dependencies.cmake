# What Strata stands on; packaging/dependencies.md says why each is here.
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SENTENCEPIECE REQUIRED IMPORTED_TARGET sentencepiece)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
if(STRATA_TESTS)
  find_package(GTest REQUIRED)
  find_library(BOOST_CONTEXT boost_context REQUIRED)
endif()

if(STRATA_TORCH)
  # LibTorch as packaging/setup unpacks it, or any other one: -DSTRATA_LIBTORCH=<folder with torch/ and nvidia/>.
  # Torch's own CMake package drags in Caffe2's search for CUDA; the CPU engine needs two libraries.
  set(STRATA_LIBTORCH "${PROJECT_SOURCE_DIR}/.deps/libtorch" CACHE PATH "LibTorch: the unpacked wheel")
  set(torch_lib ${STRATA_LIBTORCH}/torch/lib)
  if(NOT EXISTS ${torch_lib}/libtorch_cpu.so)
    message(FATAL_ERROR "No LibTorch in ${STRATA_LIBTORCH}: run packaging/setup, or give -DSTRATA_LIBTORCH=<folder>.")
  endif()
  add_library(Strata::Torch INTERFACE IMPORTED)
  target_include_directories(Strata::Torch SYSTEM INTERFACE
    ${STRATA_LIBTORCH}/torch/include ${STRATA_LIBTORCH}/torch/include/torch/csrc/api/include)
  target_link_libraries(Strata::Torch INTERFACE ${torch_lib}/libtorch_cpu.so ${torch_lib}/libc10.so)
  target_link_options(Strata::Torch INTERFACE
    -Wl,-rpath,${torch_lib} -Wl,-rpath-link,${STRATA_LIBTORCH}/nvidia/cu13/lib -Wl,--disable-new-dtags)
endif()

find_program(STRATA_NVCC nvcc HINTS /usr/local/cuda/bin)
