#include "core/checkpoint/gguf_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <optional>

#include "core/checkpoint/safetensors_header.h"
#include "core/checkpoint/tensor_values.h"

namespace strata {
namespace {

constexpr std::int64_t kMostOf = 1 << 24;  // as parseModelConfig allows
constexpr const char* kRopeFactors = "rope_freqs.weight";
constexpr const char* kEmbeddingName = "token_embd.weight";
constexpr const char* kHeadName = "output.weight";

struct TensorName {
  const char* gguf;
  const char* hub;
};
constexpr std::array<TensorName, 3> kWholeNames = {{{kEmbeddingName, "model.embed_tokens.weight"},
                                                    {"output_norm.weight", "model.norm.weight"},
                                                    {kHeadName, "lm_head.weight"}}};
constexpr std::array<TensorName, 11> kLayerNames = {{{"attn_norm", "input_layernorm"},
                                                     {"ffn_norm", "post_attention_layernorm"},
                                                     {"attn_q", "self_attn.q_proj"},
                                                     {"attn_k", "self_attn.k_proj"},
                                                     {"attn_v", "self_attn.v_proj"},
                                                     {"attn_output", "self_attn.o_proj"},
                                                     {"attn_q_norm", "self_attn.q_norm"},
                                                     {"attn_k_norm", "self_attn.k_norm"},
                                                     {"ffn_gate", "mlp.gate_proj"},
                                                     {"ffn_up", "mlp.up_proj"},
                                                     {"ffn_down", "mlp.down_proj"}}};

/// "blk.3.attn_q.weight" -> "model.layers.3.self_attn.q_proj.weight"; empty for a name that no supported model has.
std::string hubName(const std::string& name) {
  for (const TensorName& whole : kWholeNames) {
    if (name == whole.gguf) return whole.hub;
  }
  constexpr std::string_view kBlock = "blk.";
  if (!name.starts_with(kBlock)) return {};
  const std::size_t layerEnd = name.find('.', kBlock.size()), end = name.rfind('.');
  if (layerEnd == std::string::npos || end <= layerEnd) return {};
  const std::string layer = name.substr(kBlock.size(), layerEnd - kBlock.size());
  const std::string middle = name.substr(layerEnd + 1, end - layerEnd - 1), ending = name.substr(end);
  if (layer.empty() || layer.size() > 4 || layer.find_first_not_of("0123456789") != std::string::npos ||
      (ending != ".weight" && ending != ".bias")) {
    return {};
  }
  const auto* known =
      std::find_if(kLayerNames.begin(), kLayerNames.end(), [&](const TensorName& each) { return middle == each.gguf; });
  return known == kLayerNames.end() ? std::string() : "model.layers." + layer + "." + known->hub + ending;
}

/// The keys of the model's architecture: "llama.block_count".
class ArchitectureKeys {
 public:
  ArchitectureKeys(const Gguf& gguf, std::string architecture)
      : m_gguf(gguf), m_fields(gguf.fields()), m_prefix(std::move(architecture) + ".") {}

  std::string key(const char* name) const { return m_prefix + name; }
  bool has(const char* name) const { return m_fields.has(key(name).c_str()); }
  Result<std::int64_t> size(const char* name, std::optional<std::int64_t> missing = {}) const {
    return m_fields.integer(key(name).c_str(), 1, kMostOf, missing);
  }
  Result<double> positive(const char* name, std::optional<double> missing = {}) const {
    return m_fields.positive(key(name).c_str(), missing);
  }
  Result<std::string> text(const char* name, const std::string& missing) const {
    return m_fields.text(key(name).c_str(), missing);
  }
  tl::unexpected<Error> refuse(const char* name, const std::string& what) const {
    return m_fields.refuse(key(name), what, ErrorCode::unsupported);
  }

