#include "core/checkpoint/model_config.h"

#include <array>
#include <cstdio>
#include <limits>
#include <new>
#include <string_view>

#include "core/checkpoint/json_fields.h"
#include "core/checkpoint/safetensors_header.h"

namespace strata {
namespace {

constexpr std::int64_t kMostLayers = 4096;
constexpr std::int64_t kLargestSize = 1 << 24;  // with it no count of parameters passes 2^63

/// What one architecture does differently from the others.
struct Family {
  const char* architecture;  // in "architectures"
  const char* modelType;     // in "model_type"
  std::int64_t maxPositions;
  std::int64_t bosId;  // of a config without the key; null there means none
  std::int64_t eosId;
  Result<void> (*readOwnKeys)(const JsonFields&, ModelConfig&);
};

Result<void> readLlamaKeys(const JsonFields& fields, ModelConfig& config) {
  STRATA_TRY(config.attentionBias, fields.boolean("attention_bias", false));
  STRATA_TRY(config.mlpBias, fields.boolean("mlp_bias", false));
  return {};
}

// Defaults as in the configuration classes of transformers.
constexpr std::array<Family, 1> kFamilies = {{{"LlamaForCausalLM", "llama", 2048, 1, 2, readLlamaKeys}}};

std::string supportedArchitectures() {
  std::string out;
  for (const Family& family : kFamilies) out += (out.empty() ? "" : ", ") + std::string(family.architecture);
  return out;
}

Result<const Family*> findFamily(const JsonFields& fields) {
  const Json* modelType = fields.find("model_type");
  if (modelType != nullptr && !modelType->is_string()) {
    return fields.refuse("model_type", "must be a text, not " + shortDump(*modelType) + ".");
  }
  const auto typeMatches = [&](const Family& family) {
    return modelType == nullptr || modelType->get_ref<const std::string&>() == family.modelType;
  };
  const auto unsupported = [&](const char* key, const std::string& name) {
    return fields.refuse(key, "says " + quotedName(name) + "; supported is " + supportedArchitectures() + ".",
                         ErrorCode::unsupported);
  };
  const Json* architectures = fields.find("architectures");
  if (architectures == nullptr) {
    if (modelType == nullptr) return fields.refuse("architectures", "is missing; it is needed.");
    for (const Family& family : kFamilies) {
      if (typeMatches(family)) return &family;
    }
    return unsupported("model_type", modelType->get<std::string>());
  }
  if (!architectures->is_array() || architectures->size() != 1 || !architectures->front().is_string()) {
    return fields.refuse("architectures", "must be a list of one text.");
  }
  const std::string& name = architectures->front().get_ref<const std::string&>();
  for (const Family& family : kFamilies) {
    if (name != family.architecture) continue;
    if (typeMatches(family)) return &family;
    return fields.refuse("model_type", "is " + shortDump(*modelType) + ", which does not belong to " + name + ".");
  }
  return unsupported("architectures", name);
}

Result<void> readSizes(const JsonFields& fields, ModelConfig& config) {
  const auto size = [&](const char* key, std::int64_t most, std::optional<std::int64_t> missing = {}) {
    return fields.integer(key, 1, most, missing);
  };
  STRATA_TRY(config.layers, size("num_hidden_layers", kMostLayers));
  STRATA_TRY(config.width, size("hidden_size", kLargestSize));
  STRATA_TRY(config.ffn, size("intermediate_size", kLargestSize));
  STRATA_TRY(config.heads, size("num_attention_heads", kLargestSize));
  STRATA_TRY(config.kvHeads, size("num_key_value_heads", kLargestSize, config.heads));
  STRATA_TRY(config.vocab, size("vocab_size", kLargestSize));
  if (config.heads % config.kvHeads != 0) {
    return fields.refuse("num_attention_heads", "is " + std::to_string(config.heads) +
                                                    ", not a multiple of the num_key_value_heads " +
                                                    std::to_string(config.kvHeads) + ".");
  }
  if (!fields.has("head_dim") && config.width % config.heads != 0) {
    return fields.refuse("head_dim", "is missing, and the hidden_size " + std::to_string(config.width) +
                                         " is not a multiple of the num_attention_heads " +
                                         std::to_string(config.heads) + ".");
  }
  STRATA_TRY(config.headDim, size("head_dim", kLargestSize, config.width / config.heads));
  if (config.headDim % 2 != 0) {
    return fields.refuse("head_dim",
                         "gives a head size of " + std::to_string(config.headDim) + "; RoPE needs an even one.");
  }
  if (static_cast<std::int64_t>(config.heads) * config.headDim > kLargestSize) {
    return fields.refuse("num_attention_heads", "times the head size is over " + std::to_string(kLargestSize) + ".");
  }
  return {};
}

/// transformers 4: rope_theta and rope_scaling {type or rope_type, …}; transformers 5: rope_parameters {rope_type,
/// rope_theta, …}. Where both stand there, transformers takes rope_scaling and, of the two types, rope_type.
Result<RopeConfig> readRope(const JsonFields& fields) {
  RopeConfig rope;
  STRATA_TRY(rope.theta, fields.positive("rope_theta", rope.theta));
  const auto isSet = [&](const char* key) {
    const Json* value = fields.find(key);
    return value != nullptr && !(value->is_object() && value->empty());
  };
  const char* key = isSet("rope_scaling") ? "rope_scaling" : isSet("rope_parameters") ? "rope_parameters" : nullptr;
  if (key == nullptr) return rope;
  if (!fields.find(key)->is_object()) return fields.refuse(key, "must be an object or null.");
  const JsonFields inner(*fields.find(key), fields.where(), key);
  STRATA_TRY(rope.theta, inner.positive("rope_theta", rope.theta));
  STRATA_TRY(const double rotated, inner.positive("partial_rotary_factor", 1.0));
  if (rotated != 1.0) {
    return inner.refuse("partial_rotary_factor", "is not 1; only whole heads are rotated here.",
                        ErrorCode::unsupported);
  }
  const char* typeKey = inner.has("rope_type") ? "rope_type" : "type";
  STRATA_TRY(const std::string type, inner.text(typeKey, "default"));
  if (type == "default") return rope;
  if (type != "llama3") {
    return inner.refuse(typeKey, "says " + quotedName(type) + "; supported are default and llama3.",
                        ErrorCode::unsupported);
  }
  rope.type = RopeType::llama3;
  STRATA_TRY(rope.factor, inner.positive("factor"));
  STRATA_TRY(rope.lowFreqFactor, inner.positive("low_freq_factor"));
  STRATA_TRY(rope.highFreqFactor, inner.positive("high_freq_factor"));
  STRATA_TRY(rope.originalMaxPositions, inner.integer("original_max_position_embeddings", 1, kLargestSize));
  if (rope.highFreqFactor <= rope.lowFreqFactor) {
    return inner.refuse("high_freq_factor", "must be larger than low_freq_factor.");
  }
  return rope;
}

Result<void> readTokenIds(const JsonFields& fields, const Family& family, ModelConfig& config) {
  STRATA_TRY(const std::vector<std::int64_t> bos, readTokenIdList(fields, "bos_token_id", {family.bosId}));
  // Some small models keep the id of the large one that they were cut from; there is no embedding for it.
  if (!bos.empty() && bos.front() < config.vocab) config.bosId = bos.front();
  STRATA_TRY(config.eosIds, readTokenIdList(fields, "eos_token_id", {family.eosId}));
  return {};
}

Result<ModelConfig> parseChecked(const Json& file, const std::string& where) {
  if (!file.is_object()) return fail(ErrorCode::invalidData, where + ": the file must hold a JSON object.", where);
  const JsonFields fields(file, where);
  for (const char* key : {"quantization_config", "compression_config"}) {
    if (fields.has(key)) {
      return fields.refuse(key, "says that the weights are quantised; use the unquantised model.",
                           ErrorCode::unsupported);
    }
  }
  STRATA_TRY(const Family* family, findFamily(fields));
  ModelConfig config;
  config.architecture = family->architecture;
  STRATA_CHECK(readSizes(fields, config));
  STRATA_TRY(config.maxPositions, fields.integer("max_position_embeddings", 1, kLargestSize, family->maxPositions));
  STRATA_TRY(config.rmsNormEps, fields.positive("rms_norm_eps", 1e-6));
  STRATA_TRY(const std::string activation, fields.text("hidden_act", "silu"));
  if (activation != "silu" && activation != "swish") {  // two names of one function
    return fields.refuse("hidden_act", "says " + quotedName(activation) + "; supported is silu.",
                         ErrorCode::unsupported);
  }
  STRATA_TRY(config.rope, readRope(fields));
  STRATA_TRY(config.tied, fields.boolean("tie_word_embeddings", false));
  STRATA_CHECK(readTokenIds(fields, *family, config));
  STRATA_TRY(const std::string dtype, fields.text(fields.has("dtype") ? "dtype" : "torch_dtype", ""));
  config.dtype = parseDType(dtype);
  STRATA_CHECK(family->readOwnKeys(fields, config));
  config.raw = file;
  return config;
}

std::string describeRope(const RopeConfig& rope) {
  std::array<char, 256> text{};
  if (rope.type == RopeType::standard) {
    std::snprintf(text.data(), text.size(), "default theta=%.17g", rope.theta);
  } else {
    std::snprintf(text.data(), text.size(), "llama3 theta=%.17g factor=%.17g low=%.17g high=%.17g original=%lld",
                  rope.theta, rope.factor, rope.lowFreqFactor, rope.highFreqFactor,
                  static_cast<long long>(rope.originalMaxPositions));
  }
  return text.data();
}

}  // namespace

Result<ModelConfig> parseModelConfig(const Json& config, const std::string& where) {
  try {
    return parseChecked(config, where);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, where + ": not enough memory to read it; close something and try again.",
                where);
  }
}

