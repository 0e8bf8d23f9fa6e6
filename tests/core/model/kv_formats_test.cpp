// Caches of 8 bits: what they hold to the byte, that followers read their owner's codes and scales, and that nothing
// but rounding separates them from a plain cache.

#include <ATen/ATen.h>

#include "core/model/generate.h"
#include "core/model/memory.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

const bool kCounts = (installAllocator(), true);  // before the first tensor

const std::filesystem::path kSample = sourceFolder() / "resources/models/sample-routed";

class KvFormats : public ::testing::TestWithParam<std::tuple<std::string, KvFormat>> {
 protected:
  KvFormat format() const { return std::get<1>(GetParam()); }
  std::vector<TokenId> ids(int count, int start = 13) const {
    return someIds(count, static_cast<int>(m_model->config().vocab), start);
  }
  std::vector<SharingMap> maps() const { return mapsOf(*m_model); }

  std::shared_ptr<const Model> m_plain = golden(std::get<0>(GetParam()));
  std::shared_ptr<const Model> m_model = m_plain->withKv(format());
};

TEST_P(KvFormats, HoldOwnersTimesOneNumberToTheByte) {
  const ModelShape shape = m_model->config().shape();
  const std::int64_t head = shape.headDim + 2;  // a code for each value, and the scale
  const auto measured = [&](const SharingMap& map) {
    const std::int64_t before = memoryUsage().part(MemoryPart::kv).current;
    InferenceSession session(m_model, map, {.capacity = 100});
    EXPECT_TRUE(session.prefill({ids(20), ids(7)}));
    EXPECT_TRUE(session.decode({3, 4}));
    const std::int64_t counted = memoryUsage().part(MemoryPart::kv).current - before;
    EXPECT_EQ(counted, session.kvBytes());
    EXPECT_EQ(counted, 2 * kvBytes(map, shape, 100, m_model->kvStorage()));
    EXPECT_EQ(counted, 2 * map.owners() * 2 * shape.kvHeads * head * 100);
    session.keepRows({1});
    EXPECT_EQ(2 * session.kvBytes(), counted);
    EXPECT_TRUE(session.grow(150));
    EXPECT_EQ(4 * session.kvBytes(), 3 * counted);
    EXPECT_EQ(memoryUsage().part(MemoryPart::kv).current - before, session.kvBytes());
    session.switchMap(maps()[3]);
    EXPECT_TRUE(session.extend({5}));
    EXPECT_EQ(session.kvBytes(), kvBytes(maps()[3], shape, 150, m_model->kvStorage()));
    return counted;
  };
  const std::int64_t full = measured(SharingMap::full(shape.layers));
  for (const SharingMap& map : maps()) EXPECT_EQ(measured(map) * shape.layers, full * map.owners());
}

/// Random weights multiply every error from layer to layer, so the bound is wide: codes without their scales would be
/// beyond it by far. What rounding costs a trained model: LoseLittleOfTheHeldOutLossUnderEveryMap.
TEST_P(KvFormats, StayCloseToAPlainCacheUnderEveryMap) {
  const double share = format() == KvFormat::int8 ? 0.06 : 0.3;
  for (const SharingMap& map : maps()) {
    SCOPED_TRACE(printMap(map));
    InferenceSession rounded(m_model, map, {.capacity = 64}), plain(m_plain, map, {.capacity = 64});
    at::Tensor logits = rounded.prefill({ids(20)}).value(), expected = plain.prefill({ids(20)}).value();
    double error = 0, whole = 0;
    for (int i = 0; i < 8; ++i) {
      error += (logits - expected).square().mean().item<double>();
      whole += expected.square().mean().item<double>();
      logits = rounded.decode({static_cast<TokenId>(i)}).value();
      expected = plain.decode({static_cast<TokenId>(i)}).value();
    }
    EXPECT_GT(error, 0);
    EXPECT_LT(std::sqrt(error / whole), share);
  }
}

/// Both read the same codes; only a value at the border between two of them may go either way.
TEST_P(KvFormats, AreScoredAsTheyAreDecoded) {
  const double share = format() == KvFormat::int8 ? 0.005 : 0.05;
  for (const SharingMap& map : maps()) {
    SCOPED_TRACE(printMap(map));
    InferenceSession session(m_model, map, {.capacity = 64});
    at::Tensor logits = session.prefill({ids(20)}).value();
    for (int i = 20; i <= 30; ++i) {
      const at::Tensor expected = uncachedLast(*m_model, map, ids(i));
      const double error = (logits[0] - expected).square().mean().sqrt().item<double>();
      EXPECT_LT(error, share * expected.std().item<double>()) << i;
      if (i < 30) logits = session.decode({ids(31)[static_cast<std::size_t>(i)]}).value();
    }
  }
}

/// A follower's attention reads what its owner wrote: a step over a cache whose scales are doubled is that of doubled
/// keys and values, in every layer that reads them.
TEST_P(KvFormats, FollowersReadTheirOwnersCodesAndScales) {
  for (const SharingMap& map : maps()) {
    SCOPED_TRACE(printMap(map));
    const ModelConfig& config = m_model->config();
    KvCache cache(config, map, 1, 16, at::kFloat, at::kCPU, format());
    for (int l = 0; l < config.layers; ++l) {
      const calls::CachedKeyValue& own = cache.read(l);
      EXPECT_EQ(own.defined(), map.owns(l));
      EXPECT_EQ(own.kScales.defined() && own.vScales.defined(), map.owns(l));
      EXPECT_TRUE(cache.read(map[l]).defined());
      EXPECT_EQ(cache.read(map[l]).k.sizes(), at::IntArrayRef({1, config.kvHeads, 16, config.headDim}));
      EXPECT_EQ(cache.read(map[l]).kScales.sizes(), at::IntArrayRef({1, config.kvHeads, 16}));
    }
  }
}