  /// A number, or a list that gives every layer the same.
  Result<std::int64_t> sizeOfLayers(const char* name, std::optional<std::int64_t> missing = {}) const {
    if (!m_gguf.hasArray(key(name))) return size(name, missing);
    STRATA_TRY(const std::vector<std::int64_t> sizes, m_gguf.integers(key(name)));
    const bool same = !sizes.empty() && std::equal(sizes.begin() + 1, sizes.end(), sizes.begin());
    if (!same) return refuse(name, "gives the layers different values, which is not supported.");
    if (sizes.front() < 1 || sizes.front() > kMostOf) {
      return m_fields.refuse(key(name), "is " + std::to_string(sizes.front()) + "; it must lie between 1 and " +
                                            std::to_string(kMostOf) + ".");
    }
    return sizes.front();
  }

 private:
  const Gguf& m_gguf;
  JsonFields m_fields;
  std::string m_prefix;
};

const TensorView* find(const Gguf& gguf, const std::string& name) {
  const auto found = gguf.tensors().find(name);
  return found == gguf.tensors().end() ? nullptr : &found->second;
}

double roundedTo5Digits(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.5g", value);
  return std::strtod(text.data(), nullptr);
}

/// Whether the frequencies of `rope` are those of the base divided by `factors`.
bool explains(const RopeConfig& rope, const std::vector<double>& factors) {
  constexpr double kTolerance = 1e-4;
  const int headDim = static_cast<int>(2 * factors.size());
  RopeConfig base;
  base.theta = rope.theta;
  const std::vector<double> plain = ropeFrequencies(base, headDim, 0).inverse;
  const std::vector<double> scaled = ropeFrequencies(rope, headDim, 0).inverse;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (std::abs(scaled[i] * factors[i] / plain[i] - 1) > kTolerance) return false;
  }
  return true;
}

/// Parameters of the llama3 scaling that give these factors. Only their ratios show, so the original context is as
/// given or, as Llama's, 8192; nothing where no parameters fit.
std::optional<RopeConfig> llama3Scaling(double theta, std::int64_t original, const std::vector<double>& factors) {
  RopeConfig rope;
  rope.type = RopeType::llama3;
  rope.theta = theta;
  rope.originalMaxPositions = original;
  rope.factor = *std::max_element(factors.begin(), factors.end());
  rope.lowFreqFactor = 1;
  rope.highFreqFactor = 4;
  if (explains(rope, factors)) return rope;
  // Between the two limits 1/factor goes in a straight line over the turns within the original context.
  struct Point {
    double turns, kept;
  };
  std::vector<Point> blended;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double frequency = std::pow(theta, -static_cast<double>(i) / static_cast<double>(factors.size()));
    const double kept = (1 / factors[i] - 1 / rope.factor) / (1 - 1 / rope.factor);
    if (kept > 1e-6 && kept < 1 - 1e-6) {
      blended.push_back({static_cast<double>(original) * frequency / (2 * std::numbers::pi), kept});
    }
  }
  if (blended.empty()) return std::nullopt;
  const Point first = blended.front(), last = blended.back();
  if (blended.size() == 1) {
    rope.lowFreqFactor = first.turns / (1 + 3 * first.kept);
    rope.highFreqFactor = 4 * rope.lowFreqFactor;
  } else {
    const double range = (first.turns - last.turns) / (first.kept - last.kept);
    rope.lowFreqFactor = first.turns - first.kept * range;
    rope.highFreqFactor = rope.lowFreqFactor + range;
  }
  if (rope.lowFreqFactor <= 0 || rope.highFreqFactor <= rope.lowFreqFactor) return std::nullopt;
  RopeConfig usual = rope;  // only ratios show in the factors; all models have a low one of 1
  usual.originalMaxPositions = std::llround(static_cast<double>(original) / rope.lowFreqFactor);
  usual.lowFreqFactor = 1;
  usual.highFreqFactor = roundedTo5Digits(rope.highFreqFactor / rope.lowFreqFactor);
  if (usual.originalMaxPositions > 0 && usual.highFreqFactor > 1 && explains(usual, factors)) return usual;
  return explains(rope, factors) ? std::optional(rope) : std::nullopt;
}

