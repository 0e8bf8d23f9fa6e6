#include <cmath>

#include "core/config/generate_config.h"
#include "core/config/train_config.h"
#include "support.h"

namespace strata {
namespace {

struct AllTypes {
  bool flag = false;
  int count = 3;
  std::int64_t wide = -1;
  std::uint64_t seed = 1;
  double share = 0.5;
  std::string name = "x";
  std::optional<int> maybeCount;
  std::optional<double> maybeShare;
  std::optional<std::string> maybeName;
  std::optional<bool> maybeFlag;
  std::vector<std::string> list;

  template <class V>
  void visit(V& v) {
    v("flag", flag, "");
    v("count", count, "", Range{1, 10});
    v("wide", wide, "");
    v("seed", seed, "");
    v("share", share, "", Range{0, 1});
    v("name", name, "");
    v("maybe-count", maybeCount, "", Range{0, 5});
    v("maybe-share", maybeShare, "", Range{0, 1});
    v("maybe-name", maybeName, "");
    v("maybe-flag", maybeFlag, "");
    v("list", list, "");
  }
};

template <class Config>
std::string refusal(Config config, const std::string& text) {
  const auto json = parseJson(text, "options");
  if (!json) return "not JSON: " + json.error().message;
  const auto filled = configFromJson(*json, "options.json", config);
  if (filled) return "accepted";
  EXPECT_FALSE(filled.error().context.empty());
  return filled.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

template <class Config>
void expectRoundTrip(Config config) {
  const Json json = configToJson(config);
  Config back;
  const auto filled = configFromJson(json, "options", back);
  ASSERT_TRUE(filled) << filled.error().message;
  EXPECT_EQ(dumpLine(configToJson(back)), dumpLine(json));
}

TEST(Config, EveryTypeComesBackFromJson) {
  AllTypes config;
  expectRoundTrip(config);
  config.flag = true;
  config.count = 10;
  config.wide = std::numeric_limits<std::int64_t>::min();
  config.seed = std::numeric_limits<std::uint64_t>::max();
  config.share = 0.1 + 0.2 - 0.2;
  config.name = "ü\n\"";
  config.maybeCount = 5;
  config.maybeShare = 1;
  config.maybeName = "";
  config.maybeFlag = false;
  config.list = {"a", "", "b"};
  expectRoundTrip(config);
}

TEST(Config, EveryConfigComesBackFromJson) {
  expectRoundTrip(TrainConfig());
  TrainConfig train;
  train.pCross = 0.25;
  train.loraAlpha = 8;
  train.seed = ~0ull;
  train.distill = true;
  train.sampler = "strategy:1,.5";
  expectRoundTrip(train);
  expectRoundTrip(GenerateConfig());
  GenerateConfig generate;
  generate.stop = {"\n\n", "User:"};
  generate.temperature = 0.7;
  expectRoundTrip(generate);
}

TEST(Config, WritesItsFieldsInVisitingOrder) {
  const Json json = configToJson(AllTypes());
  EXPECT_EQ(dumpLine(json), R"({"flag":false,"count":3,"wide":-1,"seed":1,"share":0.5,"name":"x","maybe-count":null,)"
                            R"("maybe-share":null,"maybe-name":null,"maybe-flag":null,"list":[]})");
}

TEST(Config, KeepsWhatTheJsonLeavesOut) {
  AllTypes config;
  config.name = "kept";
  config.maybeCount = 4;
  ASSERT_TRUE(configFromJson(Json{{"count", 7}, {"maybe-count", nullptr}}, "options", config));
  EXPECT_EQ(config.name, "kept");
  EXPECT_EQ(config.count, 7);
  EXPECT_FALSE(config.maybeCount);
}

TEST(Config, LeavesTheConfigAloneWhenAnythingIsRefused) {
  AllTypes config;
  EXPECT_FALSE(configFromJson(Json{{"count", 7}, {"share", 2}}, "options", config));
  EXPECT_EQ(config.count, 3);
}

TEST(Config, NamesAnUnknownKeyAndTheNearestKnownOne) {
  const std::string message = refusal(AllTypes(), R"({"cuont": 3})");
  EXPECT_TRUE(contains(message, "options.json has the unknown option \"cuont\"")) << message;
  EXPECT_TRUE(contains(message, "did you mean \"count\"?")) << message;
  EXPECT_TRUE(contains(refusal(TrainConfig(), R"({"p_cross": 0.5})"), "did you mean \"p-cross\"?"));
  EXPECT_TRUE(contains(refusal(AllTypes(), R"({"something else": 3})"), "remove it"));
}

TEST(Config, NamesAFieldOfTheWrongType) {
  const auto expectNamed = [](const std::string& text, const std::string& name, const std::string& wanted) {
    const std::string message = refusal(AllTypes(), text);
    EXPECT_TRUE(contains(message, " for " + name + "; give " + wanted)) << message;
  };
  expectNamed(R"({"flag": 1})", "flag", "true or false");
  expectNamed(R"({"count": "3"})", "count", "a whole number");
  expectNamed(R"({"count": 3.5})", "count", "a whole number");
  expectNamed(R"({"count": true})", "count", "a whole number");
  expectNamed(R"({"count": null})", "count", "a whole number");
  expectNamed(R"({"share": "half"})", "share", "a number");
  expectNamed(R"({"share": false})", "share", "a number");
  expectNamed(R"({"name": 1})", "name", "a text in quotes");
  expectNamed(R"({"maybe-name": 1})", "maybe-name", "a text in quotes");
  expectNamed(R"({"list": "a"})", "list", "a list of texts");
  expectNamed(R"({"list": ["a", 1]})", "list", "a list of texts");
  EXPECT_TRUE(contains(refusal(AllTypes(), "[]"), "not a JSON object"));
}

TEST(Config, NamesTheRangeOfAValueOutsideIt) {
  EXPECT_TRUE(contains(refusal(AllTypes(), R"({"count": 11})"), "count 11; allowed is 1 … 10"));
  EXPECT_TRUE(contains(refusal(AllTypes(), R"({"count": 0})"), "allowed is 1 … 10"));
  EXPECT_TRUE(contains(refusal(AllTypes(), R"({"count": 99999999999999999999})"), "whole number"));
  EXPECT_TRUE(contains(refusal(AllTypes(), R"({"count": 99999999999})"), "count 99999999999; allowed is 1 … 10"));
  EXPECT_TRUE(contains(refusal(AllTypes(), R"({"seed": -1})"), "seed -1; allowed is 0 … "));
  EXPECT_TRUE(contains(refusal(AllTypes(), R"({"share": 1.5})"), "share 1.5; allowed is 0 … 1"));
  EXPECT_TRUE(contains(refusal(AllTypes(), R"({"maybe-share": -0.5})"), "maybe-share -0.5; allowed is 0 … 1"));
  EXPECT_EQ(refusal(AllTypes(), R"({"count": 10, "share": 0, "maybe-count": 5})"), "accepted");
}

TEST(Config, RangeCheckFindsTheFirstValueOutside) {
  AllTypes config;
  EXPECT_TRUE(checkRanges(config));
  config.maybeShare = 1.25;
  const auto checked = checkRanges(config);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().context, "maybe-share");
  config.maybeShare = std::nan("");
  EXPECT_FALSE(checkRanges(config));
}

TEST(GenerateConfig, IsGreedyByDefault) {
  const GenerateConfig config;
  EXPECT_EQ(config.temperature, 0);
  EXPECT_TRUE(checkRanges(config));
  EXPECT_TRUE(contains(refusal(config, R"({"top-p": 1.5})"), "top-p 1.5; allowed is 0 … 1"));
  EXPECT_TRUE(contains(refusal(config, R"({"max-tokens": 0})"), "max-tokens 0"));
}

TrainConfig goodConfig() {
  TrainConfig config;
  config.model = "model";
  config.data = "data.txt";
  return config;
}

std::string trainRefusal(const TrainConfig& config, const std::string& option) {
  const auto checked = checkTrainConfig(config);
  if (checked) return "accepted";
  EXPECT_EQ(checked.error().code, ErrorCode::usage);
  EXPECT_EQ(checked.error().context, option) << checked.error().message;
  return checked.error().message;
}

TEST(TrainConfig, AcceptsDefaultsWithAModelAndData) {
  EXPECT_EQ(trainRefusal(goodConfig(), ""), "accepted");
}

TEST(TrainConfig, ALoraNeedsTargets) {
  TrainConfig config = goodConfig();
  config.loraTargets.clear();
  EXPECT_EQ(trainRefusal(config, ""), "accepted") << "without a LoRA nothing is targeted";
  config.lora = 4;
  EXPECT_NE(trainRefusal(config, "lora-targets"), "accepted");
  config = goodConfig();
  config.lora = 4;
  config.init.swap(config.model);
  EXPECT_NE(trainRefusal(config, "lora"), "accepted") << "nobody keeps the random weights under it";
}

TEST(TrainConfig, NeedsDataAndExactlyOneOfModelAndInit) {
  TrainConfig config = goodConfig();
  config.data.clear();
  EXPECT_TRUE(contains(trainRefusal(config, "data"), "No training data"));
  config = goodConfig();
  config.init = "folder";
  EXPECT_TRUE(contains(trainRefusal(config, "init"), "Both model and init"));
  config.model.clear();
  EXPECT_EQ(trainRefusal(config, ""), "accepted");
  config.init.clear();
  EXPECT_TRUE(contains(trainRefusal(config, "model"), "No model"));
}

TEST(TrainConfig, RefusesWordsItDoesNotKnow) {
  TrainConfig config = goodConfig();
  config.schedule = "cosinus";
  EXPECT_TRUE(contains(trainRefusal(config, "schedule"), "cosine, linear, constant"));
  config = goodConfig();
  config.dtype = "float16";
  EXPECT_TRUE(contains(trainRefusal(config, "dtype"), "float32, bfloat16"));
  for (const char* device : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", ""}) {
    config = goodConfig();
    config.device = device;
    EXPECT_TRUE(contains(trainRefusal(config, "device"), "cuda:n")) << device;
  }
  for (const char* device : {"cpu", "cuda", "cuda:3", "auto"}) {
    config = goodConfig();
    config.device = device;
    EXPECT_EQ(trainRefusal(config, ""), "accepted") << device;
  }
}

TEST(TrainConfig, ChecksTheSamplerAndItsPCross) {
  TrainConfig config = goodConfig();
  config.sampler = "uniformly";
  EXPECT_TRUE(contains(trainRefusal(config, "sampler"), "uniformly"));
  config.sampler = "cla:2";
  EXPECT_EQ(trainRefusal(config, ""), "accepted");
  config.pCrossWarmup = 10;
  EXPECT_TRUE(contains(trainRefusal(config, "p-cross-warmup"), "fixed at 1"));
  config.pCrossWarmup = 0;
  config.pCross = 0.5;
  EXPECT_TRUE(contains(trainRefusal(config, "p-cross"), "cla:2"));
  config.sampler = "rd-cla:2";
  EXPECT_EQ(trainRefusal(config, ""), "accepted");
  config.pCross = 1.5;
  EXPECT_TRUE(contains(trainRefusal(config, "p-cross"), "allowed is 0 … 1"));
}

TEST(TrainConfig, SizesOfGroupsAndMicroBatchesDivideTheBatch) {
  const auto sized = [](int batch, int groups, int micro) {
    TrainConfig config = goodConfig();
    config.batch = batch;
    config.routingGroups = groups;
    config.microBatch = micro;
    return config;
  };
  for (const auto& good :
       {sized(8, 0, 0), sized(8, 0, 4), sized(8, 4, 0), sized(8, 4, 1), sized(8, 8, 1), sized(9, 3, 3)}) {
    EXPECT_EQ(trainRefusal(good, ""), "accepted");
  }
  EXPECT_TRUE(contains(trainRefusal(sized(8, 0, 3), "micro-batch"), "the batch of 8"));
  EXPECT_TRUE(contains(trainRefusal(sized(9, 0, 4), "micro-batch"), "the batch of 9"));
  EXPECT_TRUE(contains(trainRefusal(sized(4, 0, 8), "micro-batch"), "the batch of 4"));
  EXPECT_TRUE(contains(trainRefusal(sized(8, 3, 0), "routing-groups"), "the batch of 8"));
  EXPECT_TRUE(contains(trainRefusal(sized(8, 4, 4), "micro-batch"), "never spans two groups"));
  EXPECT_TRUE(contains(trainRefusal(sized(8, 16, 0), "routing-groups"), "the batch of 8"));
}

TEST(TrainConfig, ARunEndsByStepsOrByEpochs) {
  TrainConfig config = goodConfig();
  config.epochs = 1.5;
  EXPECT_EQ(trainRefusal(config, ""), "accepted");
  config.steps = 200;
  EXPECT_TRUE(contains(trainRefusal(config, "epochs"), "Both steps and epochs"));
  config.epochs = 0;
  EXPECT_TRUE(contains(trainRefusal(config, "epochs"), "epochs 0"));
  config.epochs.reset();
  EXPECT_EQ(trainRefusal(config, ""), "accepted");
}

TEST(TrainConfig, TellsTheSizesThatItsDefaultsMean) {
  TrainConfig config = goodConfig();
  config.batch = 8;
  EXPECT_EQ(effectiveMicroBatch(config), 8);
  EXPECT_EQ(effectiveRoutingGroups(config), 1);
  config.microBatch = 2;
  EXPECT_EQ(effectiveRoutingGroups(config), 4);
  config.routingGroups = 2;
  EXPECT_EQ(effectiveMicroBatch(config), 2);
  EXPECT_EQ(effectiveRoutingGroups(config), 2);
  config.microBatch = 0;
  EXPECT_EQ(effectiveMicroBatch(config), 4);
}

TEST(TrainConfig, EvaluationNeedsItsData) {
  TrainConfig config = goodConfig();
  config.evalEvery = 10;
  EXPECT_TRUE(contains(trainRefusal(config, "eval-data"), "eval-data"));
  config.evalData = "held-out.txt";
  EXPECT_EQ(trainRefusal(config, ""), "accepted");
  config.earlyStopPatience = 3;
  EXPECT_EQ(trainRefusal(config, ""), "accepted");
  config.evalEvery = 0;
  EXPECT_TRUE(contains(trainRefusal(config, "eval-every"), "early-stop-patience"));
}

TEST(TrainConfig, AScoreIsWatchedWhereQuestionsAreAnswered) {
  TrainConfig config = goodConfig();
  config.evalQuestions = "questions.json";
  EXPECT_TRUE(contains(trainRefusal(config, "eval-every"), "eval-questions are given"));
  config.evalEvery = 10;
  EXPECT_EQ(trainRefusal(config, ""), "accepted");
  config.earlyStopPatience = 3;
  EXPECT_TRUE(contains(trainRefusal(config, "early-stop-metric"), "needs held-out data"));
  config.earlyStopMetric = "f1";
  EXPECT_EQ(trainRefusal(config, ""), "accepted");
  config.evalQuestions.clear();
  config.split = 0.1;
  EXPECT_TRUE(contains(trainRefusal(config, "early-stop-metric"), "give eval-questions"));
  config.earlyStopMetric = "rouge";
  EXPECT_TRUE(contains(trainRefusal(config, "early-stop-metric"), "nll"));
}

TEST(TrainConfig, ASplitTakesThePlaceOfEvaluationData) {
  TrainConfig config = goodConfig();
  config.evalEvery = 10;
  config.split = 0.1;
  EXPECT_EQ(trainRefusal(config, ""), "accepted");
  config.evalData = "held-out.txt";
  EXPECT_TRUE(contains(trainRefusal(config, "split"), "Both split and eval-data"));
  config.evalData.clear();
  config.split = 1;
  EXPECT_TRUE(contains(trainRefusal(config, "split"), "0 … 0.9"));
}

TEST(TrainConfig, ColumnsAreAnObjectOrAText) {
  const std::map<std::string, std::string> wanted = {{"completion", "reply.text"}, {"prompt", "q"}};
  for (const Json& given :
       {Json("prompt=q,completion=reply.text"), Json{{"prompt", "q"}, {"completion", "reply.text"}}}) {
    TrainConfig config;
    ASSERT_TRUE(configFromJson(Json{{"columns", given}}, "test", config).has_value());
    EXPECT_EQ(config.columns, wanted);
    TrainConfig again;
    ASSERT_TRUE(configFromJson(configToJson(config), "test", again).has_value());
    EXPECT_EQ(again.columns, wanted);
  }
  for (const Json& bad : {Json("prompt"), Json("=q"), Json("prompt="), Json("prompt=q,,a=b"), Json("a=b,a=c"), Json(1),
                          Json{{"prompt", 1}}}) {
    TrainConfig config;
    const auto refused = configFromJson(Json{{"columns", bad}}, "test", config);
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_TRUE(contains(refused.error().message, "columns"));
  }
}

}  // namespace
}  // namespace strata
