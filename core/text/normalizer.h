#pragma once
// What changes a text before it is split: tokenizer.json's normalizer.

#include <cstddef>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/text/component.h"

namespace strata {

/// A stretch of the given text on its way through the tokenizer.
struct NormalizedText {
  std::string text;           // valid UTF-8
  std::size_t fromStart = 0;  // how many of its first bytes come from the very start of the whole given text
  /// Beyond so many bytes nothing changes the text any more: a file could make it grow without bound.
  std::size_t most = 16u << 20;
};

/// Immutable and shared between threads.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(NormalizedText& text) const = 0;
};

Result<std::unique_ptr<Normalizer>> makeNormalizer(const Component& component);

}  // namespace strata