Result<Json> llama3Json(const ArchitectureKeys& keys, const Gguf& gguf, const TensorView& tensor, double theta,
                        std::int64_t headDim) {
  const auto refuse = [&](const std::string& what) {
    return fail(ErrorCode::unsupported, gguf.where() + ": tensor " + quotedName(kRopeFactors) + " " + what,
                gguf.where());
  };
  if (tensor.shape != std::vector<std::int64_t>{headDim / 2}) {
    return refuse("has the shape " + printShape(tensor.shape) + "; it must hold one factor for each pair of a head, [" +
                  std::to_string(headDim / 2) + "].");
  }
  std::vector<float> values(static_cast<std::size_t>(headDim / 2));
  readRows(tensor, 0, rowsOf(tensor), DType::f32, std::as_writable_bytes(std::span<float>(values)));
  const std::vector<double> factors(values.begin(), values.end());
  if (std::all_of(factors.begin(), factors.end(), [](double factor) { return factor == 1; })) return Json();
  STRATA_TRY(const std::int64_t original, keys.size("rope.scaling.original_context_length", 8192));
  const bool possible =
      std::all_of(factors.begin(), factors.end(), [](double factor) { return std::isfinite(factor) && factor >= 1; });
  const std::optional<RopeConfig> rope = possible && theta > 1 ? llama3Scaling(theta, original, factors) : std::nullopt;
  if (!rope) return refuse("holds factors that the scaling of Llama 3.1 does not give, which is not supported.");
  return Json{{"rope_type", "llama3"},
              {"factor", rope->factor},
              {"low_freq_factor", rope->lowFreqFactor},
              {"high_freq_factor", rope->highFreqFactor},
              {"original_max_position_embeddings", rope->originalMaxPositions}};
}

/// rope_scaling of config.json; null where nothing is stretched.
Result<Json> ropeScaling(const ArchitectureKeys& keys, const Gguf& gguf, double theta, std::int64_t headDim) {
  if (const TensorView* factors = find(gguf, kRopeFactors)) return llama3Json(keys, gguf, *factors, theta, headDim);
  if (keys.has("rope.scale_linear") && !keys.has("rope.scaling.type")) {  // of older files
    STRATA_TRY(const double factor, keys.positive("rope.scale_linear"));
    return factor == 1 ? Json() : Json{{"rope_type", "linear"}, {"factor", factor}};
  }
  STRATA_TRY(const std::string type, keys.text("rope.scaling.type", "none"));
  if (type == "none") return Json();
  if (type != "linear" && type != "yarn") {
    return keys.refuse("rope.scaling.type", "says " + quotedName(type) + "; supported are none, linear and yarn.");
  }
  STRATA_TRY(const double factor, keys.positive("rope.scaling.factor"));
  Json scaling = {{"rope_type", type}, {"factor", factor}};
  if (type == "linear") return scaling;
  STRATA_TRY(const std::int64_t context, keys.size("context_length"));
  STRATA_TRY(scaling["original_max_position_embeddings"], keys.size("rope.scaling.original_context_length", context));
  for (const auto& [key, name] :
       {std::pair("rope.scaling.yarn_beta_fast", "beta_fast"), std::pair("rope.scaling.yarn_beta_slow", "beta_slow")}) {
    if (!keys.has(key)) continue;
    STRATA_TRY(scaling[name], keys.positive(key));
  }
  // llama.cpp multiplies the paper's factor by this one; config.json gives their product.
  STRATA_TRY(const double attention, keys.positive("rope.scaling.attn_factor", 1.0));
  if (attention != 1) scaling["attention_factor"] = attention * (factor > 1 ? 1 + 0.1 * std::log(factor) : 1.0);
  return scaling;
}

/// The ids that end an answer: of the text, of a turn, of a message; as in llama.cpp also what goes by a usual name.
Result<Json> endIds(const Gguf& gguf) {
  static constexpr std::array<std::string_view, 8> kUsual = {"<|eot_id|>",      "<|im_end|>", "<|endoftext|>",
                                                             "<|end_of_text|>", "<|eom_id|>", "<|end|>",
                                                             "<end_of_turn>",   "<EOT>"};
  const JsonFields fields = gguf.fields();
  Json ids = Json::array();
  for (const char* key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    if (!fields.has(key)) continue;
    STRATA_TRY(const std::int64_t id, fields.integer(key, 0, INT64_MAX));
    if (id <= INT32_MAX && std::find(ids.begin(), ids.end(), Json(id)) == ids.end()) ids.push_back(id);
  }
  if (!gguf.hasArray("tokenizer.ggml.tokens")) return ids;
  STRATA_TRY(const std::vector<std::string_view> tokens, gguf.texts("tokenizer.ggml.tokens"));
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const bool usual = std::find(kUsual.begin(), kUsual.end(), tokens[id]) != kUsual.end();
    if (usual && std::find(ids.begin(), ids.end(), Json(id)) == ids.end()) ids.push_back(id);
  }
  return ids;
}

