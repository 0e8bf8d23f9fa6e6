// The invariants of routed inference and of the uncached pass (README.md, Invariants), on the golden models.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <limits>
#include <tuple>

#include "core/model/decoder.h"
#include "core/model/generate.h"
#include "core/model/memory.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

const bool kCounts = (installAllocator(), true);  // before the first tensor

class Invariants : public ::testing::TestWithParam<std::tuple<std::string, int>> {
 protected:
  Invariants() { at::set_num_threads(std::get<1>(GetParam())); }
  ~Invariants() override { at::set_num_threads(m_threadsBefore); }
  static std::string name() { return std::get<0>(GetParam()); }

  int m_threadsBefore = at::get_num_threads();
  std::shared_ptr<const Model> m_model = golden(name());
  int m_vocab = static_cast<int>(m_model->config().vocab);
  std::vector<SharingMap> maps() const { return mapsOf(*m_model); }
};

TEST_P(Invariants, FullMapIsBitEqualToAForwardPassWithoutRouting) {
  const c10::NoGradGuard guard;
  const ModelConfig& config = m_model->config();
  const at::Tensor ids = at::tensor(someIds(40, m_vocab), at::kInt).to(at::kLong).unsqueeze(0);
  LayerContext context;
  context.config = &config;
  context.rotation = rotationOf(m_model->rope(), at::arange(40, at::kLong));
  at::Tensor x = at::embedding(m_model->weights().embedding, ids);
  for (std::size_t l = 0; l < m_model->weights().layers.size(); ++l) {
    const LayerWeights& layer = m_model->weights().layers[l];
    const std::int64_t window = config.traits.windows[l];
    const at::Tensor first =
        window == 0 ? at::Tensor() : (at::arange(40, at::kInt) - (window - 1)).clamp_min(0).unsqueeze(0);
    const at::Tensor normed = rmsNorm(x, layer.inputNorm, config.rmsNormEps);
    const Projected projected = project(layer, normed, Projection::all, context);
    x = finishLayer(layer, x, rangeAttention(projected.q, projected.own.k, projected.own.v, first), context);
  }
  const at::Tensor plain = rmsNorm(x, m_model->weights().norm, config.rmsNormEps);
  const at::Tensor routed =
      forwardHidden(m_model->weights(), at::kFloat, ids, SharingMap::full(config.layers), context);
  EXPECT_TRUE(at::equal(plain, routed));
}

/// What a search needs: layers below l run once, those from l on again under another routing.
TEST_P(Invariants, APassGoesOnFromAnyLayerUnderAnotherRoutingWithTheSameBits) {
  const c10::NoGradGuard guard;
  const Weights& weights = m_model->weights();
  const int layers = m_model->config().layers;
  const at::Tensor ids = at::tensor(someIds(24, m_vocab), at::kInt).to(at::kLong).unsqueeze(0);
  LayerContext context;
  context.config = &m_model->config();
  context.rotation = rotationOf(m_model->rope(), at::arange(24, at::kLong));
  const SharingMap full = SharingMap::full(layers);
  for (int from = 1; from < layers; ++from) {
    PassState shared = beginPass(weights, at::kFloat, ids, layers);
    runLayers(shared, from, weights, full, context, {.keepAll = true});
    EXPECT_EQ(shared.layer, from);
    for (int source = 0; source <= from; ++source) {
      std::vector<int> src = full.src();
      src[static_cast<std::size_t>(from)] = source;
      const SharingMap routing = SharingMap::create(src, MapKind::training).value();
      PassState state = shared;
      runLayers(state, layers, weights, routing, context);
      const at::Tensor whole = forwardHidden(weights, at::kFloat, ids, routing, context);
      EXPECT_TRUE(at::equal(rmsNorm(state.hidden, weights.norm, m_model->config().rmsNormEps), whole))
          << "layer " << from << " reads " << source;
    }
  }
}

