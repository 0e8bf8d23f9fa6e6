// A checkpoint's manifest: no crash, and what is accepted lists files inside the checkpoint and comes back from its
// print.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "core/project/checkpoint_manifest.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto manifest = strata::parseManifest(text, "manifest.json");
  if (!manifest) {
    require(!manifest.error().message.empty() && manifest.error().message.back() == '.');
    return 0;
  }
  require(manifest->step >= 0 && !manifest->files.empty());
  require(strata::stepOfName(strata::checkpointName(manifest->step)) == manifest->step);
  const std::filesystem::path checkpoint = "/runs/x/checkpoints/step-1";
  for (const auto& [name, file] : manifest->files) {
    const auto whole = (checkpoint / name).lexically_normal();
    require(whole != checkpoint && whole.native().starts_with(checkpoint.native() + "/"));
    require(file.sha256.size() == 64);
  }
  const auto again = strata::parseManifest(strata::printManifest(*manifest), "manifest.json");
  require(again && again->step == manifest->step && again->files == manifest->files);
  return 0;
}
