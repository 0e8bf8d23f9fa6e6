#pragma once
// Tensors of one micro-batch, made on the host: ids, positions, first keys, and index tensors of what is trained on.

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/data/dataset.h"

namespace strata {

struct Batch {
  at::Tensor ids;         // int64 [B, T]
  at::Tensor positions;   // int64 [T] where all rows count 0 … T-1, else [B, T]
  at::Tensor first;       // int32 [B, T]: the first key that a position reads, undefined where it is 0 for all
  at::Tensor predicting;  // int64 [N]: flat positions whose next token is trained on
  at::Tensor targets;     // int64 [N]
};

Batch makeBatch(const std::vector<PackedSequence>& sequences, std::size_t begin, std::size_t end, c10::Device device);

/// Positions of `sequences` that count in the loss.
std::int64_t trainedTokens(const std::vector<PackedSequence>& sequences, std::size_t begin, std::size_t end);

/// Positions of `sequences` that hold no token of a row.
std::int64_t paddingTokens(const std::vector<PackedSequence>& sequences);

}  // namespace strata
