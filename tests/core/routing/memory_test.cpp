#include "core/routing/memory.h"

#include <limits>

#include "support.h"

namespace strata {
namespace {

ModelShape shape() {
  ModelShape model;
  model.layers = 4;
  model.width = 32;
  model.heads = 4;
  model.kvHeads = 2;
  model.headDim = 8;
  model.ffn = 64;
  model.vocab = 100;
  model.parameters = 50000;
  return model;
}

TEST(Memory, KvBytesCountOwnersOnly) {
  // 2 (K and V) · 2 heads · 8 · 10 tokens · 4 bytes = 1280 for each owner.
  EXPECT_EQ(kvBytes(SharingMap::full(4), shape(), 10, 4), 4 * 1280);
  EXPECT_EQ(kvBytes(*parseMap("stride:2", 4), shape(), 10, 4), 2 * 1280);
  EXPECT_EQ(kvBytes(*parseMap("even:1", 4), shape(), 10, 2), 640);
  EXPECT_EQ(kvBytes(SharingMap::full(4), shape(), 0, 4), 0);
}

TEST(Memory, ServingLeavesOutTheProjectionsOfFollowers) {
  const auto full = estimateInference(shape(), SharingMap::full(4), 100, 3, 2, 2);
  const auto half = estimateInference(shape(), *parseMap("stride:2", 4), 100, 3, 2, 2);
  EXPECT_EQ(full.weights, 100000);
  EXPECT_EQ(full.weights - half.weights,
            2 * (2 * 2 * 8 * 32) * 2);  // two followers, k_proj and v_proj [16, 32] in bf16
  EXPECT_EQ(full.kv, 3 * kvBytes(SharingMap::full(4), shape(), 100, 2));
  EXPECT_EQ(half.kv * 2, full.kv);
  EXPECT_EQ(full.gradients + full.optimizer, 0);
  EXPECT_EQ(full.total(), full.weights + full.kv + full.activations);
}

TEST(Memory, TrainingCountsMastersGradientsAndMoments) {
  TrainingShape training{2, 16, 4, 50000, false};
  const auto full = estimateTraining(shape(), training);
  EXPECT_EQ(full.weights, 200000);
  EXPECT_EQ(full.gradients, 200000);
  EXPECT_EQ(full.optimizer, 400000);
  training.computeBytes = 2;
  EXPECT_EQ(estimateTraining(shape(), training).weights, 300000);
  training.trainedParameters = 1000;  // a LoRA over frozen bf16 weights
  const auto lora = estimateTraining(shape(), training);
  EXPECT_EQ(lora.weights, 100000 + 1000 * 6);
  EXPECT_EQ(lora.gradients, 4000);
  EXPECT_EQ(lora.optimizer, 8000);
}

TEST(Memory, CheckpointingKeepsLayerInputsAndTheirKv) {
  TrainingShape training{2, 16, 4, 50000, false};
  const auto kept = estimateTraining(shape(), training).activations;
  training.checkpointing = true;
  const auto recomputed = estimateTraining(shape(), training).activations;
  const std::int64_t layer = 5 * 32 + 2 * 32 + 32 + 4 * 64;  // A of the header's formula
  const std::int64_t logits = 2 * 32 * 100 * 4;
  EXPECT_EQ(kept, 32 * 4 * layer * 4 + logits);
  EXPECT_EQ(recomputed, 32 * (4 * (32 + 32) + layer) * 4 + logits);
}

TEST(Memory, EstimatesStopAtTheLargestNumber) {
  ModelShape model = shape();
  model.kvHeads = model.headDim = model.width = model.ffn = std::numeric_limits<int>::max();
  model.parameters = std::numeric_limits<std::int64_t>::max();
  const auto map = SharingMap::full(4);
  EXPECT_EQ(kvBytes(map, model, std::numeric_limits<std::int64_t>::max(), 4), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(estimateInference(model, map, 1 << 20, 8, 4, 4).total(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(estimateTraining(model, {8, 4096, 4, model.parameters, false}).total(),
            std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace strata
