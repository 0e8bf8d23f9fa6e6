#include <ATen/ATen.h>

#include <cmath>
#include <set>
#include <sstream>

#include "core/base/philox.h"
#include "core/model/memory.h"
#include "core/training/trainer.h"

namespace strata {

Result<void> addLora(Weights& weights, const TrainConfig& config) {
  const MemoryScope scope(MemoryPart::weights);
  std::set<std::string> wanted;
  std::istringstream list(config.loraTargets);
  for (std::string name; std::getline(list, name, ',');) wanted.insert(name);
  const bool all = wanted.contains("all-linear");
  std::set<std::string> used;
  std::uint32_t index = 0;
  visitLinears(weights, [&](const std::string& name, Linear& linear) {
    ++index;
    const std::string module = name.substr(name.rfind('.') + 1);
    if (!all && !wanted.contains(module)) return;
    used.insert(module);
    const std::int64_t in = linear.weight.size(1), out = linear.weight.size(0);
    const double bound = 1 / std::sqrt(static_cast<double>(in));  // kaiming_uniform(a = sqrt 5), as PEFT
    at::Tensor a = at::empty({config.lora, in}, at::kFloat);
    float* values = a.data_ptr<float>();
    for (std::int64_t i = 0; i < a.numel(); ++i) {
      values[i] = static_cast<float>(
          bound *
          (2 * randomUniform({config.seed, static_cast<std::uint32_t>(i), 0, index, RandomStream::loraInit}) - 1));
    }
    linear.loraA = a.to(linear.weight.device());
    linear.loraB = at::zeros({out, config.lora}, linear.loraA.options());
    linear.loraScale = config.loraAlpha.value_or(2.0 * config.lora) / config.lora;
  });
  for (const std::string& name : wanted) {
    if (!all && !used.contains(name)) {
      return fail(ErrorCode::usage,
                  "The LoRA target '" + name +
                      "' names no linear layer; use all-linear or q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, "
                      "down_proj.",
                  "--lora-targets");
    }
  }
  return {};
}

}  // namespace strata
