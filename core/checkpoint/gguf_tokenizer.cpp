#include "core/checkpoint/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/checkpoint/safetensors_header.h"

namespace strata {
namespace {

constexpr const char* kModelKey = "tokenizer.ggml.model";
constexpr const char* kPreKey = "tokenizer.ggml.pre";
constexpr const char* kTokensKey = "tokenizer.ggml.tokens";
constexpr const char* kTypesKey = "tokenizer.ggml.token_type";
constexpr const char* kScoresKey = "tokenizer.ggml.scores";
constexpr const char* kMergesKey = "tokenizer.ggml.merges";
constexpr const char* kTemplateKey = "tokenizer.chat_template";
constexpr std::size_t kMostTokens = 1 << 24;

/// Of tokenizer.ggml.token_type; sentencepiece_model.proto has the same numbers.
struct TokenType {
  enum : std::int64_t { normal = 1, unknown = 2, control = 3, userDefined = 4, unused = 5, byte = 6 };
};

// The expressions of the models' own tokenizer.json; llama.cpp's default one is its own (src/llama-vocab.cpp).
constexpr const char* kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kTekken = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
                                R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
                                R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* kPunctuation = R"([\p{P}\$\+<=>\^~\|]+)";

/// How words are found: expressions that split a text one after another.
struct PreTokenizer {
  std::vector<const char*> names;  // of tokenizer.ggml.pre
  std::vector<const char*> expressions;
  bool ignoreMerges = false;
  bool addsBos = false;   // where the file does not say
  bool composes = false;  // NFC
};

const std::vector<PreTokenizer>& preTokenizers() {
  static const std::vector<PreTokenizer> all = {
      {{"default"}, {kPunctuation, kGpt2, R"(\p{N}+)", "[0-9][0-9][0-9]"}},
      {{"gpt-2", "phi-2", "mpt", "olmo"}, {kGpt2}},
      {{"llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"}, {kLlama3}, true, true},
      {{"smaug-bpe", "dbrx"}, {kLlama3}},
      {{"qwen2"}, {kQwen2}, false, false, true},
      {{"deepseek-r1-qwen", "megrez"}, {kQwen2}},
      {{"smollm", "starcoder", "refact", "command-r"}, {R"(\p{N})", kGpt2}},
      {{"tekken"}, {kTekken}, true, true},
  };
  return all;
}

Result<const PreTokenizer*> preTokenizerOf(const Gguf& gguf) {
  const JsonFields fields = gguf.fields();
  STRATA_TRY(const std::string name, fields.text(kPreKey, "default"));
  std::string known;
  for (const PreTokenizer& each : preTokenizers()) {
    for (const char* one : each.names) {
      if (name == one) return &each;
      known += (known.empty() ? "" : ", ") + std::string(one);
    }
  }
  return fields.refuse(kPreKey, "says " + quotedName(name) + "; supported are " + known + ".", ErrorCode::unsupported);
}

/// The tokens by id, with their types.
struct Tokens {
  std::vector<std::string_view> texts;
  std::vector<std::int64_t> types;
};

tl::unexpected<Error> wrongLength(const Gguf& gguf, const char* key, std::size_t length, std::size_t tokens) {
  return gguf.fields().refuse(key, "has " + std::to_string(length) + " elements where there are " +
                                       std::to_string(tokens) + " tokens; the file is damaged.");
}

Result<Tokens> tokensOf(const Gguf& gguf) {
  Tokens tokens;
  STRATA_TRY(tokens.texts, gguf.texts(kTokensKey));
  const std::size_t count = tokens.texts.size();
  if (count == 0 || count > kMostTokens) {
    return gguf.fields().refuse(kTokensKey, "has " + std::to_string(count) + " tokens; the file is damaged.");
  }
  tokens.types.assign(count, TokenType::normal);
  if (gguf.hasArray(kTypesKey)) {
    STRATA_TRY(tokens.types, gguf.integers(kTypesKey));
    if (tokens.types.size() != count) return wrongLength(gguf, kTypesKey, tokens.types.size(), count);
  }
  return tokens;
}

/// The id that a key gives, where there is one among the tokens.
Result<std::optional<std::size_t>> idOf(const Gguf& gguf, const char* key, std::size_t tokens) {
  const JsonFields fields = gguf.fields();
  if (!fields.has(key)) return std::optional<std::size_t>();
  STRATA_TRY(const std::int64_t id, fields.integer(key, -1, INT64_MAX));
  if (id == -1 || id == UINT32_MAX) return std::optional<std::size_t>();  // two words for none
  if (id >= static_cast<std::int64_t>(tokens)) {
    return fields.refuse(key, "is " + std::to_string(id) + ", which is no token of " + std::to_string(tokens) + ".");
  }
  return std::optional(static_cast<std::size_t>(id));
}

struct SpecialIds {
  std::optional<std::size_t> bos, eos, unknown, padding;
  bool addsBos = false, addsEos = false;
};

Result<SpecialIds> specialsOf(const Gguf& gguf, GgufTokenizer::Kind kind, std::size_t tokens) {
  SpecialIds ids;
  STRATA_TRY(ids.bos, idOf(gguf, "tokenizer.ggml.bos_token_id", tokens));
  STRATA_TRY(ids.eos, idOf(gguf, "tokenizer.ggml.eos_token_id", tokens));
  STRATA_TRY(ids.unknown, idOf(gguf, "tokenizer.ggml.unknown_token_id", tokens));
  STRATA_TRY(ids.padding, idOf(gguf, "tokenizer.ggml.padding_token_id", tokens));
  bool byDefault = true;
  if (kind == GgufTokenizer::Kind::byteLevel) {
    STRATA_TRY(const PreTokenizer* pre, preTokenizerOf(gguf));
    byDefault = pre->addsBos;
  }
  STRATA_TRY(ids.addsBos, gguf.fields().boolean("tokenizer.ggml.add_bos_token", byDefault));
  STRATA_TRY(ids.addsEos, gguf.fields().boolean("tokenizer.ggml.add_eos_token", false));
  ids.addsBos = ids.addsBos && ids.bos;
  ids.addsEos = ids.addsEos && ids.eos;
  return ids;
}

/// A text from the file as JSON; bytes that are no UTF-8 become U+FFFD.
std::string quotedJson(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json splitterJson(const PreTokenizer& pre) {
  Json parts = Json::array();
  for (const char* expression : pre.expressions) {
    parts.push_back(
        {{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}, {"invert", false}});
  }
  parts.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}});
  return {{"type", "Sequence"}, {"pretokenizers", std::move(parts)}};
}

