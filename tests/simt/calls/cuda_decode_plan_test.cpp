// Steps of decoding on a GPU, by the emulated kernels, against those of the CPU.

#include "core/model/cuda_decode_plan.h"

#include <ATen/record_function.h>
#include <c10/core/InferenceMode.h>

#include "core/model/sampling.h"
#include "emulated_module.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

class CudaDecodePlanTest : public WithEmulatedModule<::testing::TestWithParam<std::string>> {
 protected:
  /// A cache that holds prompts of these lengths, as the CPU computes them.
  static KvCache filled(const Model& model, const SharingMap& map, const std::vector<std::int64_t>& lengths,
                        std::int64_t capacity) {
    KvCache cache(model.config(), map, static_cast<std::int64_t>(lengths.size()), capacity, model.dtype(),
                  model.device());
    DecodePlan plan(model);
    for (std::size_t b = 0; b < lengths.size(); ++b) {
      for (std::int64_t position = 0; position < lengths[b]; ++position) {
        std::vector<DecodeRow> rows{{idAt(model, static_cast<std::int64_t>(b), position), position, &map, &cache,
                                     static_cast<std::int64_t>(b)}};
        plan.step(rows);
      }
    }
    return cache;
  }
  static TokenId idAt(const Model& model, std::int64_t sequence, std::int64_t position) {
    return static_cast<TokenId>((sequence * 31 + position * 7919 + 13) % model.config().vocab);
  }
  static std::vector<DecodeRow> rowsOf(const Model& model, const SharingMap& map, KvCache& cache,
                                       const std::vector<std::int64_t>& lengths, std::int64_t step) {
    std::vector<DecodeRow> rows;
    for (std::size_t b = 0; b < lengths.size(); ++b) {
      const std::int64_t position = lengths[b] + step;
      rows.push_back(
          {idAt(model, static_cast<std::int64_t>(b), position), position, &map, &cache, static_cast<std::int64_t>(b)});
    }
    return rows;
  }

  /// Some steps of both over the same prompts.
  static void expectStepsOfTheCpu(const Model& model, const SharingMap& map, const std::vector<std::int64_t>& lengths,
                                  double tolerance) {
    SCOPED_TRACE(printMap(map));
    ASSERT_TRUE(CudaDecodePlan::supports(model));
    KvCache cpuCache = filled(model, map, lengths, 24), cudaCache = filled(model, map, lengths, 24);
    DecodePlan cpu(model);
    CudaDecodePlan cuda(model);
    for (std::int64_t step = 0; step < 4; ++step) {
      auto rows = rowsOf(model, map, cpuCache, lengths, step), same = rowsOf(model, map, cudaCache, lengths, step);
      cpu.step(rows);
      ASSERT_TRUE(cuda.step(same));
      const double scale = model.dtype() == at::kFloat ? 1 : cpu.logits().abs().max().item<double>();
      EXPECT_LT(distance(cuda.logits(), cpu.logits()), tolerance * scale) << "step " << step;
    }
  }
  static constexpr double kBf16Tolerance = 0.05;  // of the largest logit

  const c10::InferenceMode m_inference;
};

TEST_P(CudaDecodePlanTest, GivesTheLogitsOfTheCpuUnderEveryMap) {
  const auto model = golden(GetParam());
  for (const SharingMap& map : mapsOf(*model)) expectStepsOfTheCpu(*model, map, {9, 3, 17}, kTolerance);
}

TEST_P(CudaDecodePlanTest, GivesThemInBfloat16AndOfRoundedWeights) {
  for (const char* weights : {"", "int8", "int4"}) {
    SCOPED_TRACE(weights);
    for (const char* dtype : {"float32", "bfloat16"}) {
      const auto model =
          Model::open({.path = sourceFolder() / "tests/golden/models" / GetParam(), .weights = weights, .dtype = dtype})
              .value();
      expectStepsOfTheCpu(*model, mapsOf(*model)[1], {5, 11}, *dtype == 'f' ? kTolerance : kBf16Tolerance);
    }
  }
}

TEST_P(CudaDecodePlanTest, AddsAdapters) {
  at::manual_seed(3);
  const auto plain = golden(GetParam());
  Weights weights = plain->weights();
  std::int64_t rank = 1;
  visitLinears(weights, [&](const std::string&, Linear& linear) {
    rank = rank % 5 + 1;
    if (rank == 3) return;  // not on every layer
    linear.loraA = 0.1 * at::randn({rank, linear.inputs()});
    linear.loraB = 0.1 * at::randn({linear.outputs(), rank});
    linear.loraScale = 0.5 * static_cast<double>(rank);
  });
  const auto model = Model::over(plain->config(), std::move(weights), at::kFloat);
  expectStepsOfTheCpu(*model, mapsOf(*model)[1], {7, 2}, 5 * kTolerance);
}

