#include "core/training/borrowed_reads.h"

#include <gmock/gmock.h>

#include <chrono>
#include <numeric>

#include "job_fixture.h"
#include "small_training.h"

namespace strata::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

double mean(const std::vector<double>& share) {  // of layers 1 ... L-1, as the metric "borrowed"
  return std::accumulate(share.begin() + 1, share.end(), 0.0) / static_cast<double>(share.size() - 1);
}

TEST(BorrowedReads, AreThoseThatTheStepsReport) {
  TrainConfig config = smallConfig();
  config.steps = 12;
  config.pCrossWarmup = 8;
  const ModelConfig model = smallModel();
  const Dataset data = smallData();
  Trainer trainer(config, model, initialWeights(model, 11, kCpu), data, kCpu);
  double reported = 0;
  for (int i = 0; i < config.steps; ++i) reported += trainer.step().value().borrowed;
  const auto reads = countBorrowedReads(config, model.layers, config.steps);
  ASSERT_TRUE(reads) << reads.error().message;
  EXPECT_EQ(reads->counted, config.steps);
  EXPECT_FALSE(reads->replayed);
  ASSERT_EQ(reads->share.size(), 5u);
  EXPECT_EQ(reads->share.front(), 0) << "layer 0 has nobody to borrow from";
  EXPECT_NEAR(mean(reads->share), reported / config.steps, 1e-12);
}

TEST(BorrowedReads, OfARunThatHasDoneNothingAreNone) {
  const auto reads = countBorrowedReads(smallConfig(), 5, 0);
  ASSERT_TRUE(reads);
  EXPECT_EQ(reads->counted, 0);
  EXPECT_THAT(reads->share, Each(0));
}

TEST(BorrowedReads, OfManyStepsAreCountedInAnEvenSample) {
  TrainConfig config = smallConfig();
  config.steps = 3'000'000;
  config.pCrossWarmup = 3'000'000;  // p rises all along: only an even sample has half of it on average
  const auto begun = std::chrono::steady_clock::now();
  const auto reads = countBorrowedReads(config, 12, 3'000'000);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  ASSERT_TRUE(reads);
  EXPECT_EQ(reads->counted, 100'000);
  for (std::size_t layer = 1; layer < 12; ++layer) EXPECT_NEAR(reads->share[layer], .3, .01);
  EXPECT_EQ(countBorrowedReads(config, 126, 3'000'000)->counted, 20'000'000 / 252) << "deep models take fewer";
  std::printf("100,000 steps of 12 layers in %.2f s\n", took.count());
}

TEST(BorrowedReads, OfAScriptAreThoseOfItsRoutings) {
  TemporaryFolder folder;
  TrainConfig config = smallConfig();
  config.steps = 2;
  config.routings = folder.path() / "routings.json";
  writeText(config.routings, "[[[0,0,2,2], [0,1,2,3]], [[0,0,0,0], [0,1,2,3]]]");
  const auto reads = countBorrowedReads(config, 4, 2);
  ASSERT_TRUE(reads) << reads.error().message;
  EXPECT_TRUE(reads->replayed);
  EXPECT_THAT(reads->share, ElementsAre(0, .5, .25, .5));
  EXPECT_THAT(countBorrowedReads(config, 5, 2).error().message, HasSubstr("one source for each of the 5 layers"));
}

TEST_F(TrainJob, RecordsItsMemoryByPart) {
  m_config.steps = 4;
  const auto run = startTraining(project(), m_config, {});
  ASSERT_TRUE(run) << run.error().message;
  const RunDatabase database = RunDatabase::open(run->folder).value();
  const auto values = [&](const char* name) { return database.metrics(name).value(); };
  ASSERT_EQ(values("memory").size(), 4u) << "each step";
  double largest = 0, parts = 0;
  for (const char* part : {"weights", "gradients", "optimizer", "activations", "kv"}) {
    const auto found = values((std::string("memory_") + part).c_str());
    ASSERT_FALSE(found.empty()) << part;
    EXPECT_EQ(found.front().step, 1);
    largest = std::max(largest, found.front().value);
    parts += found.front().value;
  }
  EXPECT_GT(values("memory_weights").front().value, 260e3 * 4);
  EXPECT_GT(values("memory_activations").front().value, 0);
  EXPECT_EQ(values("memory_kv").front().value, 0);
  EXPECT_GE(values("memory").front().value, largest) << "the peak of all holds each part's";
  EXPECT_LE(values("memory").front().value, parts);
  EXPECT_EQ(values("memory_reserved").size(), values("memory_kv").size());
}

}  // namespace
}  // namespace strata::testing
