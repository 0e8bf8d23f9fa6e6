#include "core/checkpoint/adapter_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/checkpoint/json_fields.h"
#include "core/checkpoint/safetensors_header.h"

namespace strata {
namespace {

constexpr std::int64_t kLargestRank = 1 << 20;
constexpr std::int64_t kMostLayers = 4096;

constexpr std::array<std::string_view, 12> kHonoured = {
    "peft_type",      "r",    "lora_alpha",     "rank_pattern",        "alpha_pattern",  "use_rslora",
    "target_modules", "bias", "fan_in_fan_out", "layers_to_transform", "layers_pattern", "init_lora_weights"};

/// Fields that say where the adapter came from or how it was trained, and change nothing once it is trained.
constexpr std::array<std::string_view, 14> kWithoutEffect = {"base_model_name_or_path",
                                                             "revision",
                                                             "task_type",
                                                             "inference_mode",
                                                             "auto_mapping",
                                                             "peft_version",
                                                             "lora_dropout",
                                                             "qalora_group_size",
                                                             "megatron_core",
                                                             "loftq_config",
                                                             "eva_config",
                                                             "corda_config",
                                                             "lora_ga_config",
                                                             "runtime_config"};

/// Starting values that leave the base weights alone; the others (pissa, olora, corda, loftq, …) change them.
constexpr std::array<std::string_view, 3> kPlainStarts = {"gaussian", "eva", "orthogonal"};

template <class List>
bool contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool isOff(const Json& value) {
  return value.is_null() || value == false || ((value.is_array() || value.is_object()) && value.empty());
}

tl::unexpected<Error> unsupported(const JsonFields& fields, const std::string& key, const Json& value) {
  return fields.refuse(key, "is " + shortDump(value) + ", which is not supported; train or export the LoRA without it.",
                       ErrorCode::unsupported);
}

Result<void> refuseWhatIsNotHonoured(const Json& file, const JsonFields& fields) {
  STRATA_TRY(const std::string type, fields.text("peft_type"));
  if (type != "LORA") {
    return fields.refuse("peft_type", "says " + quotedName(type) + "; supported is LORA.", ErrorCode::unsupported);
  }
  STRATA_TRY(const std::string bias, fields.text("bias", "none"));
  if (bias != "none") return unsupported(fields, "bias", file["bias"]);
  STRATA_TRY(const bool transposed, fields.boolean("fan_in_fan_out", false));
  if (transposed) return unsupported(fields, "fan_in_fan_out", true);
  if (const Json* start = fields.find("init_lora_weights"); start != nullptr) {
    const bool plain =
        start->is_boolean() || (start->is_string() && contains(kPlainStarts, start->get_ref<const std::string&>()));
    if (!plain) return unsupported(fields, "init_lora_weights", *start);
  }
  if (const Json* pattern = fields.find("layers_pattern"); pattern != nullptr) {
    if (!isOff(*pattern) && *pattern != "layers" && *pattern != Json::array({"layers"})) {
      return unsupported(fields, "layers_pattern", *pattern);
    }
  }
  for (const auto& [key, value] : file.items()) {
    if (!contains(kHonoured, key) && !contains(kWithoutEffect, key) && !isOff(value)) {
      const std::string shown = quotedName(key);  // a foreign key: shortened, without control characters
      return unsupported(fields, shown.substr(1, shown.size() - 2), value);
    }
  }
  return {};
}

/// PEFT looks a module up with re.match("(.*\.)?(KEY)$").
Result<FullMatch> moduleSuffix(const JsonFields& fields, const std::string& key, const FullMatch::Steps& left) {
  return FullMatch::compile("(?:.*\\.)?(?:" + key + ")", fields.where(), left);
}

Result<const Json*> patterns(const JsonFields& fields, const char* key) {
  static const Json kNone = Json::object();
  const Json* value = fields.find(key);
  if (value == nullptr) return &kNone;
  if (!value->is_object()) return fields.refuse(key, "must be an object.");
  return value;
}

bool endsWithName(const std::string& module, const std::string& name) {
  return module.size() > name.size() && module.ends_with(name) && module[module.size() - name.size() - 1] == '.';
}

}  // namespace

Result<AdapterConfig> AdapterConfig::parse(const Json& file, const std::string& where) {
  if (!file.is_object()) return fail(ErrorCode::invalidData, where + ": the file must hold a JSON object.", where);
  const JsonFields fields(file, where);
  STRATA_CHECK(refuseWhatIsNotHonoured(file, fields));
  AdapterConfig out;
  const auto steps = std::make_shared<std::int64_t>(FullMatch::kStepsOfAFile);
  STRATA_TRY(out.m_rank, fields.integer("r", 1, kLargestRank, out.m_rank));
  STRATA_TRY(out.m_alpha, fields.positive("lora_alpha", out.m_alpha));
  STRATA_TRY(out.m_rsLora, fields.boolean("use_rslora", false));

  STRATA_TRY(const Json* ranks, patterns(fields, "rank_pattern"));
  const JsonFields rankFields(*ranks, where, "rank_pattern");
  for (const auto& [key, value] : ranks->items()) {
    STRATA_TRY(const std::int64_t rank, rankFields.integer(key.c_str(), 1, kLargestRank));
    STRATA_TRY(FullMatch match, moduleSuffix(fields, key, steps));
    out.m_ranks.push_back({std::move(match), rank});
  }
  STRATA_TRY(const Json* alphas, patterns(fields, "alpha_pattern"));
  const JsonFields alphaFields(*alphas, where, "alpha_pattern");
  for (const auto& [key, value] : alphas->items()) {
    STRATA_TRY(const double alpha, alphaFields.positive(key.c_str()));
    STRATA_TRY(FullMatch match, moduleSuffix(fields, key, steps));
    out.m_alphas.push_back({std::move(match), alpha});
  }

  const Json* targets = fields.find("target_modules");
  if (targets == nullptr) return fields.refuse("target_modules", "is missing; it is needed.");
  if (targets->is_string()) {
    out.m_allLinear = *targets == "all-linear";
    if (!out.m_allLinear) {
      STRATA_TRY(out.m_targetPattern, FullMatch::compile(targets->get<std::string>(), where, steps));
    }
  } else {
    const bool texts = targets->is_array() &&
                       std::all_of(targets->begin(), targets->end(), [](const Json& name) { return name.is_string(); });
    if (!texts) return fields.refuse("target_modules", "must be a text or a list of texts.");
    out.m_targetNames = targets->get<std::vector<std::string>>();
  }

  if (const Json* layers = fields.find("layers_to_transform"); layers != nullptr) {
    if (targets->is_string()) {
      return fields.refuse("layers_to_transform", "cannot be used where target_modules is a text.");
    }
    out.m_layers.emplace();
    for (const Json& layer : layers->is_array() ? *layers : Json::array({*layers})) {
      if (!layer.is_number_unsigned() || layer.get<std::uint64_t>() >= kMostLayers) {
        return fields.refuse("layers_to_transform", "must be a layer's number or a list of them.");
      }
      out.m_layers->insert(layer.get<std::int64_t>());
    }
    if (out.m_layers->empty()) out.m_layers.reset();
  }
  return out;
}

bool AdapterConfig::inTransformedLayers(const std::string& module) const {
  if (!m_layers) return true;
  const std::string_view before = "layers.";
  const std::size_t at = module.find(before);
  if (at == std::string::npos) return false;
  return m_layers->contains(std::atoll(module.c_str() + at + before.size()));
}

Result<bool> AdapterConfig::targets(const std::string& module) const {
  if (m_allLinear) return module != "lm_head";
  if (m_targetPattern) return m_targetPattern->matches(module);
  // A name in full is meant as it stands, whatever layers_to_transform says.
  if (contains(m_targetNames, module)) return true;
  const bool named = std::any_of(m_targetNames.begin(), m_targetNames.end(),
                                 [&](const std::string& name) { return endsWithName(module, name); });
  return named && inTransformedLayers(module);
}

Result<std::int64_t> AdapterConfig::rankOf(const std::string& module) const {
  for (const auto& [key, value] : m_ranks) {
    STRATA_TRY(const bool found, key.matches(module));
    if (found) return value;
  }
  return m_rank;
}

Result<double> AdapterConfig::scaleOf(const std::string& module) const {
  double alpha = m_alpha;
  for (const auto& [key, value] : m_alphas) {
    STRATA_TRY(const bool found, key.matches(module));
    if (!found) continue;
    alpha = value;
    break;
  }
  STRATA_TRY(const std::int64_t rank, rankOf(module));
  return alpha / (m_rsLora ? std::sqrt(static_cast<double>(rank)) : static_cast<double>(rank));
}

}  // namespace strata