const char* mostlyStored(const Gguf& gguf) {
  std::array<std::int64_t, 3> elements{};
  for (const auto& [name, view] : gguf.tensors()) elements.at(static_cast<std::size_t>(view.dtype)) += view.elements();
  return configName(static_cast<DType>(std::max_element(elements.begin(), elements.end()) - elements.begin()));
}

/// The family's own part: its names, biases and window.
Result<void> addFamily(const ArchitectureKeys& keys, const Gguf& gguf, const std::string& architecture, Json& config) {
  const bool attentionBias = find(gguf, "blk.0.attn_q.bias") != nullptr;
  if (architecture != "llama") {
    const bool third = architecture == "qwen3";
    config["architectures"] = {third ? "Qwen3ForCausalLM" : "Qwen2ForCausalLM"};
    config["model_type"] = architecture;
    config["use_sliding_window"] = false;
    if (third) config["attention_bias"] = attentionBias;
    return {};
  }
  STRATA_TRY(const std::int64_t window,
             gguf.fields().integer(keys.key("attention.sliding_window").c_str(), 0, kMostOf, 0));
  if (window > 0) {
    config["architectures"] = {"MistralForCausalLM"};
    config["model_type"] = "mistral";
    config["sliding_window"] = window;
    return {};
  }
  config["attention_bias"] = attentionBias;
  config["mlp_bias"] = find(gguf, "blk.0.ffn_gate.bias") != nullptr;
  return {};
}

}  // namespace

