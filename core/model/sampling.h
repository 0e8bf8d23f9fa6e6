#pragma once
// The next token from a row of logits: repetition penalty, temperature, top-k, top-p, min-p, in this order, then a
// counter-based draw.

#include <cstdint>
#include <span>
#include <vector>

#include "core/config/generate_config.h"
#include "core/text/tokenizer.h"

namespace strata {

/// logits [V]; `history`: prompt and generated ids (for the penalty: positive logits are divided, negative multiplied,
/// Keskar et al. arXiv 1909.05858). `index`: number of this token in the answer, `row`: sequence of the batch; with the
/// seed they fix the draw. temperature 0: the largest logit, the lowest id on a tie. -1 where the logits are not
/// finite.
TokenId sampleToken(std::span<const float> logits, const GenerateConfig& config, const std::vector<TokenId>& history,
                    std::uint32_t index, std::uint32_t row = 0);

}  // namespace strata
