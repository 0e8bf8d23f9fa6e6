#pragma once
// Text to token ids and back.
//
//   STRATA_TRY(auto tokenizer, openTokenizer(modelFolder));
//   tokenizer->encode("Once upon a time")                  // no added specials
//   TokenStream stream(*tokenizer); stream.push(id)        // what to print now
// Tokenizers are immutable and safe to share; a TokenStream belongs to one thread.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace strata {

using TokenId = std::int32_t;

enum class SpecialTokens { recognise, plain };

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual std::vector<TokenId> encode(std::string_view text,
                                      SpecialTokens specials = SpecialTokens::recognise) const = 0;
  /// The ids that go before and after a text: of tokenizer.json's post-processor, or BOS by add_bos_token (default
  /// true).
  virtual std::vector<TokenId> withSpecials(std::vector<TokenId> ids) const = 0;
  /// An id outside the vocabulary is an error naming it.
  virtual Result<std::string> decode(const std::vector<TokenId>& ids, bool skipSpecial = false) const = 0;
  virtual std::optional<TokenId> bosId() const = 0;
  virtual std::optional<TokenId> eosId() const = 0;
  virtual std::int64_t vocabSize() const = 0;

  /// What a stream needs. The raw bytes that `id` adds at the start of a text (`first`: SentencePiece drops the first
  /// leading space) or later; U+FFFD handling is the stream's. "" for an id outside the vocabulary.
  virtual std::string pieceBytes(TokenId id, bool first, bool skipSpecial) const = 0;
  /// Whether decoding with skipSpecial leaves `id` out.
  virtual bool isSpecial(TokenId) const { return false; }
  /// Whether the id after `id` still stands at the start of the text. Asked only for an id that stands there itself.
  virtual bool staysFirst(TokenId) const { return false; }
};

/// Incremental decoding: each push returns the text that becomes certain with this id ("" while a UTF-8 character is
/// incomplete); finish() returns what is left and makes the stream new. Each byte that belongs to no character is one
/// U+FFFD. A token without text (SentencePiece's control tokens) ends a character that it cuts, a skipped one does not.
/// The pieces and finish() joined equal decode(ids).
class TokenStream {
 public:
  explicit TokenStream(const Tokenizer& tokenizer, bool skipSpecial = false);
  std::string push(TokenId id);
  std::string finish();

 private:
  std::string drain(bool all);

  const Tokenizer& m_tokenizer;
  bool m_skipSpecial;
  bool m_first = true;
  std::string m_pending;  // bytes of an incomplete character
};

/// The tokenizer of a model folder or of a single file. nullptr: the folder has neither tokenizer.model nor
/// tokenizer.json. Beside a file called tokenizer.model, tokenizer_config.json says which specials it adds.
/// Only tokenizer.model (SentencePiece) is read so far: a tokenizer.json alone gives ErrorCode::unsupported.
Result<std::unique_ptr<Tokenizer>> openTokenizer(const std::filesystem::path& path);

/// A prompt and what follows it, tokenised so that the boundary is exact.
struct PromptAndCompletion {
  std::vector<TokenId> prompt;
  std::vector<TokenId> completion;
};
/// The completion's ids are those it has in the whole text where the prompt's own ids begin that (nearly always: so a
/// model is trained on, and scored by, what it would itself go on with); else each part is tokenised by itself.
PromptAndCompletion encodePair(const Tokenizer& tokenizer, std::string_view prompt, std::string_view completion);

/// Splits at lines that are exactly `<|endoftext|>`; without such a line the text is one document. The separator is
/// never part of a document; one newline before it is dropped. There are no empty documents.
std::vector<std::string> splitDocuments(std::string_view text);

}  // namespace strata