TEST_P(CudaDecodePlanTest, RunsMoreSequencesThanAProductTakes) {
  const auto model = golden(GetParam());
  std::vector<std::int64_t> lengths;
  for (std::int64_t b = 0; b < 11; ++b) lengths.push_back(1 + b * 3 % 7);
  expectStepsOfTheCpu(*model, mapsOf(*model)[2], lengths, kTolerance);
}

INSTANTIATE_TEST_SUITE_P(, CudaDecodePlanTest, ::testing::ValuesIn(kGoldenModels), goldenName);

class CudaDecodePlanSteps : public CudaDecodePlanTest {
 protected:
  const std::vector<std::int64_t> m_lengths{6, 2};
  std::shared_ptr<const Model> m_model = golden(GetParam());
  SharingMap m_map = mapsOf(*m_model)[1];

  void step(CudaDecodePlan& plan, KvCache& cache, std::int64_t number) {
    auto rows = rowsOf(*m_model, m_map, cache, m_lengths, number);
    EXPECT_TRUE(plan.step(rows));
  }
};

TEST_P(CudaDecodePlanSteps, AreOneLaunchEachFromTheSecondOn) {
  KvCache cache = filled(*m_model, m_map, m_lengths, 30);
  CudaDecodePlan plan(*m_model);
  const auto started = [&](std::int64_t number) {
    const auto kernels = launches(), graphs = replays();
    step(plan, cache, number);
    return std::pair(launches() > kernels, replays() - graphs);
  };
  EXPECT_EQ(started(0), std::pair(true, 0L));
  for (std::int64_t number = 1; number < 5; ++number) EXPECT_EQ(started(number), std::pair(false, 1L));
  cache.grow(60, 12);
  EXPECT_EQ(started(5), std::pair(true, 0L)) << "other arrays";
  EXPECT_EQ(started(6), std::pair(false, 1L));
  m_map = mapsOf(*m_model)[2];
  cache.setOwners(m_map);
  EXPECT_EQ(started(7), std::pair(true, 0L)) << "another map";
  EXPECT_EQ(started(8), std::pair(false, 1L));
  const at::Tensor held = plan.logits(), copy = held.clone();
  EXPECT_EQ(started(9), std::pair(true, 0L)) << "logits that are held are not overwritten";
  EXPECT_TRUE(at::equal(held, copy));
}

TEST_P(CudaDecodePlanSteps, AreOneLaunchEachWhereTheLastLogitsAreHeld) {
  KvCache cache = filled(*m_model, m_map, m_lengths, 30);
  CudaDecodePlan plan(*m_model);
  at::Tensor held;
  for (std::int64_t number = 0; number < 8; ++number) {
    const auto graphs = replays();
    step(plan, cache, number);
    EXPECT_EQ(replays() - graphs, number < 2 ? 0 : 1) << "step " << number;
    held = plan.logits();
  }
}

TEST_P(CudaDecodePlanSteps, GoOnByTheIdsThatWereChosenOnTheDevice) {
  KvCache cache = filled(*m_model, m_map, m_lengths, 30), cpuCache = filled(*m_model, m_map, m_lengths, 30);
  CudaDecodePlan plan(*m_model);
  DecodePlan cpu(*m_model);
  auto rows = rowsOf(*m_model, m_map, cache, m_lengths, 0), same = rowsOf(*m_model, m_map, cpuCache, m_lengths, 0);
  static int operators = 0;
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback([](const at::RecordFunction&) {
    ++operators;
    return std::unique_ptr<at::ObserverContext>();
  }));
  for (int number = 0; number < 6; ++number) {
    operators = 0;
    plan.step(rows);
    if (number > 0) {
      EXPECT_EQ(operators, 0) << "nothing is copied to the device, step " << number;
    }
    cpu.step(same);
    EXPECT_LT(distance(plan.logits(), cpu.logits()), kTolerance) << "step " << number;
    const std::vector<TokenId> ids = plan.choose(plan.logits(), {}, 0, {0, 1});
    ASSERT_EQ(ids.size(), 2u);
    for (std::size_t b = 0; b < 2; ++b) {
      EXPECT_EQ(ids[b], cpu.logits()[static_cast<std::int64_t>(b)].argmax().item<std::int64_t>());
      rows[b].id = same[b].id = ids[b];
      ++rows[b].position;
      ++same[b].position;
    }
  }
  at::removeCallback(handle);
}

