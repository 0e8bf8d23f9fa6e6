#pragma once
// The tokenizer and chat template in a GGUF file's metadata, as the files of a Hugging Face folder.

#include <string>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/checkpoint/gguf.h"

namespace strata {

struct GgufTokenizer {
  enum class Kind { none, sentencePiece, byteLevel };
  Kind kind = Kind::none;
  std::string file;  // the bytes of a tokenizer.model or tokenizer.json
};
/// "tokenizer.model" or "tokenizer.json"; nullptr for none.
const char* fileNameOf(GgufTokenizer::Kind kind);

/// By tokenizer.ggml.model: "llama" is SentencePiece's BPE, "gpt2" byte-level BPE, "none" (or no key) no tokenizer.
/// Others are refused.
Result<GgufTokenizer::Kind> tokenizerKindOf(const Gguf& gguf);

/// Refused, naming the key: lists that are missing or of different lengths, ids outside them, an unknown
/// pre-tokenizer.
Result<GgufTokenizer> tokenizerOf(const Gguf& gguf);

/// tokenizer_config.json's content: the special tokens' names, whether BOS and EOS are added, the chat templates.
Result<Json> tokenizerConfigOf(const Gguf& gguf);

}  // namespace strata