/// What is put around a text.
Json postProcessorJson(const Tokens& tokens, const SpecialIds& ids) {
  if (!ids.addsBos && !ids.addsEos) return nullptr;
  Json single = Json::array(), specials = Json::object();
  const auto add = [&](std::size_t id) {
    const std::string name = Json::parse(quotedJson(tokens.texts[id])).get<std::string>();
    single.push_back({{"SpecialToken", {{"id", name}, {"type_id", 0}}}});
    specials[name] = {{"id", name}, {"ids", Json::array({id})}, {"tokens", Json::array({name})}};
  };
  if (ids.addsBos) add(*ids.bos);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  if (ids.addsEos) add(*ids.eos);
  Json pair = single;
  pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", std::move(specials)}};
}

Result<std::string> tokenizerJson(const Gguf& gguf) {
  STRATA_TRY(const Tokens tokens, tokensOf(gguf));
  STRATA_TRY(const std::vector<std::string_view> merges, gguf.texts(kMergesKey));
  STRATA_TRY(const PreTokenizer* pre, preTokenizerOf(gguf));
  STRATA_TRY(const SpecialIds ids, specialsOf(gguf, GgufTokenizer::Kind::byteLevel, tokens.texts.size()));
  std::string added, vocabulary;
  for (std::size_t id = 0; id < tokens.texts.size(); ++id) {
    const std::int64_t type = tokens.types[id];
    if (type == TokenType::unused) continue;
    const std::string token = quotedJson(tokens.texts[id]);
    vocabulary += (vocabulary.empty() ? "" : ",") + token + ":" + std::to_string(id);
    const bool special = type == TokenType::control || type == TokenType::unknown || id == ids.bos || id == ids.eos;
    if (!special && type != TokenType::userDefined) continue;
    added += (added.empty() ? "" : ",") + ("{\"id\":" + std::to_string(id)) + ",\"content\":" + token +
             R"(,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":)" +
             (special ? "true}" : "false}");
  }
  const Json normalizer = pre->composes ? Json{{"type", "NFC"}} : Json();
  const Json decoder = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  std::string out = R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)" + added + "]";
  out += ",\"normalizer\":" + normalizer.dump() + ",\"pre_tokenizer\":" + splitterJson(*pre).dump();
  out += ",\"post_processor\":" + postProcessorJson(tokens, ids).dump() + ",\"decoder\":" + decoder.dump();
  out += R"(,"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)";
  out += R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":)";
  out += std::string(pre->ignoreMerges ? "true" : "false") + ",\"vocab\":{" + vocabulary + "},\"merges\":[";
  for (std::size_t i = 0; i < merges.size(); ++i) out += (i > 0 ? "," : "") + quotedJson(merges[i]);
  return out + "]}}";
}

