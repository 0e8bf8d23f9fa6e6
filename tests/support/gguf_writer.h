#pragma once
// Writes GGUF containers for tests, byte by byte as docs/gguf.md says; nothing of the code under test is used.

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support.h"

namespace strata::testing {

class GgufWriter {
 public:
  enum Type : std::uint32_t { kF32 = 0, kF16 = 1, kQ4_0 = 2, kQ8_0 = 8, kQ4_K = 12, kQ6_K = 14, kBF16 = 30 };

  std::uint32_t version = 3;
  std::uint64_t alignment = 32;  // of the data; the key is the caller's

  template <class T>
  static std::string raw(T value) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
  }
  static std::string rawText(std::string_view text) { return raw<std::uint64_t>(text.size()).append(text); }

  void value(std::string_view key, std::uint32_t type, const std::string& bytes) {
    m_values += rawText(key) + raw(type) + bytes;
    ++m_valueCount;
  }
  void text(std::string_view key, std::string_view value) { this->value(key, 8, rawText(value)); }
  void number(std::string_view key, std::uint32_t value) { this->value(key, 4, raw(value)); }
  void real(std::string_view key, float value) { this->value(key, 6, raw(value)); }
  void flag(std::string_view key, bool value) { this->value(key, 7, std::string(1, value ? '\1' : '\0')); }
  void texts(std::string_view key, const std::vector<std::string>& values) {
    std::string bytes = raw<std::uint32_t>(8) + raw<std::uint64_t>(values.size());
    for (const std::string& each : values) bytes += rawText(each);
    value(key, 9, bytes);
  }
  void reals(std::string_view key, const std::vector<float>& values) { array(key, 6, values); }
  void integers(std::string_view key, const std::vector<std::int32_t>& values) { array(key, 5, values); }

  /// `shape` is row-major, as Hugging Face has it.
  void tensor(std::string_view name, const std::vector<std::int64_t>& shape, std::uint32_t type,
              const std::string& bytes) {
    m_data.resize((m_data.size() + alignment - 1) / alignment * alignment);
    m_table += rawText(name) + raw(static_cast<std::uint32_t>(shape.size()));
    for (auto extent = shape.rbegin(); extent != shape.rend(); ++extent) m_table += raw<std::uint64_t>(*extent);
    m_table += raw(type) + raw<std::uint64_t>(m_data.size());
    m_data += bytes;
    ++m_tensorCount;
  }

  std::string file() const {
    std::string bytes = "GGUF" + raw(version) + raw(m_tensorCount) + raw(m_valueCount) + m_values + m_table;
    if (!m_data.empty()) bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
    return bytes + m_data;
  }

 private:
  template <class T>
  void array(std::string_view key, std::uint32_t type, const std::vector<T>& values) {
    std::string bytes = raw(type) + raw<std::uint64_t>(values.size());
    for (const T each : values) bytes += raw(each);
    value(key, 9, bytes);
  }

  std::uint64_t m_tensorCount = 0, m_valueCount = 0;
  std::string m_values, m_table, m_data;
};

/// Adds the pieces of a tokenizer.model (sentencepiece_model.proto: field 1 of the model is a piece, whose fields are
/// text, score and type).
inline void addSentencePiece(GgufWriter& file, const std::filesystem::path& tokenizerModel) {
  const std::string bytes = readText(tokenizerModel);
  const auto varint = [](const std::string& from, std::size_t& at) {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(from.at(at++));
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
  };
  const std::function<void(const std::string&, const std::function<void(std::uint64_t, std::string)>&)> eachField =
      [&](const std::string& message, const auto& use) {
        for (std::size_t at = 0; at < message.size();) {
          const std::uint64_t tag = varint(message, at);
          std::string value;
          if ((tag & 7) == 0) {
            value = GgufWriter::raw(varint(message, at));
          } else {
            const std::uint64_t size = (tag & 7) == 2 ? varint(message, at) : (tag & 7) == 5 ? 4 : 8;
            value = message.substr(at, size);
            at += size;
          }
          use(tag >> 3, std::move(value));
        }
      };
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<std::int32_t> types;
  eachField(bytes, [&](std::uint64_t field, const std::string& piece) {
    if (field != 1) return;
    tokens.emplace_back();
    scores.push_back(0);
    types.push_back(1);
    eachField(piece, [&](std::uint64_t part, const std::string& value) {
      if (part == 1) tokens.back() = value;
      if (part == 2) std::memcpy(&scores.back(), value.data(), sizeof(float));
      if (part == 3) std::memcpy(&types.back(), value.data(), sizeof(std::int32_t));
    });
  });
  file.text("tokenizer.ggml.model", "llama");
  file.text("tokenizer.ggml.pre", "default");
  file.texts("tokenizer.ggml.tokens", tokens);
  file.reals("tokenizer.ggml.scores", scores);
  file.integers("tokenizer.ggml.token_type", types);
  file.flag("tokenizer.ggml.add_bos_token", true);
  file.flag("tokenizer.ggml.add_eos_token", false);
}

}  // namespace strata::testing
