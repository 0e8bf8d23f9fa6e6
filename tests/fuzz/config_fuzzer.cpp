// Options as JSON: no crash, and what is accepted lies in its ranges and comes back.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/config/generate_config.h"
#include "core/config/train_config.h"

namespace {

template <class Config>
void check(const strata::Json& json) {
  Config config;
  if (!strata::configFromJson(json, "input", config)) return;
  const strata::Json stored = strata::configToJson(config);
  Config again;
  if (!strata::checkRanges(config) || !strata::configFromJson(stored, "stored", again)) std::abort();
  if (strata::configToJson(again) != stored) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = strata::parseJson(std::string_view(reinterpret_cast<const char*>(data), size), "input");
  if (!json) return 0;
  check<strata::GenerateConfig>(*json);
  check<strata::TrainConfig>(*json);
  strata::TrainConfig config;
  if (strata::configFromJson(*json, "input", config)) (void)strata::checkTrainConfig(config);
  return 0;
}
