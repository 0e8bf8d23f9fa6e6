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

TEST(Memory, ACacheOf8BitsHasAScaleForEachPositionOfEachHead) {
  // 2 (K and V) · 2 heads · (8 codes + a scale of 2 bytes) · 10 tokens = 400 for each owner.
  for (const KvFormat format : {KvFormat::int8, KvFormat::fp8}) {
    EXPECT_EQ(kvBytes(SharingMap::full(4), shape(), 10, kvStorage(format, 4)), 4 * 400);
    EXPECT_EQ(kvBytes(*parseMap("even:1", 4), shape(), 10, kvStorage(format, 2)), 400);
    const auto plain = estimateInference(shape(), SharingMap::full(4), 100, 3, 2, 2);
    const auto rounded = estimateInference(shape(), SharingMap::full(4), 100, 3, 2, kvStorage(format, 2));
    EXPECT_EQ(rounded.kv, 3 * 4 * 4000);
    EXPECT_EQ(rounded.activations - plain.activations, 2 * 2 * 8 * 100 * 2) << "a layer's keys and values, read back";
  }
  EXPECT_EQ(kvBytes(SharingMap::full(4), shape(), 10, kvStorage(KvFormat::plain, 4)), 4 * 1280);
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
  TrainingShape training{.microBatch = 2, .length = 16, .trainedParameters = 50000};
  const auto full = estimateTraining(shape(), training);
  EXPECT_EQ(full.weights, 200000);
  EXPECT_EQ(full.gradients, 200000);
  EXPECT_EQ(full.optimizer, 400000);
  training.computeBytes = 2;
  EXPECT_EQ(estimateTraining(shape(), training).weights, 200000) << "copies in bf16 come and go";
  training.trainedParameters = 1000;  // a LoRA over frozen bf16 weights
  const auto lora = estimateTraining(shape(), training);
  EXPECT_EQ(lora.weights, 100000 + 1000 * 4);
  EXPECT_EQ(lora.gradients, 4000);
  EXPECT_EQ(lora.optimizer, 8000);
}

TEST(Memory, EachOfSeveralRanksHasItsShareOfTheMomentsAndBuckets) {
  TrainingShape training{.microBatch = 2, .length = 16, .trainedParameters = 50000};
  const auto alone = estimateTraining(shape(), training);
  training.ranks = 4;
  const auto one = estimateTraining(shape(), training);
  EXPECT_EQ(one.weights, alone.weights);
  EXPECT_EQ(one.optimizer, alone.optimizer / 4);
  EXPECT_EQ(one.gradients, alone.gradients + 200000 / 4 + 2 * 200000);  // smaller than a bucket
  EXPECT_EQ(one.total(), alone.total() - 300000 + 450000);
}

TEST(Memory, AHeadThatIsTheEmbeddingHasTwoGradients) {
  ModelShape tied = shape();
  tied.tied = true;
  const TrainingShape training{.microBatch = 2, .length = 16, .trainedParameters = 50000};
  EXPECT_EQ(estimateTraining(tied, training).gradients, 200000 + 100 * 32 * 4);
}

TEST(Memory, CheckpointingKeepsLayerInputsAndTheKvThatIsBorrowed) {
  TrainingShape training{.microBatch = 2, .length = 16, .trainedParameters = 50000};
  const std::int64_t tokens = 32, last = tokens * 4 * 32 * 4;
  const std::int64_t layer = 4 * 32 + 2 * 32 + 32 + 3 * 64 + 4;  // A of the header's formula
  const auto kept = estimateTraining(shape(), training);
  EXPECT_EQ(kept.activations, tokens * 4 * layer * 4 + last);
  EXPECT_EQ(kept.logits, tokens * 100 * 4) << "in one chunk, whose product is the gradient of the head";
  training.checkpointing = true;
  EXPECT_EQ(estimateTraining(shape(), training).activations, tokens * 4 * (32 + 32) * 4 + last);
  training.routed = false;
  EXPECT_EQ(estimateTraining(shape(), training).activations, tokens * 4 * 32 * 4 + last);
  EXPECT_EQ(estimateTraining(shape(), training).logits, kept.logits);
}

TEST(Memory, DistillationKeepsASecondPassWhereTheTeacherTrains) {
  TrainingShape training{.microBatch = 2, .length = 16, .trainedParameters = 50000};
  const auto plain = estimateTraining(shape(), training);
  training.distill = true;
  const auto taught = estimateTraining(shape(), training);
  EXPECT_EQ(taught.activations, 2 * plain.activations);
  EXPECT_EQ(taught.logits - plain.logits, 6 * 32 * 100 * 4);
  training.teacherTrains = false;
  EXPECT_EQ(estimateTraining(shape(), training).activations, plain.activations);
}

TEST(Memory, TheTotalIsThatOfTheHighestMoment) {
  TrainingShape training{.microBatch = 2, .length = 32, .trainedParameters = 50000};
  const auto one = estimateTraining(shape(), training);
  const std::int64_t embedding = 100 * 32 * 4;
  EXPECT_EQ(one.total() - one.process, one.weights + one.optimizer + one.activations + one.logits + embedding)
      << "the loss: no gradients of layers yet";
  training.microBatches = 2;
  const auto two = estimateTraining(shape(), training);
  EXPECT_EQ(two.total() - one.total(), one.gradients) << "those of the first micro-batch stay";
  training.length = 1;
  training.microBatches = 1;
  const auto small = estimateTraining(shape(), training);
  EXPECT_LT(small.activations + small.logits, small.gradients);
  EXPECT_GE(small.total() - small.process, small.weights + small.optimizer + small.gradients)
      << "the end of the backward pass";
}

TEST(Memory, LogitsComeInChunks) {
  ModelShape large = shape();
  large.vocab = 32000;
  TrainingShape training{.microBatch = 8, .length = 1024, .trainedParameters = 1000};
  EXPECT_EQ(estimateTraining(large, training).logits, 1048 * 32000 * 4LL);
  training.computeBytes = 2;
  EXPECT_EQ(estimateTraining(large, training).logits, 2097 * 32000 * 2LL);
  training.trainedParameters = large.parameters;
  EXPECT_EQ(estimateTraining(large, training).logits, 2097 * 32000 * 2LL)
      << "the products of a chunk are added to the head's gradient where it lies";
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
