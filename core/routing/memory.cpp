#include "core/routing/memory.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace strata {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kFloat = 4;           // bytes of fp32
constexpr std::int64_t kPrefillChunk = 512;  // tokens of a prompt computed at once
constexpr std::int64_t kLogitsChunk = 512;   // rows of logits held at once while training

/// Products and sums that stop at the largest number: shapes come from files, and a wrong one must not wrap around.
std::int64_t product(std::initializer_list<std::int64_t> factors) {
  std::int64_t result = 1;
  for (const std::int64_t factor : factors) {
    if (__builtin_mul_overflow(result, factor, &result)) return kMost;
  }
  return result;
}

std::int64_t sum(std::initializer_list<std::int64_t> terms) {
  std::int64_t result = 0;
  for (const std::int64_t term : terms) {
    if (__builtin_add_overflow(result, term, &result)) return kMost;
  }
  return result;
}

std::int64_t queryWidth(const ModelShape& shape) {
  return product({shape.heads, shape.headDim});
}

std::int64_t kvWidth(const ModelShape& shape) {
  return product({2, shape.kvHeads, shape.headDim});
}

}  // namespace

std::int64_t MemoryEstimate::total() const {
  return sum({weights, kv, activations, gradients, optimizer});
}

std::int64_t kvBytes(const SharingMap& map, const ModelShape& shape, std::int64_t tokens, int bytesPerElement) {
  return product({map.owners(), kvWidth(shape), tokens, bytesPerElement});
}

MemoryEstimate estimateInference(const ModelShape& shape, const SharingMap& map, std::int64_t context, int users,
                                 int weightBytesPerElement, int kvBytesPerElement) {
  const std::int64_t unused = product({map.layers() - map.owners(), kvWidth(shape), shape.width});
  const std::int64_t perToken =
      sum({product({4, shape.width}), product({2, queryWidth(shape)}), kvWidth(shape), product({3, shape.ffn})});
  MemoryEstimate estimate;
  estimate.weights = product({std::max<std::int64_t>(0, shape.parameters - unused), weightBytesPerElement});
  estimate.kv = product({users, kvBytes(map, shape, context, kvBytesPerElement)});
  estimate.activations =
      sum({product({std::min(context, kPrefillChunk), perToken, kFloat}), product({users, shape.vocab, kFloat})});
  return estimate;
}

MemoryEstimate estimateTraining(const ModelShape& shape, const TrainingShape& training) {
  const bool lora = training.trainedParameters < shape.parameters;
  const std::int64_t compute = training.computeBytes;
  const std::int64_t copy = compute < kFloat ? compute : 0;
  const std::int64_t perLayer =
      sum({product({5, shape.width}), product({2, queryWidth(shape)}), kvWidth(shape), product({4, shape.ffn})});
  const std::int64_t elements = training.checkpointing
                                    ? sum({product({shape.layers, sum({shape.width, kvWidth(shape)})}), perLayer})
                                    : product({shape.layers, perLayer});
  const std::int64_t tokens = product({training.microBatch, training.length});
  MemoryEstimate estimate;
  estimate.weights =
      sum({product({training.trainedParameters, kFloat + copy}), lora ? product({shape.parameters, compute}) : 0});
  estimate.gradients = product({training.trainedParameters, kFloat});
  estimate.optimizer = product({training.trainedParameters, 2, kFloat});
  estimate.activations =
      sum({product({tokens, elements, compute}), product({2, std::min(tokens, kLogitsChunk), shape.vocab, kFloat})});
  return estimate;
}

}  // namespace strata
