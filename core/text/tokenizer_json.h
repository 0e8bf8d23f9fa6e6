#pragma once
// tokenizer.json of Hugging Face's `tokenizers` library, for BPE models. Ids and text are the library's own (0.23);
// where a part is not supported the file is refused with that part's name.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/text/tokenizer.h"

namespace strata {

/// The names that tokenizer_config.json gives. Outer nothing: the file or the key is not there; inner: it is null.
struct NamedSpecials {
  std::optional<std::optional<std::string>> bos, eos;
};

/// `name` is the file's in errors.
Result<std::unique_ptr<Tokenizer>> parseTokenizerJson(std::string_view text, const std::string& name,
                                                      const NamedSpecials& named);

}  // namespace strata
