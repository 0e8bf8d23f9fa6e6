// config.json and adapter_config.json: no crash, and what is accepted is a model that can be laid out.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/checkpoint/adapter_config.h"
#include "core/checkpoint/model_config.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void checkModel(const strata::Json& json) {
  const auto config = strata::parseModelConfig(json, "input");
  if (!config) {
    require(!config.error().message.empty() && config.error().message.back() == '.');
    return;
  }
  require(config->heads % config->kvHeads == 0 && config->headDim % 2 == 0 && config->rope.theta > 0);
  require(config->kvGeometry().size() == static_cast<std::size_t>(config->layers));
  require(config->shape().parameters > 0);
}

void checkAdapter(const strata::Json& json) {
  const auto config = strata::AdapterConfig::parse(json, "input");
  if (!config) {
    require(!config.error().message.empty() && config.error().message.back() == '.');
    return;
  }
  for (const char* module : {"model.layers.0.self_attn.q_proj", "model.layers.11.mlp.down_proj", "lm_head"}) {
    (void)config->targets(module);
    if (const auto scale = config->scaleOf(module)) require(*scale > 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = strata::parseJson(std::string_view(reinterpret_cast<const char*>(data), size), "input");
  if (!json) return 0;
  checkModel(*json);
  checkAdapter(*json);
  return 0;
}
