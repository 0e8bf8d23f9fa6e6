#include "core/routing/memory.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace strata {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kFloat = 4;                // bytes of fp32
constexpr std::int64_t kBucket = 25 << 20;        // of gradients between ranks, core/distributed/sharded_parameters.h
constexpr std::int64_t kPrefillChunk = 512;       // tokens of a prompt computed at once
constexpr std::int64_t kLogitsBytes = 128 << 20;  // of a chunk of logits, as core/model/loss.cpp cuts them
constexpr std::int64_t kProgram = 220'000'000;    // resident before and beside all tensors of a training run
constexpr std::int64_t kMap = 2 << 20, kLargeFrom = 1 << 20;  // of core/model/memory.cpp

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
  return std::max<std::int64_t>(0, sum({weights, kv, activations, gradients, optimizer, logits, process}) - apart);
}

std::int64_t kvBytes(const SharingMap& map, const ModelShape& shape, std::int64_t tokens, const KvStorage& storage) {
  const std::int64_t head = sum({product({shape.headDim, storage.elementBytes}), storage.scaleBytes});
  return product({map.owners(), 2, shape.kvHeads, head, tokens});
}

MemoryEstimate estimateInference(const ModelShape& shape, const SharingMap& map, std::int64_t context, int users,
                                 int weightBytesPerElement, const KvStorage& storage) {
  const std::int64_t unused = product({map.layers() - map.owners(), kvWidth(shape), shape.width});
  const std::int64_t perToken =
      sum({product({4, shape.width}), product({2, queryWidth(shape)}), kvWidth(shape), product({3, shape.ffn})});
  MemoryEstimate estimate;
  estimate.weights = product({std::max<std::int64_t>(0, shape.parameters - unused), weightBytesPerElement});
  estimate.kv = product({users, kvBytes(map, shape, context, storage)});
  estimate.activations =
      sum({product({std::min(context, kPrefillChunk), perToken, kFloat}), product({users, shape.vocab, kFloat})});
  if (storage.scaleBytes > 0) {
    estimate.activations = sum({estimate.activations, product({kvWidth(shape), context, weightBytesPerElement})});
  }
  return estimate;
}

namespace {

/// What maps of 2 MiB add to the layers' matrices, each of `bytesPerElement`.
std::int64_t roundingOf(const ModelShape& shape, std::int64_t bytesPerElement) {
  const std::int64_t width = shape.width, queries = queryWidth(shape), keys = kvWidth(shape) / 2, ffn = shape.ffn;
  const auto added = [&](std::int64_t count, std::int64_t rows) {
    const std::int64_t bytes = product({rows, width, bytesPerElement});
    return bytes < kLargeFrom || bytes == kMost ? 0 : product({count, (kMap - bytes % kMap) % kMap});
  };
  return product({shape.layers, sum({added(2, queries), added(2, keys), added(3, ffn)})});
}

/// Bytes of the parts of a step that come and go.
struct PassBytes {
  std::int64_t layer = 0;     // what one layer keeps for its backward pass
  std::int64_t kept = 0;      // activations at the loss
  std::int64_t backward = 0;  // gradients within one layer
  std::int64_t logits = 0;
  std::int64_t evaluation = 0;
};

PassBytes passBytes(const ModelShape& shape, const TrainingShape& training, bool lora) {
  const std::int64_t compute = training.computeBytes, tokens = product({training.microBatch, training.length});
  const std::int64_t width = shape.width, queries = queryWidth(shape), keys = kvWidth(shape), ffn = shape.ffn;
  std::int64_t values = sum(
      {product({4, width}), product({2, queries}), keys, product({3, ffn}), product({shape.heads, kFloat / compute})});
  if (shape.qkNorm) values = sum({values, queries, keys / 2});
  if (lora) values = sum({values, product({7, training.lora})});
  if (lora && training.loraDropout)
    values = sum({values, product({10, width}), product({2, queries}), product({2, ffn})});

  PassBytes pass;
  pass.layer = product({tokens, values, compute});
  pass.backward = product({tokens, sum({product({2, ffn}), product({2, width})}), compute});
  const std::int64_t last = product({tokens, 4, width, compute});
  const std::int64_t input = sum({width, training.routed ? keys : 0});
  pass.kept =
      training.checkpointing ? product({shape.layers, tokens, input, compute}) : product({shape.layers, pass.layer});
  pass.kept = sum({pass.kept, last});
  if (training.distill) pass.kept = product({training.teacherTrains ? 2 : 1, pass.kept});

  const std::int64_t rows = std::min(
      tokens,
      std::clamp<std::int64_t>(kLogitsBytes / std::max<std::int64_t>(1, product({shape.vocab, compute})), 16, 1 << 16));
  const std::int64_t chunk = product({rows, shape.vocab}), half = compute < kFloat ? compute : 0;
  pass.logits = product({chunk, training.distill ? (half > 0 ? 3 * half + 5 * kFloat : 7 * kFloat) : compute});
  pass.evaluation = training.evaluates ? sum({pass.layer, last, product({chunk, 2 * kFloat + half})}) : 0;
  return pass;
}

}  // namespace

MemoryEstimate estimateTraining(const ModelShape& shape, const TrainingShape& training) {
  const bool lora = training.trainedParameters < shape.parameters;
  const PassBytes pass = passBytes(shape, training, lora);
  const std::int64_t embedding = lora ? 0 : product({shape.vocab, shape.width, kFloat});
  const std::int64_t trained = product({training.trainedParameters, kFloat});
  MemoryEstimate estimate;
  estimate.weights = sum({trained, lora ? product({shape.parameters, training.computeBytes}) : 0});
  estimate.gradients = sum({trained, shape.tied ? embedding : 0});
  estimate.optimizer = product({2, trained});
  estimate.activations = pass.kept;
  estimate.logits = pass.logits;
  if (training.ranks > 1) estimate.optimizer /= training.ranks;
  const std::int64_t shared = training.ranks > 1 ? trained / training.ranks + 2 * std::min(kBucket, trained) : 0;
  const bool several = training.microBatches > 1;
  const std::int64_t highest = std::max({sum({pass.kept, pass.logits, embedding, several ? trained : 0}),
                                         sum({trained, pass.layer, pass.backward}),
                                         sum({estimate.gradients, several ? embedding : 0}), pass.evaluation});
  estimate.process = sum({kProgram, pass.kept / (lora ? 4 : 2),
                          lora ? roundingOf(shape, training.computeBytes) : product({4, roundingOf(shape, kFloat)})});
  estimate.apart = sum({estimate.gradients, pass.kept, pass.logits}) - highest;
  estimate.gradients = sum({estimate.gradients, shared});
  return estimate;
}

}  // namespace strata
