#pragma once
// libstrata_cuda.so of the emulated kernels, whose device memory is the host's, found by the engine as it finds the
// real one: a driver and a libtorch_cuda.so that are loaded already are found by their names.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "core/model/device.h"

namespace strata::testing {

/// A test that loads the module, and fails where a kernel did something wrong.
template <class Base>
class WithEmulatedModule : public Base {
 protected:
  void SetUp() override {
    for (const char* library : {STRATA_DRIVER_STUB, STRATA_TORCH_CUDA_STUB}) {
      ASSERT_NE(dlopen(library, RTLD_NOW | RTLD_GLOBAL), nullptr) << dlerror();
    }
    ASSERT_NE(cudaKernel("strata_cuda_rope"), nullptr) << "the emulated module was not loaded";
  }
  void TearDown() override { EXPECT_STREQ(reinterpret_cast<const char* (*)()>(symbol("strata_simt_problem"))(), ""); }

  /// Kernels that were started one by one so far, and recordings.
  static long launches() { return reinterpret_cast<long (*)()>(symbol("strata_simt_launches"))(); }
  static long replays() { return reinterpret_cast<long (*)()>(symbol("strata_simt_replays"))(); }

 private:
  static void* symbol(const char* name) {
    void* const found = cudaKernel(name);
    EXPECT_NE(found, nullptr) << name;
    return found;
  }
};

}  // namespace strata::testing
