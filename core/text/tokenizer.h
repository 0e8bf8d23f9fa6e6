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

/// What a stream knows of the ids so far.
class TokenStreamState {
 public:
  virtual ~TokenStreamState() = default;
  virtual std::string push(TokenId id) = 0;
  virtual std::string finish() = 0;
};

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
  /// How a text that a chat template wrote is encoded: special tokens' names stand for the tokens in it. A
  /// tokenizer.model never recognises them in a text, and gives another view of itself here; the view lives as long as
  /// the tokenizer.
  virtual const Tokenizer& ofRenderedChats() const { return *this; }
  /// What encodeSegments() needs so as not to encode a text anew for each cut: a place in a text that its ids allow to
  /// start at. For every cut from `validFrom` on, encode(text[:cut]) is the first `ids` ids of encode(text), then
  /// encodeFrom(text[:cut], *this).
  struct Restart {
    std::size_t at = 0, validFrom = 0, ids = 0;
    bool insidePart = false;  // the tokenizer's own note
  };
  /// encode(text), with some of its restarts in order. The text's start is one and need not be given.
  virtual std::vector<TokenId> encodeWithRestarts(std::string_view text, std::vector<Restart>& restarts) const;
  virtual std::vector<TokenId> encodeFrom(std::string_view text, const Restart& restart) const;

  virtual std::optional<TokenId> bosId() const = 0;
  virtual std::optional<TokenId> eosId() const = 0;
  virtual std::int64_t vocabSize() const = 0;

  /// Whether decoding with skipSpecial leaves `id` out.
  virtual bool isSpecial(TokenId) const { return false; }

  /// What a TokenStream runs on. A tokenizer whose tokens are bytes, each for itself, need not write its own: then it
  /// gives the bytes that `id` adds at the start of a text (`first`: SentencePiece drops the first leading space) or
  /// later, "" for an id outside the vocabulary; and whether the id after one at the start still stands there.
  virtual std::unique_ptr<TokenStreamState> startStream(bool skipSpecial) const;
  virtual std::string pieceBytes(TokenId, bool, bool) const { return {}; }
  virtual bool staysFirst(TokenId) const { return false; }
};

/// Incremental decoding: each push returns the text that becomes certain with this id ("" while a UTF-8 character is
/// incomplete); finish() returns what is left and makes the stream new. The pieces and finish() joined equal
/// decode(ids). tokenizer.model: each byte that belongs to no character is one U+FFFD; a control token, which has no
/// text, ends a character that it cuts, a skipped one does not. tokenizer.json: as its decoder says; one exception: a
/// run of byte tokens
/// ("<0xE2>") that is no UTF-8 as a whole is all U+FFFD in decode(ids), while a stream has shown its characters.
class TokenStream {
 public:
  explicit TokenStream(const Tokenizer& tokenizer, bool skipSpecial = false);
  std::string push(TokenId id) { return m_state->push(id); }
  std::string finish() { return m_state->finish(); }

 private:
  std::unique_ptr<TokenStreamState> m_state;
};

/// The tokenizer of a model folder, of a GGUF file or of a single tokenizer's file. nullptr: the folder has neither
/// tokenizer.json nor tokenizer.model, or the GGUF no tokenizer. A folder with both is read by its tokenizer.json, as
/// transformers does (Llama 3's tokenizer.model is tiktoken's and no SentencePiece model); that one's post-processor
/// says which specials withSpecials() adds, whatever tokenizer_config.json says. For a file called tokenizer.model
/// tokenizer_config.json's add_bos_token and add_eos_token do. BOS and EOS: tokenizer.model's own; for tokenizer.json
/// tokenizer_config.json's bos_token and eos_token, without these the first and the last id that the post-processor
/// adds, else the token with a usual name
/// ("<s>", "</s>", …).
Result<std::unique_ptr<Tokenizer>> openTokenizer(const std::filesystem::path& path);

/// A text tokenised so that cuts in it have a place among its ids.
struct SegmentedIds {
  std::vector<TokenId> ids;
  std::vector<std::size_t> idsBefore;  // for each cut, how many ids stand for the text before it
};
/// `cuts` are byte offsets, ascending, at most text.size(). Where a text's own ids up to a cut begin the ids of the
/// whole (nearly always), the whole keeps its ids: so a model is trained on, and scored by, what it would itself go on
/// with. Else the piece between the cut before and this one is tokenised by itself, and what follows starts anew,
/// without the space that a tokenizer may put before a text: the pieces always spell the text.
SegmentedIds encodeSegments(const Tokenizer& tokenizer, std::string_view text, const std::vector<std::size_t>& cuts);

/// A prompt and what follows it: encodeSegments with one cut.
struct PromptAndCompletion {
  std::vector<TokenId> prompt;
  std::vector<TokenId> completion;
};
PromptAndCompletion encodePair(const Tokenizer& tokenizer, std::string_view prompt, std::string_view completion);

/// Splits at lines that are exactly `<|endoftext|>`; without such a line the text is one document. The separator is
/// never part of a document; one newline before it is dropped. There are no empty documents.
std::vector<std::string> splitDocuments(std::string_view text);

}  // namespace strata
