#pragma once
// Loss and gradient of the next-token prediction in one visit of the logits, in place:
//   loss = log(sum of e^logits) - logits[target],  gradient = scale (softmax(logits) - onehot(target)).

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

/// logits [rows, V]: read, then overwritten with the gradient, rounded to storage; targets [rows], each 0 … V-1;
/// losses [rows], fp32, from the logits as stored and not multiplied by `scale`. A logit of -inf is a probability of
/// zero. A row that holds NaN or +inf or nothing but -inf, or whose target is out of range, gets a loss and a gradient
/// of NaN; a target whose own logit is -inf gets a loss of +inf.
void softmaxCrossEntropy(Element element, void* logits, const std::int64_t* targets, float scale, float* losses,
                         std::int64_t rows, std::int64_t vocab, const Stream& stream);

namespace reference {
void softmaxCrossEntropy(Element element, void* logits, const std::int64_t* targets, float scale, float* losses,
                         std::int64_t rows, std::int64_t vocab, const Stream& stream);
}

}  // namespace strata::kernels
