#include "core/text/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

#include "core/base/files.h"
#include "core/text/added_tokens.h"
#include "core/text/sentencepiece_spec.h"

// Exported by the library; its header leaves it out.
namespace sentencepiece::logging {
void SetMinLogLevel(int level);
}

namespace strata {
namespace {

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581 stands for a space in pieces
constexpr std::uint64_t kMaxModelBytes = 512u << 20;
constexpr int kLogNothingBelowFatal = 3;

/// Lines of a token in base64 and its rank: "IQ== 0".
bool isTiktoken(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, std::min(bytes.find('\n'), std::size_t{1024}));
  const std::size_t space = line.find(' ');
  if (space == 0 || space == std::string_view::npos || space % 4 != 0 || space + 1 == line.size()) return false;
  const auto isBase64 = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '=';
  };
  const auto isDigit = [](char c) { return (c >= '0' && c <= '9') || c == '\r'; };
  return std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(space), isBase64) &&
         std::all_of(line.begin() + static_cast<std::ptrdiff_t>(space) + 1, line.end(), isDigit);
}

std::string withSpaces(std::string_view piece) {
  std::string text;
  for (std::size_t at = 0; at < piece.size();) {
    if (piece.substr(at).starts_with(kSpaceSymbol)) {
      text += ' ';
      at += kSpaceSymbol.size();
    } else {
      text += piece[at++];
    }
  }
  return text;
}

using Processor = std::unique_ptr<sentencepiece::SentencePieceProcessor>;

std::vector<TokenId> encodeBy(const sentencepiece::SentencePieceProcessor& processor, std::string_view text) {
  std::vector<TokenId> ids;
  processor.Encode(text, &ids).IgnoreError();  // fails only where the model did not load
  return ids;
}

/// A tokenizer.model that recognises its added tokens and encodes what stands between them.
class RenderedChats final : public Tokenizer {
 public:
  /// `behindSpecials` (null: the tokenizer itself) encodes the text behind a special token.
  RenderedChats(const Tokenizer& tokenizer, std::vector<AddedToken> added, Processor behindSpecials)
      : m_tokenizer(tokenizer), m_finder(std::move(added)), m_behindSpecials(std::move(behindSpecials)) {}

  std::vector<TokenId> encode(std::string_view text, SpecialTokens specials) const override {
    return specials == SpecialTokens::plain ? m_tokenizer.encode(text, specials) : encodeParts(text, 0, nullptr);
  }
  std::vector<TokenId> encodeWithRestarts(std::string_view text, std::vector<Restart>& restarts) const override {
    return encodeParts(text, 0, &restarts);
  }
  std::vector<TokenId> encodeFrom(std::string_view text, const Restart& restart) const override {
    return encodeParts(text, restart.at, nullptr);
  }

  std::vector<TokenId> withSpecials(std::vector<TokenId> ids) const override {
    return m_tokenizer.withSpecials(std::move(ids));
  }
  Result<std::string> decode(const std::vector<TokenId>& ids, bool skipSpecial) const override {
    return m_tokenizer.decode(ids, skipSpecial);
  }
  std::optional<TokenId> bosId() const override { return m_tokenizer.bosId(); }
  std::optional<TokenId> eosId() const override { return m_tokenizer.eosId(); }
  std::int64_t vocabSize() const override { return m_tokenizer.vocabSize(); }
  bool isSpecial(TokenId id) const override { return m_tokenizer.isSpecial(id); }
  std::unique_ptr<TokenStreamState> startStream(bool skipSpecial) const override {
    return m_tokenizer.startStream(skipSpecial);
  }

 private:
  /// From `from` on, which is the text's start or the end of a special token.
  std::vector<TokenId> encodeParts(std::string_view text, std::size_t from, std::vector<Restart>* restarts) const {
    std::vector<AddedTokenFinder::Part> parts;
    m_finder.split(text, SpecialTokens::recognise, parts, from);
    std::vector<TokenId> ids;
    for (const auto& part : parts) {
      if (part.id >= 0) {
        ids.push_back(part.id);
        if (restarts != nullptr) restarts->push_back({part.end, part.end, ids.size(), false});
        continue;
      }
      const std::string_view between = text.substr(part.begin, part.end - part.begin);
      const bool behindSpecial = part.begin > 0 && m_behindSpecials != nullptr;
      const auto piece =
          behindSpecial ? encodeBy(*m_behindSpecials, between) : m_tokenizer.encode(between, SpecialTokens::plain);
      ids.insert(ids.end(), piece.begin(), piece.end());
    }
    return ids;
  }