/// Writes a protocol buffers message.
class Message {
 public:
  void add(std::uint32_t field, std::string_view bytes) {
    varint(field << 3 | 2);
    varint(bytes.size());
    m_bytes += bytes;
  }
  void add(std::uint32_t field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
  }
  void add(std::uint32_t field, float value) {
    varint(field << 3 | 5);
    std::array<char, sizeof(value)> bytes{};
    std::memcpy(bytes.data(), &value, sizeof(value));
    m_bytes.append(bytes.data(), bytes.size());
  }
  const std::string& bytes() const { return m_bytes; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) m_bytes += static_cast<char>(value | 0x80);
    m_bytes += static_cast<char>(value);
  }
  std::string m_bytes;
};

/// The bytes of a tokenizer.model; field numbers of sentencepiece_model.proto.
Result<std::string> sentencePieceModel(const Gguf& gguf) {
  constexpr std::uint64_t kBpe = 2;
  STRATA_TRY(Tokens tokens, tokensOf(gguf));
  const std::size_t count = tokens.texts.size();
  STRATA_TRY(const std::vector<double> scores, gguf.numbers(kScoresKey));
  if (scores.size() != count) return wrongLength(gguf, kScoresKey, scores.size(), count);
  STRATA_TRY(const SpecialIds ids, specialsOf(gguf, GgufTokenizer::Kind::sentencePiece, count));
  const JsonFields fields = gguf.fields();
  STRATA_TRY(const bool prefix, fields.boolean("tokenizer.ggml.add_space_prefix", true));
  // The library wants one unknown token, and has only control tokens for BOS and EOS.
  const auto stored = static_cast<std::size_t>(std::find(tokens.types.begin(), tokens.types.end(), TokenType::unknown) -
                                               tokens.types.begin());
  const std::size_t unknown = ids.unknown.value_or(stored < count ? stored : 0);
  for (std::size_t id = 0; id < count; ++id) {
    if (tokens.types[id] == TokenType::unknown) tokens.types[id] = TokenType::control;
  }
  for (const std::optional<std::size_t>& id : {ids.bos, ids.eos}) {
    if (id) tokens.types[*id] = TokenType::control;
  }
  tokens.types[unknown] = TokenType::unknown;
  const bool bytes = std::find(tokens.types.begin(), tokens.types.end(), TokenType::byte) != tokens.types.end();

  Message model;
  for (std::size_t id = 0; id < count; ++id) {
    Message piece;
    piece.add(1, tokens.texts[id]);
    piece.add(2, static_cast<float>(scores[id]));
    const std::int64_t type = tokens.types[id];
    if (type < TokenType::normal || type > TokenType::byte) {
      return fields.refuse(kTypesKey, "gives a token the unknown type " + std::to_string(type) + ".");
    }
    piece.add(3, static_cast<std::uint64_t>(type));
    model.add(1, piece.bytes());
  }
  Message trainer;
  trainer.add(3, kBpe);
  trainer.add(4, static_cast<std::uint64_t>(count));
  trainer.add(35, std::uint64_t{bytes});
  trainer.add(40, static_cast<std::uint64_t>(unknown));
  trainer.add(45, tokens.texts[unknown]);
  const auto name = [&](std::uint32_t field, const std::optional<std::size_t>& id) {
    trainer.add(field, id ? static_cast<std::uint64_t>(*id) : ~std::uint64_t{0});  // -1: none
    if (id) trainer.add(field + 5, tokens.texts[*id]);
  };
  name(41, ids.bos);
  name(42, ids.eos);
  name(43, ids.padding);
  model.add(2, trainer.bytes());
  Message normalizer;
  normalizer.add(1, std::string_view("identity"));
  normalizer.add(3, std::uint64_t{prefix});
  normalizer.add(4, std::uint64_t{0});  // llama.cpp keeps every space
  normalizer.add(5, std::uint64_t{1});
  model.add(3, normalizer.bytes());
  return model.bytes();
}

