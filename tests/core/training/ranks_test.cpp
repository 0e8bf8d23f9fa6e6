// Training on several ranks, which are threads here: what one process computes up to the order of its sums.

#include <filesystem>
#include <mutex>

#include "core/training/train_state.h"
#include "small_training.h"
#include "thread_ranks.h"

namespace strata::testing {
namespace {

struct RankOutcome {
  std::vector<StepResult> steps;
  std::vector<at::Tensor> weights;
  std::int64_t moments = 0;  // bytes, of the rank that has the most
  double nll = 0;
};

Weights startOf(const TrainConfig& config, const ModelConfig& model) {
  Weights weights = initialWeights(model, 11, kCpu);
  if (config.lora > 0) {
    EXPECT_TRUE(addLora(weights, config));
  }
  return weights;
}

std::vector<PackedSequence> heldOut(const Dataset& data) {
  SequenceReader reader(data, 3, Cursor(), 1);
  std::vector<PackedSequence> sequences;
  for (int i = 0; i < 7; ++i) sequences.push_back(reader.next());
  return sequences;
}

std::int64_t momentBytes(Trainer& trainer) {
  std::int64_t bytes = 0;
  for (const AdamW::State& state : trainer.optimizer().states()) {
    if (state.m.defined()) bytes += static_cast<std::int64_t>(state.m.nbytes() + state.v.nbytes());
  }
  return bytes;
}

/// Steps of a run on so many ranks, from a checkpoint where one is given; the last state goes to `save`.
RankOutcome trainedOn(int count, const TrainConfig& config, int steps, const std::filesystem::path& from = {},
                      const std::filesystem::path& save = {}) {
  const ModelConfig model = smallModel(true);
  const Dataset data = smallData();
  const auto held = heldOut(data);
  RankOutcome outcome;
  std::mutex mutex;
  const auto work = [&](Communicator* ranks) {
    Trainer trainer(config, model, startOf(config, model), data, kCpu, {}, ranks);
    if (!from.empty()) {
      const auto read = readTrainState(trainer, from, Restore::everything);
      EXPECT_TRUE(read) << read.error().message;
    }
    const Trainer::Save saving = [&](const std::filesystem::path& folder) {
      return writeTrainState(trainer, sourceFolder() / "resources/models/stories260K", folder);
    };
    if (ranks != nullptr && !ranks->leads()) {
      trainer.follow(held, saving);
    } else {
      for (int i = 0; i < steps; ++i) {
        const auto step = trainer.step();
        ASSERT_TRUE(step) << step.error().message;
        outcome.steps.push_back(*step);
      }
      outcome.nll = trainer.evaluate(SharingMap::create({0, 0, 2, 2, 2}).value(), held).value();
      if (!save.empty()) {
        const auto saved = trainer.saveWith(saving, save);
        EXPECT_TRUE(saved) << saved.error().message;
      }
      for (const NamedParameter& parameter : trainer.parameters())
        outcome.weights.push_back(parameter.value.detach().clone());
    }
    const std::lock_guard lock(mutex);
    outcome.moments = std::max(outcome.moments, momentBytes(trainer));
  };
  if (count == 1) {
    work(nullptr);
  } else {
    onRanks(count, [&](Communicator& ranks) { work(&ranks); });
  }
  return outcome;
}

void expectTheSame(const RankOutcome& a, const RankOutcome& b) {
  constexpr double kSummation = 1e-5;
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    EXPECT_NEAR(a.steps[i].loss, b.steps[i].loss, kSummation * a.steps[i].loss) << "step " << i;
    EXPECT_NEAR(a.steps[i].gradNorm, b.steps[i].gradNorm, 1e-4 * a.steps[i].gradNorm) << "step " << i;
    EXPECT_EQ(a.steps[i].borrowed, b.steps[i].borrowed);
    EXPECT_EQ(a.steps[i].trained, b.steps[i].trained);
  }
  EXPECT_NEAR(a.nll, b.nll, kSummation * a.nll);
}

TEST(Ranks, TrainAsOneProcessDoes) {
  for (const bool distill : {false, true}) {
    for (const int lora : {0, 3}) {
      SCOPED_TRACE(std::string(distill ? "distill " : "") + "lora " + std::to_string(lora));
      TrainConfig config = smallConfig();
      config.lora = lora;
      config.distill = distill;
      config.microBatch = 1;
      const RankOutcome alone = trainedOn(1, config, 6);
      for (const int count : {2, 3, 4}) {
        SCOPED_TRACE(count);
        expectTheSame(alone, trainedOn(count, config, 6));
      }
    }
  }
}

TEST(Ranks, ShareAGroupOfOneRouting) {
  TrainConfig config = smallConfig();
  config.routingGroups = 1;
  config.microBatch = 4;
  expectTheSame(trainedOn(1, config, 6), trainedOn(4, config, 6));
}

TEST(Ranks, LeaveAloneWhatNoneOfThemUsed) {
  TrainConfig config = smallConfig();
  config.sampler = "cla:5";  // all read layer 0: the others' keys and values get no gradient
  config.pCross = 1;
  const ModelConfig model = smallModel(true);
  const Dataset data = smallData();
  onRanks(2, [&](Communicator& ranks) {
    Trainer trainer(config, model, startOf(config, model), data, kCpu, {}, &ranks);
    const auto start = trainer.weights().layers[3].k.weight.detach().clone();
    if (!ranks.leads()) return trainer.follow({}, {});
    EXPECT_TRUE(trainer.step());
    EXPECT_TRUE(trainer.step());
    EXPECT_TRUE(at::equal(trainer.weights().layers[3].k.weight, start));  // no decay either
  });
}

TEST(Ranks, KeepMomentsOfTheirShareAlone) {
  const TrainConfig config = smallConfig();
  const std::int64_t all = trainedOn(1, config, 1).moments;
  for (const int count : {2, 4}) {
    const std::int64_t most = trainedOn(count, config, 1).moments;
    EXPECT_NEAR(static_cast<double>(most), static_cast<double>(all) / count, 0.02 * static_cast<double>(all));
  }
}

TEST(Ranks, SendWhatTheFormulaSays) {
  const RankOutcome outcome = trainedOn(4, smallConfig(), 2);
  std::int64_t elements = 0;
  for (const at::Tensor& weight : outcome.weights) elements += (weight.numel() + 15) / 16 * 16;
  elements = (elements + 63) / 64 * 64;
  for (const StepResult& step : outcome.steps) EXPECT_EQ(step.sent, 2 * elements * 4 * 3 / 4);
}

TEST(Ranks, GoOnFromTheCheckpointOfAnotherNumberOfRanks) {
  for (const int lora : {0, 3}) {
    TrainConfig config = smallConfig();
    config.lora = lora;
    config.steps = 6;
    const RankOutcome whole = trainedOn(1, config, 6);
    const TemporaryFolder folder;
    std::filesystem::path from;
    std::vector<StepResult> steps;
    for (const int count : {4, 2, 1}) {
      const std::filesystem::path to = folder.path() / std::to_string(count);
      std::filesystem::create_directory(to);
      const RankOutcome part = trainedOn(count, config, 2, from, to);
      steps.insert(steps.end(), part.steps.begin(), part.steps.end());
      from = to;
    }
    ASSERT_EQ(steps.size(), whole.steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i)
      EXPECT_NEAR(steps[i].loss, whole.steps[i].loss, 1e-5 * whole.steps[i].loss) << "step " << i;
  }
}

TEST(Ranks, AResumeOnAsManyIsBitEqual) {
  const TrainConfig config = smallConfig();
  const RankOutcome whole = trainedOn(2, config, 4);
  const TemporaryFolder folder;
  trainedOn(2, config, 2, {}, folder.path());
  const RankOutcome rest = trainedOn(2, config, 2, folder.path());
  for (std::size_t i = 0; i < rest.weights.size(); ++i) EXPECT_TRUE(at::equal(rest.weights[i], whole.weights[i])) << i;
}

TEST(Ranks, WriteShardsThatOpenAsOneModel) {
  const TemporaryFolder folder;
  trainedOn(3, smallConfig(), 1, {}, folder.path());
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "model-00002-of-00003.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "optimizer-00003-of-00003.safetensors"));
  const auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
}

TEST(Ranks, AnErrorOfOneFailsTheStepOnAllAndChangesNothing) {
  const TrainConfig config = smallConfig();
  const ModelConfig model = smallModel(true);
  const Dataset good = smallData();
  std::vector<Row> rows = good.rows();
  for (Row& row : rows) row.ids.back() = 1'000'000;  // beyond the vocabulary
  const Dataset bad = Dataset::fromRows(rows, 24, true);
  onRanks(2, [&](Communicator& ranks) {
    Trainer trainer(config, model, startOf(config, model), ranks.rank() == 1 ? bad : good, kCpu, {}, &ranks);
    const auto start = trainer.weights().embedding.detach().clone();
    if (!ranks.leads()) return trainer.follow({}, {});
    const auto step = trainer.step();
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().message.rfind("Rank 1 of 2 on ", 0), 0U) << step.error().message;
    EXPECT_TRUE(at::equal(trainer.weights().embedding, start));
    EXPECT_EQ(trainer.nextStep(), 0);
  });
}

}  // namespace
}  // namespace strata::testing
