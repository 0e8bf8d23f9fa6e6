// run.json: no crash, and what is accepted comes back from its print.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/project/run_file.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto run = strata::parseRun(text, "run.json");
  if (!run) {
    require(!run.error().message.empty() && run.error().message.back() == '.');
    return 0;
  }
  require(run->config.is_object());
  const auto again = strata::parseRun(strata::printRun(*run), "run.json");
  require(again && again->id == run->id && again->kind == run->kind && again->created == run->created);
  require(again->state == run->state && again->message == run->message && again->parent == run->parent);
  require(again->config == run->config);
  return 0;
}