  const Tokenizer& m_tokenizer;
  AddedTokenFinder m_finder;
  Processor m_behindSpecials;
};

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(Processor processor, SentencePieceOptions options, std::string_view modelBytes,
                         Processor behindSpecials)
      : m_processor(std::move(processor)),
        m_options(options),
        m_cutsAtSpaces(keepsTextAndPrefixesSpace(modelBytes) && noPieceReachesOverSpaces()),
        m_renderedChats(*this, addedTokens(userDefinedPieces(modelBytes)), std::move(behindSpecials)) {}

  std::vector<TokenId> encode(std::string_view text, SpecialTokens) const override {
    return encodeBy(*m_processor, text);
  }

  const Tokenizer& ofRenderedChats() const override { return m_renderedChats; }

  std::vector<TokenId> encodeWithRestarts(std::string_view text, std::vector<Restart>& restarts) const override {
    if (!m_cutsAtSpaces) return encode(text, SpecialTokens::recognise);
    std::vector<TokenId> ids;
    Restart last;
    // Two bytes at least stand behind the space, so that what follows is never an empty text.
    for (std::size_t at = 1; at + 2 < text.size(); ++at) {
      if (text[at] != ' ' || text[at - 1] == ' ' || text.substr(0, at).ends_with(kSpaceSymbol)) continue;
      const std::vector<TokenId> part = encodeFrom(text.substr(0, at), last);
      ids.insert(ids.end(), part.begin(), part.end());
      last = {at, at + 2, ids.size(), true};
      restarts.push_back(last);
    }
    const std::vector<TokenId> part = encodeFrom(text, last);
    ids.insert(ids.end(), part.begin(), part.end());
    return ids;
  }

  // The model puts back the space that is left out.
  std::vector<TokenId> encodeFrom(std::string_view text, const Restart& restart) const override {
    return encode(text.substr(restart.at + (restart.insidePart ? 1 : 0)), SpecialTokens::recognise);
  }

  std::vector<TokenId> withSpecials(std::vector<TokenId> ids) const override {
    if (m_options.addsBos && bosId()) ids.insert(ids.begin(), *bosId());
    if (m_options.addsEos && eosId()) ids.push_back(*eosId());
    return ids;
  }

  Result<std::string> decode(const std::vector<TokenId>& ids, bool skipSpecial) const override {
    std::vector<TokenId> shown;
    shown.reserve(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!inVocabulary(ids[i])) {
        return fail(ErrorCode::invalidData,
                    "Token id " + std::to_string(ids[i]) + " at position " + std::to_string(i) +
                        " is outside the vocabulary of " + std::to_string(vocabSize()) + ".",
                    "ids[" + std::to_string(i) + "]");
      }
      if (!skipSpecial || !isSpecial(ids[i])) shown.push_back(ids[i]);
    }
    std::string text;
    const auto status = m_processor->Decode(shown, &text);
    if (!status.ok()) return fail(ErrorCode::invalidData, "These ids cannot be decoded: " + status.ToString());
    return text;
  }

  std::optional<TokenId> bosId() const override { return given(m_processor->bos_id()); }
  std::optional<TokenId> eosId() const override { return given(m_processor->eos_id()); }
  std::int64_t vocabSize() const override { return m_processor->GetPieceSize(); }

  std::string pieceBytes(TokenId id, bool first, bool skipSpecial) const override {
    if (!inVocabulary(id) || (skipSpecial && isSpecial(id))) return {};
    const std::string& piece = m_processor->IdToPiece(id);
    if (m_processor->IsByte(id)) return byteOf(piece);
    // The library knows whether this model drops a leading space, and how it shows an unknown piece.
    if (first || isSpecial(id)) return decoded({id});
    return withSpaces(piece);
  }

  bool isSpecial(TokenId id) const override {
    return inVocabulary(id) && (m_processor->IsControl(id) || m_processor->IsUnknown(id));
  }

  // A control token has no text whenever it comes; a lone space symbol at the start has none, and shows again when
  // repeated unless the model drops every leading space.
  bool staysFirst(TokenId id) const override {
    return !inVocabulary(id) || (!m_processor->IsByte(id) && decoded({id, id}).empty());
  }

 private:
  bool inVocabulary(TokenId id) const { return id >= 0 && id < m_processor->GetPieceSize(); }

  static std::optional<TokenId> given(int id) { return id < 0 ? std::nullopt : std::optional<TokenId>(id); }

  std::string decoded(const std::vector<TokenId>& ids) const {
    std::string text;
    m_processor->Decode(ids, &text).IgnoreError();
    return text;
  }

  // "<0x0A>" is one raw byte.
  static std::string byteOf(std::string_view piece) {
    unsigned value = 0;
    if (piece.size() == 6) std::from_chars(piece.data() + 3, piece.data() + 5, value, 16);
    return std::string(1, static_cast<char>(value));
  }

  bool noPieceReachesOverSpaces() const {
    for (int id = 0; id < m_processor->GetPieceSize(); ++id) {
      const std::string_view piece = m_processor->IdToPiece(id);
      std::size_t at = 0;
      while (piece.substr(at).starts_with(kSpaceSymbol)) at += kSpaceSymbol.size();
      if (piece.find(kSpaceSymbol, at) != std::string_view::npos || piece.find(' ') != std::string_view::npos)
        return false;
    }
    return true;
  }

  /// What transformers makes tokens of their own of this model's: control tokens and user-defined ones.
  std::vector<AddedToken> addedTokens(const std::vector<int>& userDefined) const {
    std::vector<AddedToken> tokens;
    const auto add = [&](int id) {
      const std::string& content = m_processor->IdToPiece(id);
      if (!content.empty()) tokens.push_back({.content = content, .id = id, .special = isSpecial(id)});
    };
    for (const int id : userDefined) add(id);
    for (int id = 0; id < m_processor->GetPieceSize(); ++id) {
      if (isSpecial(id)) add(id);
    }
    return tokens;
  }

  Processor m_processor;
  SentencePieceOptions m_options;
  bool m_cutsAtSpaces;
  RenderedChats m_renderedChats;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> openSentencePiece(const std::filesystem::path& path, SentencePieceOptions options) {
  STRATA_TRY(const std::string bytes, readFile(path, kMaxModelBytes));
  return parseSentencePiece(bytes, path.string(), options);
}