TEST_P(Invariants, CachedDecodingAgreesWithTheUncachedPass) {
  const std::vector<TokenId> ids = someIds(30, m_vocab);
  for (const SharingMap& map : maps()) {
    SCOPED_TRACE(printMap(map));
    InferenceSession session(m_model, map, {.capacity = 64});
    at::Tensor logits = session.prefill({std::vector<TokenId>(ids.begin(), ids.begin() + 20)}).value();
    for (std::size_t i = 20; i <= ids.size(); ++i) {
      EXPECT_LT(
          distance(logits[0], uncachedLast(*m_model, map, {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(i)})),
          kTolerance);
      if (i < ids.size()) logits = session.decode({ids[i]}).value();
    }
  }
}

TEST_P(Invariants, ChunksAndTailCutDoNotChangeTheLogits) {
  const std::vector<TokenId> ids = someIds(37, m_vocab);
  for (const SharingMap& map : maps()) {
    SCOPED_TRACE(printMap(map));
    const at::Tensor expected = uncachedLast(*m_model, map, ids);
    for (const bool tailCut : {true, false}) {
      for (const std::int64_t chunk : {1, 5, 36, 37, 512}) {
        InferenceSession session(m_model, map, {.capacity = 40, .prefillChunk = chunk, .tailCut = tailCut});
        EXPECT_LT(distance(session.prefill({ids}).value()[0], expected), kTolerance)
            << "chunk " << chunk << " tail cut " << tailCut;
      }
    }
  }
}

TEST_P(Invariants, BatchesOfUnequalLengthsAgreeWithOneByOne) {
  const std::vector<std::vector<TokenId>> prompts = {someIds(5, m_vocab, 3), someIds(33, m_vocab, 40),
                                                     someIds(1, m_vocab, 7), someIds(12, m_vocab, 99)};
  GenerateConfig config;
  config.maxTokens = 12;
  config.ignoreEos = true;
  for (const SharingMap& map : maps()) {
    SCOPED_TRACE(printMap(map));
    const auto together = generate(m_model, map, prompts, config,
                                   {.onToken = {}, .cancel = nullptr, .context = 0, .prefillChunk = 7, .stopWhen = {}});
    ASSERT_TRUE(together) << together.error().message;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_EQ(together->answers[i].ids, generate(m_model, map, {prompts[i]}, config)->answers[0].ids)
          << "prompt " << i;
    }
  }
}

TEST_P(Invariants, FinishedSequencesLeaveWithoutChangingTheOthers) {
  const std::vector<std::vector<TokenId>> prompts = {someIds(6, m_vocab, 3), someIds(9, m_vocab, 40),
                                                     someIds(4, m_vocab, 7)};
  const SharingMap map = parseMap("stride:2", m_model->config().layers).value();
  InferenceSession all(m_model, map, {.capacity = 32}), one(m_model, map, {.capacity = 32});
  ASSERT_TRUE(all.prefill(prompts));
  all.keepRows({1});
  ASSERT_TRUE(one.prefill({prompts[1]}));
  EXPECT_LT(distance(all.decode({5}).value(), one.decode({5}).value()), kTolerance);
  EXPECT_EQ(all.kvBytes(), one.kvBytes());
}

TEST_P(Invariants, ASwitchedMapAgreesWithAFreshStart) {
  const std::vector<TokenId> ids = someIds(20, m_vocab);
  for (const SharingMap& before : maps()) {
    for (const SharingMap& after : maps()) {
      SCOPED_TRACE(printMap(before) + " -> " + printMap(after));
      InferenceSession session(m_model, before, {.capacity = 64}), fresh(m_model, after, {.capacity = 64});
      ASSERT_TRUE(session.prefill({ids}));
      session.switchMap(after);
      auto longer = ids;
      for (const TokenId id : {11, 12, 13}) longer.push_back(id);
      EXPECT_LT(distance(session.extend({11, 12, 13}).value(), fresh.prefill({longer}).value()), kTolerance);
      EXPECT_EQ(session.kvBytes(), fresh.kvBytes());
    }
  }
}

