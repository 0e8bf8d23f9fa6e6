#pragma once
// adapter_config.json of PEFT: which modules a LoRA changes, with what rank and scale.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/checkpoint/full_match.h"

namespace strata {

class AdapterConfig {
 public:
  /// Refuses by name each field that would change the result and is not honoured (adapter.h lists those that are).
  static Result<AdapterConfig> parse(const Json& file, const std::string& where);

  /// Whether PEFT would put a LoRA on `module` ("model.layers.0.self_attn.q_proj").
  Result<bool> targets(const std::string& module) const;
  Result<std::int64_t> rankOf(const std::string& module) const;
  /// alpha / r, or alpha / sqrt(r) with use_rslora.
  Result<double> scaleOf(const std::string& module) const;

 private:
  template <class Value>
  struct Pattern {
    FullMatch key;
    Value value;
  };

  bool inTransformedLayers(const std::string& module) const;

  std::int64_t m_rank = 8;
  double m_alpha = 8;
  bool m_rsLora = false;
  bool m_allLinear = false;
  std::optional<FullMatch> m_targetPattern;
  std::vector<std::string> m_targetNames;
  std::optional<std::set<std::int64_t>> m_layers;
  std::vector<Pattern<std::int64_t>> m_ranks;  // in the file's order; the first that matches counts
  std::vector<Pattern<double>> m_alphas;
};

}  // namespace strata
