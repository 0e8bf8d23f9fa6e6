#include "core/text/tokenizer.h"

#include <algorithm>
#include <new>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/checkpoint/gguf_tokenizer.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/tokenizer_json.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

Result<bool> readFlag(const Json& config, const char* key, bool byDefault, const fs::path& path) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return byDefault;
  if (!found->is_boolean()) {
    return fail(ErrorCode::invalidData, path.string() + ": \"" + key + "\" must be true or false.", path.string());
  }
  return found->get<bool>();
}

Result<SentencePieceOptions> readSentencePieceOptions(const fs::path& path) {
  SentencePieceOptions options;
  std::error_code missing;
  if (!fs::exists(path, missing)) return options;
  STRATA_TRY(const Json config, readJson(path));
  if (!config.is_object()) {
    return fail(ErrorCode::invalidData, path.string() + " must hold a JSON object.", path.string());
  }
  STRATA_TRY(options.addsBos, readFlag(config, "add_bos_token", options.addsBos, path));
  STRATA_TRY(options.addsEos, readFlag(config, "add_eos_token", options.addsEos, path));
  STRATA_TRY(options.legacy, readFlag(config, "legacy", options.legacy, path));
  return options;
}

constexpr std::uint64_t kMaxTokenizerBytes = 256u << 20;

/// A token's name: a string, or an object with its "content".
Result<std::optional<std::optional<std::string>>> readName(const Json& config, const char* key, const fs::path& path) {
  using Name = std::optional<std::optional<std::string>>;
  const auto found = config.find(key);
  if (found == config.end()) return Name();
  if (found->is_null()) return Name(std::in_place);
  if (found->is_string()) return Name(found->get<std::string>());
  if (found->is_object() && found->contains("content") && (*found)["content"].is_string()) {
    return Name((*found)["content"].get<std::string>());
  }
  return fail(ErrorCode::invalidData, path.string() + ": \"" + key + "\" must be a token or null.", path.string());
}

Result<NamedSpecials> readNamedSpecials(const fs::path& path) {
  NamedSpecials named;
  std::error_code missing;
  if (!fs::exists(path, missing)) return named;
  STRATA_TRY(const Json config, readJson(path));
  if (!config.is_object()) {
    return fail(ErrorCode::invalidData, path.string() + " must hold a JSON object.", path.string());
  }
  STRATA_TRY(named.bos, readName(config, "bos_token", path));
  STRATA_TRY(named.eos, readName(config, "eos_token", path));
  return named;
}

Result<std::unique_ptr<Tokenizer>> openTokenizerJson(const fs::path& path) {
  STRATA_TRY(const std::string text, readFile(path, kMaxTokenizerBytes));
  STRATA_TRY(const NamedSpecials named, readNamedSpecials(path.parent_path() / "tokenizer_config.json"));
  return parseTokenizerJson(text, path.string(), named);
}

Result<std::unique_ptr<Tokenizer>> openGgufTokenizer(const fs::path& path) {
  STRATA_TRY(const Gguf gguf, Gguf::open(path));
  STRATA_TRY(const GgufTokenizer stored, tokenizerOf(gguf));
  if (stored.kind == GgufTokenizer::Kind::none) return nullptr;
  STRATA_TRY(const Json config, tokenizerConfigOf(gguf));
  if (stored.kind == GgufTokenizer::Kind::sentencePiece) {
    SentencePieceOptions options;
    STRATA_TRY(options.addsBos, readFlag(config, "add_bos_token", true, path));
    STRATA_TRY(options.addsEos, readFlag(config, "add_eos_token", false, path));
    return parseSentencePiece(stored.file, path.string(), options);
  }
  NamedSpecials named;
  STRATA_TRY(named.bos, readName(config, "bos_token", path));
  STRATA_TRY(named.eos, readName(config, "eos_token", path));
  return parseTokenizerJson(stored.file, path.string(), named);
}

Result<std::unique_ptr<Tokenizer>> open(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return fail(ErrorCode::notFound, "There is no file or folder " + path.string() + ".", path.string());
  }
  if (!fs::is_directory(path, ignored)) {
    if (path.extension() == ".json") return openTokenizerJson(path);
    if (isGgufFile(path)) return openGgufTokenizer(path);
    SentencePieceOptions options;
    if (path.filename() == "tokenizer.model") {
      STRATA_TRY(options, readSentencePieceOptions(path.parent_path() / "tokenizer_config.json"));
    }
    return openSentencePiece(path, options);
  }
  if (fs::exists(path / "tokenizer.json", ignored)) return openTokenizerJson(path / "tokenizer.json");
  if (fs::exists(path / "tokenizer.model", ignored)) {
    STRATA_TRY(const SentencePieceOptions options, readSentencePieceOptions(path / "tokenizer_config.json"));
    return openSentencePiece(path / "tokenizer.model", options);
  }
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> openTokenizer(const fs::path& path) {
  try {
    return open(path);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, "The memory does not suffice for the tokenizer " + path.string() + ".",
                path.string());
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, path.string() + ": the tokenizer cannot be opened: " + exception.what(),
                path.string());
  }
}

TokenStream::TokenStream(const Tokenizer& tokenizer, bool skipSpecial) : m_state(tokenizer.startStream(skipSpecial)) {}

std::vector<std::string> splitDocuments(std::string_view text) {
  constexpr std::string_view kSeparator = "<|endoftext|>";
  std::vector<std::string> documents;
  const auto keep = [&](std::string_view document) {
    if (!document.empty()) documents.emplace_back(document);
  };
  std::size_t documentStart = 0;
  for (std::size_t lineStart = 0; lineStart < text.size();) {
    const std::size_t newline = text.find('\n', lineStart);
    const std::size_t lineEnd = newline == std::string_view::npos ? text.size() : newline;
    const std::size_t next = newline == std::string_view::npos ? text.size() : newline + 1;
    std::string_view line = text.substr(lineStart, lineEnd - lineStart);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == kSeparator) {
      std::string_view document = text.substr(documentStart, lineStart - documentStart);
      if (document.ends_with('\n')) document.remove_suffix(1);
      if (document.ends_with('\r')) document.remove_suffix(1);
      keep(document);
      documentStart = next;
    }
    lineStart = next;
  }
  keep(text.substr(documentStart));
  return documents;
}

}  // namespace strata
