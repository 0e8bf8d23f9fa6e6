#pragma once
// A model's folder as the GGUF file that llama.cpp's converter makes of it (convert_hf_to_gguf.py): other names, the
// rows of a Llama's queries and keys in pairs, vectors in F32.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "gguf_writer.h"
#include "support.h"

namespace strata::testing {

inline std::string ggufNameOf(std::string name) {
  static const std::vector<std::pair<std::string, std::string>> kParts = {
      {"model.embed_tokens", "token_embd"},
      {"model.norm", "output_norm"},
      {"lm_head", "output"},
      {"model.layers", "blk"},
      {"input_layernorm", "attn_norm"},
      {"post_attention_layernorm", "ffn_norm"},
      {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},
      {"self_attn.o_proj", "attn_output"},
      {"self_attn.q_norm", "attn_q_norm"},
      {"self_attn.k_norm", "attn_k_norm"},
      {"mlp.gate_proj", "ffn_gate"},
      {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"},
  };
  for (const auto& [hub, gguf] : kParts) {
    if (const std::size_t at = name.find(hub); at != std::string::npos) name.replace(at, hub.size(), gguf);
  }
  return name;
}

/// The converter's permute(): [heads, 2, D/2, in] to [heads, D/2, 2, in].
inline std::vector<float> pairedRows(const std::vector<float>& values, std::size_t rows, std::size_t heads) {
  const std::size_t row = values.size() / rows, half = rows / heads / 2;
  std::vector<float> out(values.size());
  for (std::size_t head = 0; head < heads; ++head) {
    for (std::size_t part = 0; part < 2; ++part) {
      for (std::size_t i = 0; i < half; ++i) {
        const std::size_t from = (head * 2 + part) * half + i, to = (head * half + i) * 2 + part;
        std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(from * row), row,
                    out.begin() + static_cast<std::ptrdiff_t>(to * row));
      }
    }
  }
  return out;
}

inline std::string rawFloats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// Blocks of 32 signed bytes and their scale, a whole power of two so that it needs no rounding.
inline std::string rawQ8(const std::vector<float>& values) {
  std::string out;
  for (std::size_t at = 0; at < values.size(); at += 32) {
    float largest = 0;
    for (std::size_t i = 0; i < 32; ++i) largest = std::max(largest, std::abs(values[at + i]));
    int exponent = -14;
    while (std::ldexp(127.0F, exponent) < largest) ++exponent;
    const auto half = static_cast<std::uint16_t>((exponent + 15) << 10);
    out += GgufWriter::raw(half);
    for (std::size_t i = 0; i < 32; ++i) {
      out += static_cast<char>(static_cast<std::int8_t>(std::lround(std::ldexp(values[at + i], -exponent))));
    }
  }
  return out;
}

inline std::vector<float> floatsOf(const TensorView& view) {
  std::vector<float> values(static_cast<std::size_t>(view.elements()));
  convertToFloat(view.bytes, view.dtype, values);
  return values;
}

/// The divisors of the frequencies that llama.cpp reads from rope_freqs.weight.
inline std::vector<float> llama3Factors(const RopeConfig& rope, int headDim) {
  std::vector<float> factors;
  for (int i = 0; i < headDim; i += 2) {
    const double wavelength = 2 * M_PI * std::pow(rope.theta, static_cast<double>(i) / headDim);
    const double turns = static_cast<double>(rope.originalMaxPositions) / wavelength;
    const double kept = std::clamp((turns - rope.lowFreqFactor) / (rope.highFreqFactor - rope.lowFreqFactor), 0.0, 1.0);
    factors.push_back(static_cast<float>(1 / ((1 - kept) / rope.factor + kept)));
  }
  return factors;
}

/// The metadata and weights of `model`, matrices as `type` (F32 or Q8_0); a tokenizer is the caller's.
inline GgufWriter ggufOf(const Checkpoint& model, std::uint32_t type = GgufWriter::kF32) {
  const ModelConfig& config = model.config();
  const std::string hub = config.raw.value("model_type", "llama");
  const std::string arch = hub == "mistral" ? "llama" : hub;
  GgufWriter file;
  file.text("general.architecture", arch);
  const auto number = [&](const char* key, std::int64_t value) {
    file.number(arch + "." + key, static_cast<std::uint32_t>(value));
  };
  number("block_count", config.layers);
  number("context_length", config.maxPositions);
  number("embedding_length", config.width);
  number("feed_forward_length", config.ffn);
  number("attention.head_count", config.heads);
  number("attention.head_count_kv", config.kvHeads);
  number("attention.key_length", config.headDim);
  number("attention.value_length", config.headDim);
  number("rope.dimension_count", config.headDim);
  file.real(arch + ".rope.freq_base", static_cast<float>(config.rope.theta));
  file.real(arch + ".attention.layer_norm_rms_epsilon", static_cast<float>(config.rmsNormEps));
  if (hub == "mistral" && config.traits.windows.front() > 0) {
    number("attention.sliding_window", config.traits.windows.front());
  }
  if (config.bosId) file.number("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(*config.bosId));
  if (!config.eosIds.empty()) {
    file.number("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(config.eosIds.front()));
  }
  if (config.rope.type == RopeType::llama3) {
    const std::vector<float> factors = llama3Factors(config.rope, config.headDim);
    file.tensor("rope_freqs.weight", {static_cast<std::int64_t>(factors.size())}, GgufWriter::kF32, rawFloats(factors));
  }
  for (const auto& [name, shape] : parameterShapes(config)) {
    std::vector<float> values = floatsOf(model.tensor(name));
    const bool queries = name.find("q_proj") != std::string::npos;
    if (arch == "llama" && (queries || name.find("k_proj") != std::string::npos)) {
      values = pairedRows(values, static_cast<std::size_t>(shape.front()),
                          static_cast<std::size_t>(queries ? config.heads : config.kvHeads));
    }
    const bool blocks = type == GgufWriter::kQ8_0 && shape.size() > 1 && shape.back() % 32 == 0;
    file.tensor(ggufNameOf(name), shape, blocks ? GgufWriter::kQ8_0 : GgufWriter::kF32,
                blocks ? rawQ8(values) : rawFloats(values));
  }
  return file;
}

/// resources/models/stories260K as one file.
inline void writeStoriesGguf(const std::filesystem::path& path, std::uint32_t type = GgufWriter::kF32) {
  const std::filesystem::path folder = sourceFolder() / "resources/models/stories260K";
  GgufWriter file = ggufOf(Checkpoint::open(folder).value(), type);
  addSentencePiece(file, folder / "tokenizer.model");
  writeText(path, file.file());
}

}  // namespace strata::testing
