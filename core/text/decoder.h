#pragma once
// From tokens back to text, token by token: tokenizer.json's decoder.
//
// A decoder is a chain of steps. Each takes token strings in fragments and hands on what is certain: text as soon as
// nothing that follows can change it, and where a token ends. Decoding a whole text and streaming it are the same code.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/text/component.h"

namespace strata {

class DecoderSink {
 public:
  virtual ~DecoderSink() = default;
  virtual void text(std::string_view fragment) = 0;  // of the token at hand
  virtual void endToken() = 0;
  virtual void finish() = 0;  // no more tokens
};

/// How a run of byte tokens that is no UTF-8 comes out.
enum class ByteRuns {
  whole,   // one U+FFFD for each byte of the run, as the `tokenizers` library decodes; text waits for the run's end
  prompt,  // a character comes with its last byte, whatever follows; U+FFFD for those bytes that belong to none
};

/// One step's configuration; immutable and shared between threads.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// A fresh state of this step (and of the steps inside it) that writes to `out`.
  virtual std::unique_ptr<DecoderSink> start(DecoderSink& out, ByteRuns runs) const = 0;
};

Result<std::unique_ptr<Decoder>> makeDecoder(const Component& component);

/// What the library does without a decoder: tokens with a space between them.
std::unique_ptr<Decoder> spacesBetweenTokens();

}  // namespace strata