Result<std::unique_ptr<Tokenizer>> parseSentencePiece(const std::string& bytes, const std::string& name,
                                                      SentencePieceOptions options) {
  if (isTiktoken(bytes)) {
    return fail(
        ErrorCode::unsupported,
        name + " is a tiktoken vocabulary, not a SentencePiece model; put the model's tokenizer.json beside it.", name);
  }
  sentencepiece::logging::SetMinLogLevel(kLogNothingBelowFatal);
  const auto load = [](const std::string& model) -> Processor {
    auto processor = std::make_unique<sentencepiece::SentencePieceProcessor>();
    try {
      if (!processor->LoadFromSerializedProto(model).ok() || processor->GetPieceSize() <= 0) return nullptr;
    } catch (const std::exception&) {  // pieces of which the library can make no trie
      return nullptr;
    }
    return processor;
  };
  Processor processor = bytes.empty() || !isSafeToLoad(bytes) ? nullptr : load(bytes);
  if (processor == nullptr) {
    return fail(ErrorCode::invalidData, name + " is not a whole SentencePiece model; get it again from its source.",
                name);
  }
  Processor behindSpecials = options.legacy ? nullptr : load(withoutPrefixedSpace(bytes));
  return std::make_unique<SentencePieceTokenizer>(std::move(processor), options, bytes, std::move(behindSpecials));
}

}  // namespace strata
