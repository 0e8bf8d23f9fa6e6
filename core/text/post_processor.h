#pragma once
// The tokens around a text: tokenizer.json's post_processor.

#include <vector>

#include "core/base/error.h"
#include "core/text/component.h"
#include "core/text/tokenizer.h"

namespace strata {

struct Surroundings {
  std::vector<TokenId> before, after;
};

/// Refused: a template that does not hold its text exactly once.
Result<Surroundings> readPostProcessor(const Component& component);

}  // namespace strata