std::vector<std::pair<std::string, std::vector<std::int64_t>>> parameterShapes(const ModelConfig& config) {
  const std::int64_t width = config.width;
  const std::int64_t ffn = config.ffn;
  const std::int64_t queries = static_cast<std::int64_t>(config.heads) * config.headDim;
  const std::int64_t keys = static_cast<std::int64_t>(config.kvHeads) * config.headDim;
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> shapes;
  const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in, bool bias) {
    shapes.push_back({name + ".weight", {out, in}});
    if (bias) shapes.push_back({name + ".bias", {out}});
  };
  shapes.push_back({"model.embed_tokens.weight", {config.vocab, width}});
  for (int layer = 0; layer < config.layers; ++layer) {
    const std::string at = "model.layers." + std::to_string(layer) + ".";
    shapes.push_back({at + "input_layernorm.weight", {width}});
    linear(at + "self_attn.q_proj", queries, width, config.attentionBias);
    linear(at + "self_attn.k_proj", keys, width, config.attentionBias);
    linear(at + "self_attn.v_proj", keys, width, config.attentionBias);
    linear(at + "self_attn.o_proj", width, queries, config.attentionBias);
    shapes.push_back({at + "post_attention_layernorm.weight", {width}});
    linear(at + "mlp.gate_proj", ffn, width, config.mlpBias);
    linear(at + "mlp.up_proj", ffn, width, config.mlpBias);
    linear(at + "mlp.down_proj", width, ffn, config.mlpBias);
  }
  shapes.push_back({"model.norm.weight", {width}});
  if (!config.tied) shapes.push_back({"lm_head.weight", {config.vocab, width}});
  return shapes;
}

ModelShape ModelConfig::shape() const {
  ModelShape out{.layers = layers,
                 .width = width,
                 .heads = heads,
                 .kvHeads = kvHeads,
                 .headDim = headDim,
                 .ffn = ffn,
                 .vocab = vocab,
                 .tied = tied,
                 .parameters = 0};
  for (const auto& [name, extents] : parameterShapes(*this)) {
    std::int64_t count = 1;
    for (const std::int64_t extent : extents) count *= extent;
    out.parameters += count;
  }
  return out;
}

std::vector<KvGeometry> ModelConfig::kvGeometry() const {
  return std::vector<KvGeometry>(static_cast<std::size_t>(layers), KvGeometry{kvHeads, headDim, describeRope(rope)});
}

}  // namespace strata
