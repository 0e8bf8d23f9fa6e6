// A session across map switches, cancellations and failures: what it answers afterwards is what a fresh one answers.

#include <atomic>
#include <chrono>
#include <thread>

#include "golden_sessions.h"

namespace strata::testing {
namespace {

using Ids = std::vector<TokenId>;

TokenId likeliest(const at::Tensor& logits) {
  return static_cast<TokenId>(logits[0].argmax().item<std::int64_t>());
}

/// `count` greedy ids from `logits` on; the session then holds all of them but the last.
Ids greedy(InferenceSession& session, at::Tensor logits, int count) {
  Ids ids = {likeliest(logits)};
  while (static_cast<int>(ids.size()) < count) {
    logits = session.decode({ids.back()}).value();
    ids.push_back(likeliest(logits));
  }
  return ids;
}

Ids joined(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// While it lives, layer `layer` of the model has a q_proj of a wrong shape: passes fail in the middle.
class BrokenLayer {
 public:
  BrokenLayer(const Model& model, int layer)
      : m_weight(model.weights().layers[static_cast<std::size_t>(layer)].q.weight) {
    m_data = m_weight.variable_data();
    m_weight.set_data(at::zeros({m_data.size(0), m_data.size(1) + 1}));
  }
  ~BrokenLayer() { m_weight.set_data(m_data); }
  BrokenLayer(const BrokenLayer&) = delete;
  BrokenLayer& operator=(const BrokenLayer&) = delete;

 private:
  at::Tensor m_weight, m_data;
};

class Session : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<const Model> m_model = golden(GetParam());
  Ids m_ids = someIds(20, static_cast<int>(m_model->config().vocab));
};

TEST_P(Session, GreedyIdsAfterAMapSwitchAreThoseOfAFreshStart) {
  for (const SharingMap& before : mapsOf(*m_model)) {
    for (const SharingMap& after : mapsOf(*m_model)) {
      SCOPED_TRACE(printMap(before) + " -> " + printMap(after));
      InferenceSession session(m_model, before, {.capacity = 64}), fresh(m_model, after, {.capacity = 64});
      Ids held = joined(m_ids, greedy(session, session.prefill({m_ids}).value(), 4));
      session.switchMap(after);
      const Ids expected = greedy(fresh, fresh.prefill({held}).value(), 10);
      EXPECT_EQ(greedy(session, session.decode({held.back()}).value(), 10), expected);
      held = joined(held, expected);
      EXPECT_EQ(session.ids()[0], Ids(held.begin(), held.end() - 1));

      // There and back again: only the map of the next message counts
      session.switchMap(before);
      session.switchMap(SharingMap::full(before.layers()));
      session.switchMap(before);
      const Ids message = {held.back(), 3, 1, 4};
      held = joined(Ids(held.begin(), held.end() - 1), message);
      InferenceSession again(m_model, before, {.capacity = 64});
      EXPECT_EQ(greedy(session, session.extend(message).value(), 6), greedy(again, again.prefill({held}).value(), 6));
    }
  }
}

TEST_P(Session, APassThatFailsInAnyLayerLeavesTheSessionAsItWas) {
  const Ids message = {5, 6, 7, 8, 9, 10, 11};
  for (const SharingMap& map : mapsOf(*m_model)) {
    for (int layer = 0; layer < map.layers(); ++layer) {
      SCOPED_TRACE(printMap(map) + ", layer " + std::to_string(layer));
      const SessionOptions options{.capacity = 64, .prefillChunk = 3};
      InferenceSession session(m_model, map, options), never(m_model, map, options);
      ASSERT_TRUE(session.prefill({m_ids}));
      ASSERT_TRUE(never.prefill({m_ids}));
      {
        const BrokenLayer broken(*m_model, layer);
        ASSERT_FALSE(session.extend(message));
        EXPECT_EQ(session.ids(), never.ids());
        ASSERT_FALSE(session.decode({2}));
        EXPECT_EQ(session.ids(), never.ids());
      }
      EXPECT_TRUE(at::equal(session.decode({3}).value(), never.decode({3}).value()));
      EXPECT_TRUE(at::equal(session.extend(message).value(), never.extend(message).value()));
      EXPECT_EQ(session.ids(), never.ids());
      EXPECT_EQ(session.kvBytes(), never.kvBytes());
    }
  }
}

TEST_P(Session, APassThatFailsAfterAMapSwitchLosesNeitherIdsNorTheSwitch) {
  for (const SharingMap& before : mapsOf(*m_model)) {
    for (const SharingMap& after : mapsOf(*m_model)) {
      SCOPED_TRACE(printMap(before) + " -> " + printMap(after));
      InferenceSession session(m_model, before, {.capacity = 64}), fresh(m_model, after, {.capacity = 64});
      ASSERT_TRUE(session.prefill({m_ids}));
      session.switchMap(after);
      {
        const BrokenLayer broken(*m_model, after.layers() - 1);
        ASSERT_FALSE(session.extend({5, 6, 7}));
        ASSERT_FALSE(session.decode({5}));
      }
      EXPECT_EQ(session.ids()[0], m_ids);
      EXPECT_LT(distance(session.extend({5, 6, 7}).value(), fresh.prefill({joined(m_ids, {5, 6, 7})}).value()),
                kTolerance);
      EXPECT_EQ(session.kvBytes(), fresh.kvBytes());
    }
  }
}

TEST_P(Session, APrefillThatFailsCanBeRepeated) {
  const SharingMap map = mapsOf(*m_model)[1];
  InferenceSession session(m_model, map, {.capacity = 64, .prefillChunk = 3}), never(m_model, map, {.capacity = 64});
  {
    const BrokenLayer broken(*m_model, 1);
    ASSERT_FALSE(session.prefill({m_ids, {1, 2}}));
  }
  const at::Tensor expected = never.prefill({m_ids}).value();
  EXPECT_LT(distance(session.prefill({m_ids}).value(), expected), kTolerance);
  EXPECT_LT(distance(session.decode({4}).value(), never.decode({4}).value()), kTolerance);
}

TEST_P(Session, ACancelledSessionIsUsedAgainAsIfNothingHadHappened) {
  const Ids message = someIds(30, static_cast<int>(m_model->config().vocab), 5);
  int cancelled = 0;
  for (const SharingMap& map : mapsOf(*m_model)) {
    SCOPED_TRACE(printMap(map));
    for (const int microseconds : {0, 20, 100, 300, 1000, 3000}) {
      std::atomic<bool> cancel{false};
      InferenceSession session(m_model, map, {.capacity = 64, .prefillChunk = 2, .cancel = &cancel});
      InferenceSession never(m_model, map, {.capacity = 64, .prefillChunk = 2});
      ASSERT_TRUE(session.prefill({m_ids}));
      ASSERT_TRUE(never.prefill({m_ids}));
      Result<at::Tensor> result = at::Tensor();
      if (microseconds == 0) {
        cancel = true;
        result = session.extend(message);
      } else {
        std::thread user([&] {
          std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
          cancel = true;
        });
        result = session.extend(message);
        user.join();
      }
      const at::Tensor expected = never.extend(message).value();
      if (result) {  // it was done before the user spoke
        EXPECT_TRUE(at::equal(*result, expected));
      } else {
        ++cancelled;
        EXPECT_EQ(result.error().code, ErrorCode::cancelled);
        EXPECT_EQ(session.ids()[0], m_ids);
        cancel = true;
        EXPECT_FALSE(session.decode({3}));
        EXPECT_EQ(session.ids()[0], m_ids);
        cancel = false;
        EXPECT_TRUE(at::equal(session.extend(message).value(), expected));
      }
      cancel = false;
      EXPECT_TRUE(at::equal(session.decode({3}).value(), never.decode({3}).value()));
      EXPECT_EQ(session.ids(), never.ids());
    }
  }
  EXPECT_GT(cancelled, 0);
}

TEST_P(Session, ACancelledDecodingStepOfABatchIsRepeated) {
  std::atomic<bool> cancel{false};
  const SharingMap map = mapsOf(*m_model)[1];
  InferenceSession session(m_model, map, {.capacity = 64, .cancel = &cancel}), never(m_model, map, {.capacity = 64});
  const std::vector<Ids> prompts = {m_ids, {7}, {1, 2, 3}};
  ASSERT_TRUE(session.prefill(prompts));
  ASSERT_TRUE(never.prefill(prompts));
  cancel = true;
  ASSERT_FALSE(session.decode({4, 5, 6}));
  EXPECT_EQ(session.ids(), prompts);
  cancel = false;
  EXPECT_TRUE(at::equal(session.decode({4, 5, 6}).value(), never.decode({4, 5, 6}).value()));
  EXPECT_TRUE(at::equal(session.decode({6, 5, 4}).value(), never.decode({6, 5, 4}).value()));
}

INSTANTIATE_TEST_SUITE_P(Models, Session, ::testing::ValuesIn(kGoldenModels), goldenName);

TEST(SessionLimits, RefusesMoreTokensThanItHolds) {
  const auto model = golden("llama2-mha");
  InferenceSession session(model, SharingMap::full(4), {.capacity = 4});
  const auto result = session.prefill({{1, 2, 3, 4, 5}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::usage);
  EXPECT_NE(result.error().message.find("holds 4 tokens"), std::string::npos);
}

TEST(SessionLimits, StopsBeforeTheNextLayerWhenCancelled) {
  const auto model = golden("llama2-mha");
  const std::atomic<bool> cancel{true};
  InferenceSession session(model, SharingMap::full(4), {.capacity = 16, .cancel = &cancel});
  const auto result = session.prefill({{1, 2, 3}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace strata::testing