/// The templates by name; "default" is the one of tokenizer.chat_template.
Result<Json> chatTemplates(const Gguf& gguf) {
  const JsonFields fields = gguf.fields();
  STRATA_TRY(const std::string byDefault, fields.text(kTemplateKey, ""));
  Json templates = Json::array();
  if (!byDefault.empty()) templates.push_back({{"name", "default"}, {"template", byDefault}});
  if (gguf.hasArray("tokenizer.chat_templates")) {
    STRATA_TRY(const std::vector<std::string_view> names, gguf.texts("tokenizer.chat_templates"));
    for (const std::string_view name : names) {
      STRATA_TRY(const std::string source, fields.text((kTemplateKey + ("." + std::string(name))).c_str(), ""));
      if (!source.empty()) templates.push_back({{"name", std::string(name)}, {"template", source}});
    }
  }
  return templates;
}

}  // namespace

const char* fileNameOf(GgufTokenizer::Kind kind) {
  switch (kind) {
    case GgufTokenizer::Kind::sentencePiece:
      return "tokenizer.model";
    case GgufTokenizer::Kind::byteLevel:
      return "tokenizer.json";
    case GgufTokenizer::Kind::none:
      break;
  }
  return nullptr;
}

Result<GgufTokenizer::Kind> tokenizerKindOf(const Gguf& gguf) {
  const JsonFields fields = gguf.fields();
  STRATA_TRY(const std::string model, fields.text(kModelKey, "none"));
  if (model == "llama") return GgufTokenizer::Kind::sentencePiece;
  if (model == "gpt2") return GgufTokenizer::Kind::byteLevel;
  if (model == "none" || model == "no_vocab") return GgufTokenizer::Kind::none;
  return fields.refuse(kModelKey, "says " + quotedName(model) + "; supported are llama and gpt2.",
                       ErrorCode::unsupported);
}

Result<GgufTokenizer> tokenizerOf(const Gguf& gguf) {
  GgufTokenizer tokenizer;
  STRATA_TRY(tokenizer.kind, tokenizerKindOf(gguf));
  if (tokenizer.kind == GgufTokenizer::Kind::sentencePiece) {
    STRATA_TRY(tokenizer.file, sentencePieceModel(gguf));
  } else if (tokenizer.kind == GgufTokenizer::Kind::byteLevel) {
    STRATA_TRY(tokenizer.file, tokenizerJson(gguf));
  }
  return tokenizer;
}

Result<Json> tokenizerConfigOf(const Gguf& gguf) {
  STRATA_TRY(const GgufTokenizer::Kind kind, tokenizerKindOf(gguf));
  Json config = Json::object();
  if (kind != GgufTokenizer::Kind::none) {
    const bool sentencePiece = kind == GgufTokenizer::Kind::sentencePiece;
    config["tokenizer_class"] = sentencePiece ? "LlamaTokenizer" : "PreTrainedTokenizerFast";
    STRATA_TRY(const Tokens tokens, tokensOf(gguf));
    STRATA_TRY(const SpecialIds ids, specialsOf(gguf, kind, tokens.texts.size()));
    for (const auto& [key, id] : {std::pair("bos_token", ids.bos), std::pair("eos_token", ids.eos),
                                  std::pair("unk_token", ids.unknown), std::pair("pad_token", ids.padding)}) {
      config[key] = id ? Json::parse(quotedJson(tokens.texts[*id])) : Json();
    }
    config["add_bos_token"] = ids.addsBos;
    config["add_eos_token"] = ids.addsEos;
    if (sentencePiece) config["legacy"] = true;
    config["clean_up_tokenization_spaces"] = false;
  }
  STRATA_TRY(Json templates, chatTemplates(gguf));
  if (templates.size() == 1) {
    config["chat_template"] = templates.front()["template"];
  } else if (!templates.empty()) {
    config["chat_template"] = std::move(templates);
  }
  return config;
}

}  // namespace strata