TEST_P(KvFormats, RowsTogetherHaveTheBitsOfEachAlone) {
  const std::vector<std::vector<TokenId>> prompts = {ids(5, 3), ids(33, 40), ids(1, 7), ids(12, 99)};
  std::vector<std::unique_ptr<InferenceSession>> together, alone;
  std::vector<InferenceSession*> sessions;
  const auto all = maps();
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    for (auto* list : {&together, &alone}) {
      list->push_back(std::make_unique<InferenceSession>(m_model, all[i % all.size()], SessionOptions{.capacity = 64}));
      ASSERT_TRUE(list->back()->prefill({prompts[i]}));
    }
    sessions.push_back(together.back().get());
  }
  for (TokenId id = 1; id < 6; ++id) {
    const std::vector<TokenId> next{id};
    const auto results = InferenceSession::decodeTogether(sessions, {&next, &next, &next, &next});
    for (std::size_t i = 0; i < alone.size(); ++i) {
      EXPECT_TRUE(at::equal(results[i].value(), alone[i]->decode(next).value())) << i;
    }
  }
}

TEST_P(KvFormats, JoinedAndKeptRowsTakeTheirScalesAlong) {
  for (const SharingMap& map : maps()) {
    SCOPED_TRACE(printMap(map));
    std::vector<InferenceSession> parts;
    std::vector<at::Tensor> expected;
    for (const int start : {3, 40, 7}) {
      parts.emplace_back(m_model, map, SessionOptions{.capacity = 64});
      ASSERT_TRUE(parts.back().prefill({ids(9 + start, start)}));
      InferenceSession alone(m_model, map, {.capacity = 64});
      ASSERT_TRUE(alone.prefill({ids(9 + start, start)}));
      expected.push_back(alone.decode({11}).value());
    }
    InferenceSession whole = InferenceSession::joined(std::move(parts));
    whole.keepRows({2, 0, 2});
    const at::Tensor logits = whole.decode({11, 11, 11}).value();
    EXPECT_TRUE(at::equal(logits[0], expected[2][0]));
    EXPECT_TRUE(at::equal(logits[1], expected[0][0]));
    EXPECT_TRUE(at::equal(logits[2], expected[2][0]));
  }
}

TEST_P(KvFormats, AnswersOfABatchAreThoseOfEachPromptAlone) {
  const std::vector<std::vector<TokenId>> prompts = {ids(5, 3), ids(33, 40), ids(12, 99)};
  GenerateConfig config;
  config.maxTokens = 12;
  config.ignoreEos = true;
  for (const SharingMap& map : maps()) {
    SCOPED_TRACE(printMap(map));
    const auto together = generate(m_model, map, prompts, config);
    ASSERT_TRUE(together) << together.error().message;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_EQ(together->answers[i].ids, generate(m_model, map, {prompts[i]}, config)->answers[0].ids) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, KvFormats,
    ::testing::Combine(::testing::ValuesIn(kGoldenModels), ::testing::Values(KvFormat::int8, KvFormat::fp8)),
    [](const auto& info) {
      return goldenName({std::get<0>(info.param), info.index}) + printKvFormat(std::get<1>(info.param));
    });

std::shared_ptr<const Model> sampleWith(const std::string& kv, const std::string& weights = "") {
  auto model = Model::open({.path = kSample, .weights = weights, .kv = kv});
  EXPECT_TRUE(model) << model.error().message;
  return model.value_or(nullptr);
}

TEST(KvFormatsOfTheSample, LoseLittleOfTheHeldOutLossUnderEveryMap) {
  const auto lossOf = [](const Model& model, const char* map) {
    const std::string text = readText(sourceFolder() / "tests/golden/low_bits/heldout.txt");
    return scoreWindows(model, parseMap(map, model.config().layers).value(),
                        windowsOf(*model.tokenizer(), text, model.context()))
        .value()
        .nll();
  };
  const auto plain = sampleWith(""), whole = sampleWith("int8"), floating = sampleWith("fp8");
  const auto both = sampleWith("int8", "int8");
  for (const char* map : {"full", "retention:0.5", "retention:0.25"}) {
    SCOPED_TRACE(map);
    const double stored = lossOf(*plain, map);
    EXPECT_LE(lossOf(*whole, map), 1.001 * stored);
    EXPECT_LE(lossOf(*floating, map), 1.005 * stored);
    EXPECT_LE(lossOf(*both, map), 1.005 * stored);
  }
}

TEST(KvFormatsOfTheSample, ShareTheWeightsOfOneModel) {
  const auto plain = sampleWith("");
  const auto rounded = plain->withKv(KvFormat::int8);
  EXPECT_EQ(rounded->weights().embedding.const_data_ptr(), plain->weights().embedding.const_data_ptr());
  EXPECT_EQ(rounded->kvName(), "int8");
  EXPECT_EQ(plain->kvName(), "bfloat16");
}

TEST(KvFormatsOfTheSample, AreRefusedByOneSentence) {
  for (const char* kv : {"int4", "q8_0", "8", "INT8", "fp8:e5m2"}) {
    const auto model = Model::open({.path = kSample, .kv = kv});
    ASSERT_FALSE(model) << kv;
    EXPECT_EQ(model.error().message, "The KV cache's format \"" + std::string(kv) + "\" is unknown; give int8 or fp8.");
  }
  const auto norms = scoreWindows(*sampleWith("fp8"), SharingMap::full(12), {{1, 2, 3}}, {.gradNorms = true});
  ASSERT_FALSE(norms);
  EXPECT_EQ(norms.error().message,
            "Gradients do not pass through a KV cache in 8 bits; open the model with a plain one.");
}

}  // namespace
}  // namespace strata::testing