TEST_P(CudaDecodePlanSteps, BeginWhereTheHostSays) {
  KvCache cache = filled(*m_model, m_map, m_lengths, 30);
  CudaDecodePlan plan(*m_model);
  step(plan, cache, 0);
  const at::Tensor first = plan.logits().clone();
  plan.choose(plan.logits(), {}, 0, {0, 1});
  step(plan, cache, 1);
  step(plan, cache, 0);  // as after a rewind
  EXPECT_TRUE(at::equal(plan.logits(), first));
}

TEST_P(CudaDecodePlanSteps, TakeCachesUnderOtherMapsAlongAndGiveEachWhatItGivesAlone) {
  const std::vector<SharingMap> maps{mapsOf(*m_model)[0], mapsOf(*m_model)[1], mapsOf(*m_model)[3]};
  const std::vector<std::int64_t> lengths[] = {{4}, {6, 2}, {9}};
  std::vector<KvCache> together, alone;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto capacity = static_cast<std::int64_t>(20 + 8 * i);
    together.push_back(filled(*m_model, maps[i], lengths[i], capacity));
    alone.push_back(filled(*m_model, maps[i], lengths[i], capacity));
  }
  CudaDecodePlan all(*m_model);
  std::vector<std::unique_ptr<CudaDecodePlan>> plans;
  for (int i = 0; i < 3; ++i) plans.push_back(std::make_unique<CudaDecodePlan>(*m_model));
  for (std::int64_t number = 0; number < 4; ++number) {
    std::vector<DecodeRow> rows;
    std::vector<at::Tensor> expected;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto more = rowsOf(*m_model, maps[i], together[i], lengths[i], number);
      rows.insert(rows.end(), more.begin(), more.end());
      auto own = rowsOf(*m_model, maps[i], alone[i], lengths[i], number);
      ASSERT_TRUE(plans[i]->step(own));
      expected.push_back(plans[i]->logits().clone());
    }
    ASSERT_TRUE(all.step(rows));
    EXPECT_TRUE(at::equal(all.logits(), at::cat(expected))) << "step " << number;
  }
}

TEST_P(CudaDecodePlanSteps, DoNotBeginOnceTheyAreCancelled) {
  KvCache cache = filled(*m_model, m_map, m_lengths, 30);
  CudaDecodePlan plan(*m_model);
  const std::atomic<bool> cancel = true;
  auto rows = rowsOf(*m_model, m_map, cache, m_lengths, 0);
  for (DecodeRow& row : rows) row.cancel = &cancel;
  const auto kernels = launches();
  plan.step(rows);
  EXPECT_TRUE(rows[0].isCancelled && rows[1].isCancelled);
  EXPECT_EQ(launches(), kernels);
}

INSTANTIATE_TEST_SUITE_P(, CudaDecodePlanSteps, ::testing::Values("llama31-gqa", "mistral-swa"), goldenName);

class CudaChoice : public WithEmulatedModule<::testing::Test> {};

TEST_F(CudaChoice, IsThatOfTheHost) {
  const c10::InferenceMode inference;
  const auto model = golden("llama2-mha");
  CudaDecodePlan plan(*model);
  at::manual_seed(5);
  const at::Tensor logits = 3 * at::randn({6, 1500}, at::kFloat);
  const std::vector<std::int64_t> answers{0, 3, 4, 5, 9, 2};
  struct Case {
    double temperature = 0;
    int topK = 0;
    double topP = 1, minP = 0;
  };
  const Case cases[] = {{}, {0.7}, {1.5, 40}, {1, 0, 0.8}, {0.9, 0, 1, 0.05}, {1.2, 50, 0.95, 0.01}, {1, 5000, 0}};
  GenerateConfig config;
  config.seed = (std::uint64_t{1} << 40) + 7;
  for (const Case& each : cases) {
    SCOPED_TRACE(each.temperature);
    config.temperature = each.temperature;
    config.topK = each.topK;
    config.topP = each.topP;
    config.minP = each.minP;
    for (std::uint32_t index = 0; index < 8; ++index) {
      std::vector<TokenId> expected;
      for (std::size_t row = 0; row < answers.size(); ++row) {
        const std::span<const float> values(logits.const_data_ptr<float>() + row * 1500, 1500);
        expected.push_back(sampleToken(values, config, {}, index, static_cast<std::uint32_t>(answers[row])));
      }
      EXPECT_EQ(plan.choose(logits, config, index, answers), expected) << "index " << index;
    }
  }
  config.repeatPenalty = 1.1;
  EXPECT_TRUE(plan.choose(logits, config, 0, answers).empty()) << "the host knows what was said";
  EXPECT_EQ(plan.choose(at::full({1, 9}, NAN), {}, 0, {0}), std::vector<TokenId>{-1});
}

}  // namespace
}  // namespace strata::testing
