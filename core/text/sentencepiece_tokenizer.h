#pragma once
// tokenizer.model: a thin layer over the SentencePiece library, whose encoding and decoding are the reference.

#include <filesystem>
#include <memory>

#include "core/text/tokenizer.h"

namespace strata {

/// What withSpecials() adds: tokenizer_config.json's add_bos_token and add_eos_token.
struct AddedSpecials {
  bool bos = true;
  bool eos = false;
};

Result<std::unique_ptr<Tokenizer>> openSentencePiece(const std::filesystem::path& path, AddedSpecials added);

}  // namespace strata
