#include "core/text/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

#include <charconv>
#include <utility>

#include "core/base/files.h"

// Exported by the library; its header leaves it out.
namespace sentencepiece::logging {
void SetMinLogLevel(int level);
}

namespace strata {
namespace {

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581 stands for a space in pieces
constexpr std::uint64_t kMaxModelBytes = 512u << 20;
constexpr int kLogNothingBelowFatal = 3;

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

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(std::unique_ptr<sentencepiece::SentencePieceProcessor> processor, AddedSpecials added)
      : m_processor(std::move(processor)), m_added(added) {}

  std::vector<TokenId> encode(std::string_view text, SpecialTokens) const override {
    std::vector<TokenId> ids;
    m_processor->Encode(text, &ids).IgnoreError();  // fails only where the model did not load
    return ids;
  }

  std::vector<TokenId> withSpecials(std::vector<TokenId> ids) const override {
    if (m_added.bos && bosId()) ids.insert(ids.begin(), *bosId());
    if (m_added.eos && eosId()) ids.push_back(*eosId());
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

  std::unique_ptr<sentencepiece::SentencePieceProcessor> m_processor;
  AddedSpecials m_added;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> openSentencePiece(const std::filesystem::path& path, AddedSpecials added) {
  STRATA_TRY(const std::string bytes, readFile(path, kMaxModelBytes));
  sentencepiece::logging::SetMinLogLevel(kLogNothingBelowFatal);
  auto processor = std::make_unique<sentencepiece::SentencePieceProcessor>();
  if (bytes.empty() || !processor->LoadFromSerializedProto(bytes).ok() || processor->GetPieceSize() <= 0) {
    return fail(ErrorCode::invalidData,
                path.string() + " is not a whole SentencePiece model; copy tokenizer.model again from its source.",
                path.string());
  }
  return std::make_unique<SentencePieceTokenizer>(std::move(processor), added);
}

}  // namespace strata