TEST_P(Invariants, CacheBytesAreOwnersTimesOneNumber) {
  const std::vector<TokenId> ids = someIds(20, m_vocab);
  const int layers = m_model->config().layers;
  const auto measured = [&](const SharingMap& map) {
    const std::int64_t before = memoryUsage().part(MemoryPart::kv).current;
    InferenceSession session(m_model, map, {.capacity = 100});
    EXPECT_TRUE(session.prefill({ids}));
    EXPECT_TRUE(session.decode({3}));
    const std::int64_t counted = memoryUsage().part(MemoryPart::kv).current - before;
    EXPECT_EQ(counted, session.kvBytes());
    return counted;
  };
  const std::int64_t full = measured(SharingMap::full(layers));
  EXPECT_EQ(full, kvBytes(SharingMap::full(layers), m_model->config().shape(), 100, 4));
  for (const SharingMap& map : maps()) EXPECT_EQ(measured(map) * layers, full * map.owners());
}

TEST_P(Invariants, FollowersKeysAndValuesAreNeverTouched) {
  const SharingMap map = parseMap("stride:2", m_model->config().layers).value();
  Weights weights = m_model->weights();
  for (int l = 0; l < map.layers(); ++l) {
    if (map.owns(l)) continue;
    LayerWeights& layer = weights.layers[static_cast<std::size_t>(l)];
    layer.k.weight = at::full_like(layer.k.weight, std::numeric_limits<double>::quiet_NaN());
    layer.v.weight = at::full_like(layer.v.weight, std::numeric_limits<double>::quiet_NaN());
  }
  const auto poisoned = Model::over(m_model->config(), weights, at::kFloat);
  const std::vector<TokenId> ids = someIds(20, m_vocab);
  GenerateConfig config;
  config.maxTokens = 8;
  config.ignoreEos = true;
  EXPECT_EQ(generate(poisoned, map, {ids}, config).value().answers[0].ids,
            generate(m_model, map, {ids}, config).value().answers[0].ids);
  EXPECT_EQ(scoreWindows(*poisoned, map, {ids}).value().nllSum, scoreWindows(*m_model, map, {ids}).value().nllSum);
}

TEST_P(Invariants, PassesRunOnTheMetaDeviceWithoutAHostRead) {
  Weights weights = m_model->weights();
  visitParameters(weights, m_model->config().tied,
                  [](const std::string&, at::Tensor& tensor) { tensor = tensor.to(at::kMeta); });
  const auto meta = Model::over(m_model->config(), weights, at::kFloat);
  for (const SharingMap& map : maps()) {
    InferenceSession session(meta, map, {.capacity = 64, .prefillChunk = 7});
    const auto logits = session.prefill({someIds(20, m_vocab), someIds(9, m_vocab)});
    ASSERT_TRUE(logits) << logits.error().message;
    EXPECT_TRUE(logits->is_meta());
    const auto next = session.decode({1, 2});
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ(next->sizes(), at::IntArrayRef({2, m_model->config().vocab}));
  }
}

TEST_P(Invariants, Bf16CachedErrorIsNoLargerThanTheUncachedOne) {
  const std::string path = sourceFolder() / "tests/golden/models" / name();
  const auto rounded = Model::open({.path = path, .dtype = "bfloat16"}).value();
  const auto exact =
      Model::over(rounded->config(), rounded->weights(), at::kFloat);  // the rounded weights, computed in fp32
  const std::vector<TokenId> ids = someIds(32, m_vocab);
  for (const SharingMap& map : maps()) {
    SCOPED_TRACE(printMap(map));
    double cached = 0, uncached = 0;
    InferenceSession session(rounded, map, {.capacity = 64});
    at::Tensor logits = session.prefill({{ids[0]}}).value();
    const at::Tensor all = scoreWindows(*rounded, map, {ids}, {.logits = true}).value().logits;
    const at::Tensor truth = scoreWindows(*exact, map, {ids}, {.logits = true}).value().logits;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      cached += (logits[0] - truth[at]).square().sum().item<double>();
      uncached += (all[at] - truth[at]).square().sum().item<double>();
      if (i + 1 < ids.size()) logits = session.decode({ids[i + 1]}).value();
    }
    EXPECT_LT(std::sqrt(cached), 1.5 * std::sqrt(uncached));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Invariants,
                         ::testing::Combine(::testing::ValuesIn(kGoldenModels), ::testing::Values(1, 2, 4, 8)),
                         [](const auto& info) {
                           return goldenName({std::get<0>(info.param), info.index}) + "With" +
                                  std::to_string(std::get<1>(info.param)) + "Threads";
                         });

}  // namespace
}  // namespace strata::testing
