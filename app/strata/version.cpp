#include "app/strata/version.h"

#include <torch/version.h>

#include <filesystem>

namespace strata {
namespace {

/// As core/model/device.cpp looks for it.
std::string cudaModule() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& place : {folder, folder.parent_path() / "lib", folder.parent_path() / "lib/strata"}) {
    const fs::path file = place / "libstrata_cuda.so";
    if (fs::exists(file, ignored)) return file.string();
  }
  return "not installed";
}

}  // namespace

std::string versionText() {
  return "strata " STRATA_VERSION "\ncommit: " STRATA_COMMIT "\ncompiler: " STRATA_COMPILER
         "\nbuild type: " STRATA_BUILD_TYPE "\nLibTorch: " TORCH_VERSION "\nCUDA module: " +
         cudaModule();
}

}  // namespace strata
