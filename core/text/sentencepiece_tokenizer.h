#pragma once
// tokenizer.model: a thin layer over the SentencePiece library, whose encoding and decoding are the reference.

#include <filesystem>
#include <memory>
#include <string>

#include "core/text/tokenizer.h"

namespace strata {

/// tokenizer_config.json's add_bos_token and add_eos_token (what withSpecials() adds), and legacy: whether the text
/// behind a special token of a rendered chat begins with a space of its own, as transformers has it.
struct SentencePieceOptions {
  bool addsBos = true;
  bool addsEos = false;
  bool legacy = true;
};

/// The bytes of a tokenizer.model; `name` is the file's in errors.
Result<std::unique_ptr<Tokenizer>> parseSentencePiece(const std::string& bytes, const std::string& name,
                                                      SentencePieceOptions options);
Result<std::unique_ptr<Tokenizer>> openSentencePiece(const std::filesystem::path& path, SentencePieceOptions options);

}  // namespace strata
