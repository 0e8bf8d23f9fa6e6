#include "core/config/eval_config.h"

#include <gmock/gmock.h>

#include "core/config/describe.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

EvalConfig evaluationOf(const std::string& task) {
  EvalConfig config;
  config.model = "m";
  config.task = task;
  config.data = "d";
  return config;
}

template <class Change>
std::string refusalOf(const std::string& task, const Change& change) {
  EvalConfig config = evaluationOf(task);
  change(config);
  const auto checked = checkEvalConfig(config);
  EXPECT_FALSE(checked) << task;
  return checked ? "" : checked.error().message;
}

TEST(EvalConfig, EveryTaskHasAScoreAndEveryOneThatAsksAPrompt) {
  for (const Choice& choice : kTaskChoices) {
    const std::string task = choice.value;
    if (task.empty()) continue;
    EXPECT_TRUE(checkEvalConfig(evaluationOf(task))) << task;
    EXPECT_STRNE(primaryMetric(task), "") << task;
    EXPECT_EQ(std::string(defaultPrompt(task)).empty(), task == "nll") << task;
  }
  EXPECT_STREQ(primaryMetric("dance"), "");
  EXPECT_STREQ(primaryMetric("squad"), "f1");
  EXPECT_STREQ(primaryMetric("multiple-choice"), "acc");
}

TEST(EvalConfig, AnOptionThatTheTaskHasNoUseForIsRefused) {
  EXPECT_EQ(refusalOf("nll", [](EvalConfig& c) { c.shots = 2; }), "The task nll has no use for shots; leave it out.");
  EXPECT_EQ(refusalOf("squad", [](EvalConfig& c) { c.window = 64; }),
            "The task squad has no use for window; leave it out.");
  EXPECT_THAT(refusalOf("lambada", [](EvalConfig& c) { c.chat = true; }), HasSubstr("no use for chat"));
  EXPECT_THAT(refusalOf("boolq", [](EvalConfig& c) { c.permutePassages = true; }),
              HasSubstr("no use for permute-passages"));
  EXPECT_THAT(refusalOf("squad", [](EvalConfig& c) { c.kvPairs = 9; }), HasSubstr("no use for kv-pairs"));
  EXPECT_THAT(refusalOf("kv-retrieval",
                        [](EvalConfig& c) {
                          c.columns = {{"question", "q"}};
                        }),
              HasSubstr("no use for columns"));
  EXPECT_THAT(refusalOf("nll", [](EvalConfig& c) { c.prompt = "{{ question }}"; }), HasSubstr("no use for prompt"));
}

TEST(EvalConfig, WhatDoesNotGoTogetherIsRefused) {
  EXPECT_THAT(refusalOf("kv-retrieval", [](EvalConfig& c) { c.kvPairs = 9; }),
              HasSubstr("Both data and kv-pairs are given"));
  EXPECT_THAT(refusalOf("kv-retrieval", [](EvalConfig& c) { c.data.clear(); }), HasSubstr("No data is given"));
  EXPECT_THAT(refusalOf("kv-retrieval", [](EvalConfig& c) { c.kvPairs = 1; }), HasSubstr("give 2 or more"));
  EXPECT_THAT(refusalOf("squad", [](EvalConfig& c) { c.shotsData = "x"; }), HasSubstr("no number of examples"));
  EXPECT_THAT(refusalOf("nll", [](EvalConfig& c) { c.window = 1; }), HasSubstr("predicts nothing"));
  EXPECT_THAT(refusalOf("dance", [](EvalConfig&) {}), HasSubstr("task"));
  EvalConfig drawn = evaluationOf("kv-retrieval");
  drawn.data.clear();
  drawn.kvPairs = 20;
  EXPECT_TRUE(checkEvalConfig(drawn));
}

}  // namespace
}  // namespace strata
