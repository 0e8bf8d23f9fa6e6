#include "core/checkpoint/model_config.h"

#include <limits>
#include <new>
#include <string_view>

#include "core/checkpoint/json_fields.h"
#include "core/checkpoint/safetensors_header.h"

namespace strata {
namespace {

constexpr std::int64_t kMostLayers = 4096;
constexpr std::int64_t kLargestSize = 1 << 24;  // with it no count of parameters passes 2^63

Result<void> readSizes(const JsonFields& fields, const Family& family, ModelConfig& config) {
  const auto size = [&](const char* key, std::int64_t most, std::optional<std::int64_t> missing = {}) {
    return fields.integer(key, 1, most, missing);
  };
  STRATA_TRY(config.layers, size("num_hidden_layers", kMostLayers));
  STRATA_TRY(config.width, size("hidden_size", kLargestSize));
  STRATA_TRY(config.ffn, size("intermediate_size", kLargestSize));
  STRATA_TRY(config.heads, size("num_attention_heads", kLargestSize));
  const bool asClass = fields.isMissing("num_key_value_heads") && family.kvHeads;
  STRATA_TRY(config.kvHeads, size("num_key_value_heads", kLargestSize, asClass ? *family.kvHeads : config.heads));
  STRATA_TRY(config.vocab, size("vocab_size", kLargestSize));
  if (config.heads % config.kvHeads != 0) {
    return fields.refuse("num_attention_heads", "is " + std::to_string(config.heads) +
                                                    ", not a multiple of the num_key_value_heads " +
                                                    std::to_string(config.kvHeads) + ".");
  }
  const std::optional<std::int64_t> ownHeadDim = fields.isMissing("head_dim") ? family.headDim : std::nullopt;
  if (!fields.has("head_dim") && !ownHeadDim && config.width % config.heads != 0) {
    return fields.refuse("head_dim", "is missing, and the hidden_size " + std::to_string(config.width) +
                                         " is not a multiple of the num_attention_heads " +
                                         std::to_string(config.heads) + ".");
  }
  STRATA_TRY(config.headDim, size("head_dim", kLargestSize, ownHeadDim.value_or(config.width / config.heads)));
  if (config.headDim % 2 != 0) {
    return fields.refuse("head_dim",
                         "gives a head size of " + std::to_string(config.headDim) + "; RoPE needs an even one.");
  }
  if (static_cast<std::int64_t>(config.heads) * config.headDim > kLargestSize) {
    return fields.refuse("num_attention_heads", "times the head size is over " + std::to_string(kLargestSize) + ".");
  }
  return {};
}

Result<void> readTokenIds(const JsonFields& fields, const Family& family, ModelConfig& config) {
  STRATA_TRY(const std::vector<std::int64_t> bos, readTokenIdList(fields, "bos_token_id", family.bosIds));
  // Some small models keep the id of the large one that they were cut from; there is no embedding for it.
  if (!bos.empty() && bos.front() < config.vocab) config.bosId = bos.front();
  STRATA_TRY(config.eosIds, readTokenIdList(fields, "eos_token_id", family.eosIds));
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
  STRATA_CHECK(readSizes(fields, *family, config));
  STRATA_TRY(config.maxPositions, fields.integer("max_position_embeddings", 1, kLargestSize, family->maxPositions));
  STRATA_TRY(config.rmsNormEps, fields.positive("rms_norm_eps", 1e-6));
  STRATA_TRY(const std::string activation, fields.text("hidden_act", "silu"));
  if (activation != "silu" && activation != "swish") {  // two names of one function
    return fields.refuse("hidden_act", "says " + quotedName(activation) + "; supported is silu.",
                         ErrorCode::unsupported);
  }
  STRATA_TRY(config.rope, readRope(fields, config.maxPositions));
  if (config.rope.type == RopeType::dynamic && config.headDim == 2) {
    return fields.refuse("head_dim", "gives a head size of 2, which the RoPE type dynamic cannot stretch.");
  }
  STRATA_TRY(config.tied, fields.boolean("tie_word_embeddings", false));
  STRATA_CHECK(readTokenIds(fields, *family, config));
  STRATA_TRY(const std::string dtype, fields.text(fields.has("dtype") ? "dtype" : "torch_dtype", ""));
  config.dtype = parseDType(dtype);
  STRATA_TRY(config.traits, family->readTraits(fields, config.layers));
  config.raw = file;
  return config;
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
  const LayerTraits& traits = config.traits;
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
    linear(at + "self_attn.q_proj", queries, width, traits.qkvBias);
    linear(at + "self_attn.k_proj", keys, width, traits.qkvBias);
    linear(at + "self_attn.v_proj", keys, width, traits.qkvBias);
    linear(at + "self_attn.o_proj", width, queries, traits.outputBias);
    if (traits.qkNorm) {
      shapes.push_back({at + "self_attn.q_norm.weight", {config.headDim}});
      shapes.push_back({at + "self_attn.k_norm.weight", {config.headDim}});
    }
    shapes.push_back({at + "post_attention_layernorm.weight", {width}});
    linear(at + "mlp.gate_proj", ffn, width, traits.mlpBias);
    linear(at + "mlp.up_proj", ffn, width, traits.mlpBias);
    linear(at + "mlp.down_proj", width, ffn, traits.mlpBias);
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
                 .parameters = 0,
                 .qkNorm = traits.qkNorm};
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
