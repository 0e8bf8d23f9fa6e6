// Memory by formula beside memory measured: steps of real training, by the counts of our own allocator.

#include "core/model/memory.h"

#include "core/routing/memory.h"
#include "small_training.h"

namespace strata::testing {
namespace {

const bool kInstalled = (installAllocator(), true);  // before the first tensor

struct MemoryCase {
  const char* name;
  ModelConfig (*model)();
  int lora = 0;
  bool checkpointing = false;
  bool packed = false;  // rows of several lengths, with padding
  int batch = 8;
  int microBatch = 8;
  const char* dtype = "float32";
  bool distill = false;
};

void PrintTo(const MemoryCase& value, std::ostream* out) {
  *out << value.name;
}

ModelConfig modelOf(int layers, int width, int heads, int kvHeads, int headDim, int ffn, int vocab) {
  const Json json = {{"architectures", {"LlamaForCausalLM"}},
                     {"model_type", "llama"},
                     {"hidden_size", width},
                     {"intermediate_size", ffn},
                     {"num_hidden_layers", layers},
                     {"num_attention_heads", heads},
                     {"num_key_value_heads", kvHeads},
                     {"head_dim", headDim},
                     {"vocab_size", vocab},
                     {"max_position_embeddings", 128},
                     {"rms_norm_eps", 1e-5},
                     {"tie_word_embeddings", true}};
  return parseModelConfig(json, "test").value();
}
/// The shape of the sample models: 5 M parameters.
ModelConfig sample() {
  return modelOf(12, 192, 6, 2, 32, 512, 4096);
}
ModelConfig of15M() {
  return modelOf(6, 288, 6, 6, 48, 768, 32000);
}
ModelConfig of110M() {
  return modelOf(12, 768, 12, 12, 64, 2048, 32000);
}

constexpr int kLength = 128;

Dataset rowsFor(const MemoryCase& test, std::int64_t vocab) {
  std::vector<Row> rows;
  for (int r = 0; r < 40; ++r) {
    Row row;
    const int tokens = test.packed ? kLength / 4 + (r * 7) % (kLength / 3) : kLength;
    for (int i = 0; i < tokens; ++i) row.ids.push_back(static_cast<TokenId>((r * 31 + i * i * 5 + i) % vocab));
    row.trained.assign(row.ids.size(), true);
    rows.push_back(std::move(row));
  }
  return Dataset::fromRows(std::move(rows), kLength, test.packed);
}

TrainConfig configOf(const MemoryCase& test) {
  TrainConfig config;
  config.batch = test.batch;
  config.microBatch = test.microBatch;
  config.routingGroups = 1;
  config.length = kLength;
  config.lora = test.lora;
  config.checkpointing = test.checkpointing;
  config.dtype = test.dtype;
  config.distill = test.distill;
  config.sampler = "uniform";
  config.pCross = 0.5;
  return config;
}

Weights weightsOf(const ModelConfig& model, const TrainConfig& config) {
  Weights weights = initialWeights(model, 1, kCpu);
  if (config.lora == 0) return weights;
  const MemoryScope scope(MemoryPart::weights);
  if (config.dtype == "bfloat16") {
    visitParameters(weights, true, [](const std::string&, at::Tensor& tensor) { tensor = tensor.to(at::kBFloat16); });
  }
  EXPECT_TRUE(addLora(weights, config));
  return weights;
}

void expectThePredictedPeak(const MemoryCase& test) {
  const ModelConfig model = test.model();
  const TrainConfig config = configOf(test);
  const Dataset data = rowsFor(test, model.vocab);
  trimMemory();
  const std::int64_t before = residentSize().current;
  Trainer trainer(config, model, weightsOf(model, config), data, kCpu);
  resetMemoryPeaks();
  constexpr int kSteps = 3;  // the second one has the moments too
  for (int i = 0; i < kSteps; ++i) {
    const auto step = trainer.step();
    ASSERT_TRUE(step) << step.error().message;
  }
  const MemoryUsage used = memoryUsage();
  const std::int64_t resident = residentSize().current - before;

  TrainingShape shape;
  shape.microBatch = test.microBatch;
  shape.microBatches = test.batch / test.microBatch;
  shape.length = kLength;
  shape.computeBytes = config.dtype == "bfloat16" ? 2 : 4;
  shape.checkpointing = test.checkpointing;
  shape.lora = test.lora;
  shape.distill = test.distill;
  for (const NamedParameter& parameter : trainer.optimizer().parameters()) {
    shape.trainedParameters += parameter.value.numel();
  }
  const MemoryEstimate estimate = estimateTraining(model.shape(), shape);
  const auto megabytes = [](std::int64_t bytes) { return static_cast<double>(bytes) / 1e6; };
  const double predicted = megabytes(estimate.total() - estimate.process), measured = megabytes(used.all.peak);
  std::cout << test.name << ": measured " << measured << " MB, predicted " << predicted << " MB ("
            << 100 * (predicted / measured - 1) << " %); resident beside tensors "
            << megabytes(resident - used.all.peak) << " MB over the start's " << megabytes(before)
            << " MB, predicted with it " << megabytes(estimate.process) << " MB\n";
  EXPECT_GE(predicted, 0.95 * measured);
  EXPECT_LE(predicted, 1.10 * measured);
  // What malloc keeps between tensors depends on more than shapes.
  const double whole = megabytes(before + resident);
  EXPECT_NEAR(megabytes(estimate.total()), whole, 0.2 * whole) << "with program, libraries and freed memory";
  const auto expectPart = [&](MemoryPart part, std::int64_t bytes) {
    const double peak = megabytes(used.part(part).peak);
    EXPECT_NEAR(megabytes(bytes), peak, 0.1 + 0.02 * peak) << toString(part);
  };
  expectPart(MemoryPart::weights, estimate.weights);
  expectPart(MemoryPart::optimizer, estimate.optimizer);
}

class TrainingMemory : public ::testing::TestWithParam<MemoryCase> {};
TEST_P(TrainingMemory, IsPredicted) {
  expectThePredictedPeak(GetParam());
}
INSTANTIATE_TEST_SUITE_P(
    Sample, TrainingMemory,
    ::testing::Values(MemoryCase{.name = "Full", .model = sample},
                      MemoryCase{
                          .name = "FullCheckpointedPacked", .model = sample, .checkpointing = true, .packed = true},
                      MemoryCase{.name = "LoraPacked", .model = sample, .lora = 8, .packed = true},
                      MemoryCase{.name = "LoraCheckpointed", .model = sample, .lora = 8, .checkpointing = true},
                      MemoryCase{.name = "FullInMicroBatches", .model = sample, .microBatch = 2},
                      MemoryCase{.name = "FullInBfloat16", .model = sample, .dtype = "bfloat16"},
                      MemoryCase{.name = "LoraInBfloat16", .model = sample, .lora = 8, .dtype = "bfloat16"},
                      MemoryCase{.name = "FullDistilled", .model = sample, .distill = true}),
    [](const auto& info) { return info.param.name; });

class TrainingMemorySlow : public ::testing::TestWithParam<MemoryCase> {};
TEST_P(TrainingMemorySlow, IsPredicted) {
  expectThePredictedPeak(GetParam());
}
INSTANTIATE_TEST_SUITE_P(
    Of15M, TrainingMemorySlow,
    ::testing::Values(
        MemoryCase{.name = "FullPacked", .model = of15M, .packed = true, .batch = 4, .microBatch = 4},
        MemoryCase{.name = "FullCheckpointed", .model = of15M, .checkpointing = true, .batch = 4, .microBatch = 4},
        MemoryCase{.name = "Lora", .model = of15M, .lora = 8, .batch = 4, .microBatch = 4},
        MemoryCase{.name = "LoraCheckpointedPacked",
                   .model = of15M,
                   .lora = 8,
                   .checkpointing = true,
                   .packed = true,
                   .batch = 4,
                   .microBatch = 4},
        MemoryCase{.name = "FullInBfloat16", .model = of15M, .batch = 4, .microBatch = 4, .dtype = "bfloat16"},
        MemoryCase{.name = "LoraCheckpointedDistilled",
                   .model = of15M,
                   .lora = 8,
                   .checkpointing = true,
                   .batch = 4,
                   .microBatch = 4,
                   .distill = true},
        MemoryCase{.name = "FullCheckpointedInMicroBatches",
                   .model = of15M,
                   .checkpointing = true,
                   .batch = 4,
                   .microBatch = 2}),
    [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(
    Of110M, TrainingMemorySlow,
    ::testing::Values(
        MemoryCase{.name = "Full", .model = of110M, .batch = 2, .microBatch = 2},
        MemoryCase{.name = "FullCheckpointedPacked",
                   .model = of110M,
                   .checkpointing = true,
                   .packed = true,
                   .batch = 2,
                   .microBatch = 2},
        MemoryCase{.name = "LoraPacked", .model = of110M, .lora = 8, .packed = true, .batch = 2, .microBatch = 2},
        MemoryCase{.name = "LoraCheckpointed",
                   .model = of110M,
                   .lora = 8,
                   .checkpointing = true,
                   .batch = 2,
                   .microBatch = 2}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace strata::testing
