#include "core/text/tokenizer.h"

#include <algorithm>
#include <new>

#include "core/base/json.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/utf8.h"

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

Result<AddedSpecials> readAddedSpecials(const fs::path& path) {
  AddedSpecials added;
  std::error_code missing;
  if (!fs::exists(path, missing)) return added;
  STRATA_TRY(const Json config, readJson(path));
  if (!config.is_object()) {
    return fail(ErrorCode::invalidData, path.string() + " must hold a JSON object.", path.string());
  }
  STRATA_TRY(added.bos, readFlag(config, "add_bos_token", added.bos, path));
  STRATA_TRY(added.eos, readFlag(config, "add_eos_token", added.eos, path));
  return added;
}

tl::unexpected<Error> tokenizerJsonUnsupported(const fs::path& path) {
  return fail(ErrorCode::unsupported,
              path.string() +
                  ": tokenizer.json is not supported yet; use a model that has a tokenizer.model, or give "
                  "token ids.",
              path.string());
}

Result<std::unique_ptr<Tokenizer>> open(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return fail(ErrorCode::notFound, "There is no file or folder " + path.string() + ".", path.string());
  }
  if (!fs::is_directory(path, ignored)) {
    if (path.extension() == ".json") return tokenizerJsonUnsupported(path);
    AddedSpecials added;
    if (path.filename() == "tokenizer.model") {
      STRATA_TRY(added, readAddedSpecials(path.parent_path() / "tokenizer_config.json"));
    }
    return openSentencePiece(path, added);
  }
  if (fs::exists(path / "tokenizer.model", ignored)) {
    STRATA_TRY(const AddedSpecials added, readAddedSpecials(path / "tokenizer_config.json"));
    return openSentencePiece(path / "tokenizer.model", added);
  }
  if (fs::exists(path / "tokenizer.json", ignored)) return tokenizerJsonUnsupported(path / "tokenizer.json");
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

TokenStream::TokenStream(const Tokenizer& tokenizer, bool skipSpecial)
    : m_tokenizer(tokenizer), m_skipSpecial(skipSpecial) {}

std::string TokenStream::push(TokenId id) {
  if (m_skipSpecial && m_tokenizer.isSpecial(id)) return {};
  const std::string bytes = m_tokenizer.pieceBytes(id, m_first, m_skipSpecial);
  if (m_first) m_first = m_tokenizer.staysFirst(id);
  if (bytes.empty()) return drain(true);
  m_pending += bytes;
  return drain(false);
}

std::string TokenStream::finish() {
  m_first = true;
  return drain(true);
}

std::string TokenStream::drain(bool all) {
  std::string text;
  std::size_t at = 0;
  while (at < m_pending.size()) {
    const Utf8Char next = readUtf8(std::string_view(m_pending).substr(at));
    if (next.kind == Utf8Char::Kind::incomplete && !all) break;
    if (next.kind == Utf8Char::Kind::valid) {
      text.append(m_pending, at, next.length);
      at += next.length;
    } else {
      text += kReplacementCharacter;
      at += 1;
    }
  }
  m_pending.erase(0, at);
  return text;
}

PromptAndCompletion encodePair(const Tokenizer& tokenizer, std::string_view prompt, std::string_view completion) {
  PromptAndCompletion pair{tokenizer.encode(prompt), {}};
  const std::vector<TokenId> whole = tokenizer.encode(std::string(prompt).append(completion));
  const bool extends =
      whole.size() >= pair.prompt.size() && std::equal(pair.prompt.begin(), pair.prompt.end(), whole.begin());
  if (extends) {
    pair.completion.assign(whole.begin() + static_cast<std::ptrdiff_t>(pair.prompt.size()), whole.end());
  } else {
    pair.completion = tokenizer.encode(completion);
  }
  return pair;
}

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