Result<Json> configOfGguf(const Gguf& gguf) {
  const JsonFields fields = gguf.fields();
  STRATA_TRY(const std::string architecture, fields.text("general.architecture"));
  if (architecture != "llama" && architecture != "qwen2" && architecture != "qwen3") {
    const std::string supported = "llama (Llama and Mistral), qwen2 and qwen3";
    return namedError(
        "unknown_architecture", {{"architecture", quotedName(architecture)}, {"supported", supported}},
        fields.refuse("general.architecture", "says " + quotedName(architecture) + "; supported are " + supported + ".",
                      ErrorCode::unsupported));
  }
  STRATA_TRY(const std::int64_t parts, fields.integer("split.count", 0, UINT16_MAX, 0));
  if (parts > 1) {
    return fields.refuse("split.count",
                         "says that this is one of " + std::to_string(parts) +
                             " files; join them with the gguf-split program of llama.cpp.",
                         ErrorCode::unsupported);
  }
  const ArchitectureKeys keys(gguf, architecture);
  STRATA_TRY(const std::int64_t experts, fields.integer(keys.key("expert_count").c_str(), 0, kMostOf, 0));
  if (experts > 0) return keys.refuse("expert_count", "is over zero; mixtures of experts are not supported.");

  STRATA_TRY(const std::int64_t width, keys.size("embedding_length"));
  STRATA_TRY(const std::int64_t layers, keys.size("block_count"));
  STRATA_TRY(const std::int64_t ffn, keys.sizeOfLayers("feed_forward_length"));
  STRATA_TRY(const std::int64_t heads, keys.sizeOfLayers("attention.head_count"));
  STRATA_TRY(const std::int64_t kvHeads, keys.sizeOfLayers("attention.head_count_kv", heads));
  STRATA_TRY(const std::int64_t headDim, keys.size("attention.key_length", std::max<std::int64_t>(width / heads, 1)));
  STRATA_TRY(const std::int64_t valueDim, keys.size("attention.value_length", headDim));
  if (valueDim != headDim) return keys.refuse("attention.value_length", "differs from that of the keys.");
  STRATA_TRY(const std::int64_t rotated, keys.size("rope.dimension_count", headDim));
  if (rotated != headDim) {
    return keys.refuse("rope.dimension_count", "is " + std::to_string(rotated) + " where a head has " +
                                                   std::to_string(headDim) + "; only whole heads are rotated here.");
  }
  STRATA_TRY(const std::int64_t context, keys.size("context_length"));
  STRATA_TRY(const double epsilon, keys.positive("attention.layer_norm_rms_epsilon"));
  STRATA_TRY(const double theta, keys.positive("rope.freq_base", 10000.0));
  STRATA_TRY(Json scaling, ropeScaling(keys, gguf, theta, headDim));
  STRATA_TRY(Json ends, endIds(gguf));
  const TensorView* embedding = find(gguf, kEmbeddingName);
  if (embedding == nullptr || embedding->shape.size() != 2) {
    return fail(ErrorCode::invalidData,
                gguf.where() + ": tensor " + quotedName(kEmbeddingName) +
                    (embedding == nullptr ? " is missing" : " is no matrix") +
                    "; give a GGUF that holds a whole model.",
                gguf.where());
  }

  Json config = {{"architectures", {"LlamaForCausalLM"}},
                 {"model_type", "llama"},
                 {"hidden_size", width},
                 {"intermediate_size", ffn},
                 {"num_hidden_layers", layers},
                 {"num_attention_heads", heads},
                 {"num_key_value_heads", kvHeads},
                 {"head_dim", headDim},
                 {"vocab_size", embedding->shape.front()},
                 {"max_position_embeddings", context},
                 {"rms_norm_eps", epsilon},
                 {"rope_theta", theta},
                 {"rope_scaling", std::move(scaling)},
                 {"hidden_act", "silu"},
                 {"tie_word_embeddings", find(gguf, kHeadName) == nullptr}};
  STRATA_CHECK(addFamily(keys, gguf, architecture, config));
  config["bos_token_id"] = nullptr;
  if (fields.has("tokenizer.ggml.bos_token_id")) {
    STRATA_TRY(const std::int64_t bos, fields.integer("tokenizer.ggml.bos_token_id", 0, INT64_MAX));
    if (bos <= INT32_MAX) config["bos_token_id"] = bos;
  }
  config["eos_token_id"] = ends.empty() ? Json() : ends.size() == 1 ? ends.front() : std::move(ends);
  config["torch_dtype"] = mostlyStored(gguf);
  return config;
}

Result<TensorMap> weightsOfGguf(const Gguf& gguf, const ModelConfig& config) {
  const bool paired = config.raw.value("model_type", "") == "llama" || config.raw.value("model_type", "") == "mistral";
  TensorMap weights;
  for (const auto& [name, stored] : gguf.tensors()) {
    if (name == kRopeFactors) continue;
    const auto refuse = [&gguf, tensor = name](const std::string& what) {
      return fail(ErrorCode::unsupported, gguf.where() + ": tensor " + quotedName(tensor) + " " + what, gguf.where());
    };
    const std::string hub = hubName(name);
    if (hub.empty()) return refuse("belongs to no model of this architecture that is supported.");
    TensorView view = stored;
    if (view.shape.size() == 1 && view.blocks != Blocks::none) {
      return refuse("is a vector stored as " + std::string(storageName(view)) + "; supported are F32, F16 and BF16.");
    }
    const bool queries = hub.find(".self_attn.q_proj.") != std::string::npos;
    if (paired && (queries || hub.find(".self_attn.k_proj.") != std::string::npos)) {
      const int heads = queries ? config.heads : config.kvHeads;
      if (view.shape.front() != static_cast<std::int64_t>(heads) * config.headDim) {
        return refuse("has the shape " + printShape(view.shape) + ", which does not fit " + std::to_string(heads) +
                      " heads of " + std::to_string(config.headDim) + "; the file is damaged.");
      }
      view.pairedHeads = heads;
    }
    weights.emplace(hub, std::move(view));
  }
  return weights;
}

}  // namespace strata
