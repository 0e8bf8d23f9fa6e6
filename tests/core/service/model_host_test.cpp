// Models that are open, answers from them, and how two of them differ.

#include "core/service/model_host.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <thread>

#include "core/model/chat_prompt.h"
#include "core/model/generate.h"
#include "core/model/memory.h"
#include "core/model/score.h"
#include "core/project/model_name.h"
#include "core/project/project.h"
#include "core/project/run_checkpoint.h"
#include "core/service/model_hash.h"
#include "support.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

const std::atomic<bool> kNotCancelled{false};

std::string story() {
  return (sourceFolder() / "resources/models/stories260K").string();
}
protocol::Side sideOf(const std::string& map, std::int64_t context = 0) {
  protocol::Side side;
  side.ref.model = story();
  side.ref.context = context;
  side.map = map;
  return side;
}
[[maybe_unused]] const bool kHostCounts = (installAllocator(), true);  // before the first tensor

protocol::Generate::Params question(const std::string& stream, const protocol::Side& side, int tokens) {
  protocol::Generate::Params params{stream, side, {{"user", "Once upon a time there was a dog"}}, {}, {}};
  params.sampling.maxTokens = tokens;
  params.sampling.ignoreEos = true;
  return params;
}

class ModelHostTest : public ::testing::Test {
 protected:
  protocol::Answer answer(const protocol::Generate::Params& params) {
    const auto result = m_host.generate(params, nullptr, nullptr, kNotCancelled);
    EXPECT_TRUE(result) << result.error().message;
    return result.value_or(protocol::Answer{});
  }
  std::atomic<int> m_changes{0};
  ModelHost m_host{{.version = "test", .onChange = [this] { ++m_changes; }}};
};

TEST_F(ModelHostTest, LoadsAModelOnceHoweverManyAsk) {
  std::vector<std::shared_ptr<const ModelHost::Open>> open(8);
  std::vector<std::thread> threads;
  for (auto& mine : open) {
    threads.emplace_back([&] { mine = m_host.open(sideOf("full").ref, nullptr, kNotCancelled).value(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& each : open) EXPECT_EQ(each, open.front());
  EXPECT_EQ(m_changes, 1);
  ASSERT_EQ(m_host.loaded().size(), 1U);
  EXPECT_EQ(m_host.loaded()[0].name, "stories260K");
}

TEST_F(ModelHostTest, ReferencesToTheSameFilesShareTheWeights) {
  protocol::ModelRef other = sideOf("full").ref;
  other.model = story() + "/../stories260K";
  const auto first = m_host.open(sideOf("full").ref, nullptr, kNotCancelled).value();
  const auto second = m_host.open(other, nullptr, kNotCancelled).value();
  EXPECT_EQ(first->model, second->model);
  EXPECT_EQ(first->info.hash, second->info.hash);
  EXPECT_EQ(m_host.loaded().size(), 2U);
  EXPECT_EQ(m_host.weightBytes(), first->info.weightBytes);
}

TEST_F(ModelHostTest, FormatsOfTheCacheShareTheWeights) {
  protocol::Side rounded = sideOf("stride:2");
  rounded.ref.kv = "int8";
  const auto plain = m_host.open(sideOf("full").ref, nullptr, kNotCancelled).value();
  const auto other = m_host.open(rounded.ref, nullptr, kNotCancelled).value();
  EXPECT_NE(plain->model, other->model);
  EXPECT_EQ(m_host.weightBytes(), plain->info.weightBytes);
  const protocol::Answer wide = answer(question("pane", sideOf("stride:2"), 5));
  const protocol::Answer narrow = answer(question("pane", rounded, 5));  // in the stream of the other cache
  // 8 values of 4 bytes; 8 codes and a scale of 2 bytes.
  EXPECT_EQ(wide.kvBytes * 10, narrow.kvBytes * 32);
  EXPECT_EQ(narrow.ids, answer(question("", rounded, 5)).ids);
  rounded.ref.kv = "int2";
  const auto unknown = m_host.open(rounded.ref, nullptr, kNotCancelled);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "The KV cache's format \"int2\" is unknown; give int8 or fp8.");
}

TEST_F(ModelHostTest, ALoadThatFailsLeavesNothingAndMayBeTriedAgain) {
  TemporaryFolder folder;
  protocol::ModelRef ref;
  ref.model = (folder.path() / "model").string();
  EXPECT_FALSE(m_host.open(ref, nullptr, kNotCancelled));
  EXPECT_TRUE(m_host.loaded().empty());
  std::filesystem::copy(story(), ref.model);
  EXPECT_TRUE(m_host.open(ref, nullptr, kNotCancelled));
  const std::atomic<bool> cancelled{true};
  const auto none = m_host.open(sideOf("full").ref, nullptr, cancelled);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::cancelled);
  EXPECT_EQ(m_host.loaded().size(), 1U);
}

TEST_F(ModelHostTest, AnotherMapInTheSameStreamAnswersAsAFreshOne) {
  for (const char* map : {"full", "stride:2", "prefix:3", "prefix:2", "full", "0,0,2,2,2"}) {
    SCOPED_TRACE(map);
    const protocol::Answer same = answer(question("pane", sideOf(map), 30));
    const protocol::Answer fresh = answer(question("", sideOf(map), 30));
    EXPECT_EQ(same.ids, fresh.ids);
    EXPECT_EQ(same.madeBy.src, fresh.madeBy.src);
    EXPECT_EQ(same.kvBytes, fresh.kvBytes);
    EXPECT_EQ(same.kvBytesFull, fresh.kvBytesFull);
    EXPECT_EQ(fresh.cachedTokens, 0);
  }
}

TEST_F(ModelHostTest, AnOpenModelTakesTheTemplateThatTheProjectGivesIt) {
  const TemporaryFolder project;
  writeText(project.path() / "strata.json", R"({"format": "strata-project", "version": 1})");
  m_host.setProject(project.path());
  const auto before = answer(question("chat", sideOf("full"), 1));
  const ModelLocation location{story(), {}, {}};
  fs::create_directories(project.path() / "templates");
  writeText(templateFileOf(location, project.path()), "{{ messages[0].content }} {{ messages[0].content }}");
  m_host.renewTemplates();
  EXPECT_NE(answer(question("chat", sideOf("full"), 1)).promptTokens, before.promptTokens);
  m_host.setProject({});
  EXPECT_EQ(answer(question("chat", sideOf("full"), 1)).promptTokens, before.promptTokens);
}

TEST_F(ModelHostTest, TheLatestCheckpointOfARunAnswersAndANewerOneTheNextQuestion) {
  const TemporaryFolder folder;
  const Project project = Project::openOrCreate(folder.path() / "project").value();
  const strata::Run run = strata::Run::create(project, "train", {{"init", story()}}).value();
  const auto save = [&](std::int64_t step) {
    ASSERT_TRUE(saveCheckpoint(run.folder(), step, [](const fs::path& into) -> Result<void> {
      fs::copy(story(), into, fs::copy_options::recursive);
      return {};
    }));
  };
  m_host.setProject(project.folder());
  protocol::Side side = sideOf("full"), fixed = side;
  side.ref.model = run.info().id + "@latest";
  fixed.ref.model = run.info().id + "@10";
  const auto early = m_host.generate(question("b", side, 4), nullptr, nullptr, kNotCancelled);
  ASSERT_FALSE(early);
  EXPECT_THAT(early.error().message, HasSubstr("has no checkpoint yet"));
  save(10);
  EXPECT_EQ(answer(question("b", side, 4)).madeBy.model, run.info().id + "@10");
  EXPECT_GT(answer(question("b", side, 4)).cachedTokens, 0) << "nothing was loaded anew";
  EXPECT_EQ(answer(question("a", fixed, 4)).madeBy.model, run.info().id + "@10");
  save(20);
  const protocol::Answer newer = answer(question("b", side, 4));
  EXPECT_EQ(newer.madeBy.model, run.info().id + "@20");
  EXPECT_THAT(newer.madeBy.folder, HasSubstr("step-20"));
  EXPECT_EQ(newer.cachedTokens, 0);
  EXPECT_EQ(answer(question("a", fixed, 4)).madeBy.model, run.info().id + "@10") << "a step stays";
  EXPECT_EQ(m_host.loaded().size(), 2U);
}

TEST_F(ModelHostTest, KeepsACacheByStreamUntilItIsDropped) {
  auto params = question("pane/a", sideOf("full"), 5);
  params.side.ref.context = 2048;
  for (int i = 0; i < 6; ++i) params.turns.back().content += params.turns.back().content;
  const protocol::Answer first = answer(params);
  ASSERT_GT(first.promptTokens, 512) << "the first chunk of a prefill";
  EXPECT_EQ(first.cachedTokens, 0);
  const protocol::Answer second = answer(params);
  EXPECT_EQ(second.cachedTokens, first.promptTokens);
  EXPECT_EQ(second.ids, first.ids);
  params.turns.back().content += " And then?";
  EXPECT_EQ(answer(params).cachedTokens, 512) << "another question reuses whole chunks of the prefill";
  params.turns.back().content.resize(params.turns.back().content.size() - 10);
  EXPECT_EQ(answer(params).ids, first.ids);
  m_host.dropStreams("pane/");
  EXPECT_EQ(answer(params).cachedTokens, 0);
  for (int i = 0; i < 8; ++i) answer(question("other " + std::to_string(i), sideOf("full"), 1));
  EXPECT_EQ(answer(params).cachedTokens, 0) << "the longest unused goes first";
}

TEST_F(ModelHostTest, CountsWhatEachModelHoldsByChat) {
  EXPECT_TRUE(m_host.memory().empty());
  const protocol::Answer half = answer(question("pane/b", sideOf("stride:2"), 5));
  const protocol::Answer full = answer(question("pane/a", sideOf("full"), 9));
  answer(question("", sideOf("full"), 9));  // keeps none
  const auto models = m_host.memory();
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].weights, m_host.weightBytes());
  ASSERT_EQ(models[0].caches.size(), 2U);
  for (const auto& [made, cache] : {std::pair{half, models[0].caches[0]}, {full, models[0].caches[1]}}) {
    EXPECT_EQ(cache.map, made.madeBy.map);
    EXPECT_EQ(cache.reserved, made.kvBytes);
    EXPECT_EQ(cache.used, made.kvBytesUsed);
    // The last token is chosen, and not read.
    EXPECT_EQ(cache.tokens, made.promptTokens + static_cast<int>(made.ids.size()) - 1);
    EXPECT_EQ(cache.used * cache.context, cache.reserved * cache.tokens);
    EXPECT_LT(cache.used, cache.reserved);
  }
  m_host.dropStreams("pane/b");
  EXPECT_EQ(m_host.memory()[0].caches.size(), 1U);
  m_host.unload(sideOf("full").ref);
  EXPECT_TRUE(m_host.memory().empty());
}

TEST_F(ModelHostTest, CountsTheActivationsOfAStepAtTheirPeak) {
  protocol::Generate::Params asked = question("pane", sideOf("full"), 1);
  for (int i = 0; i < 60; ++i) asked.turns[0].content += " and the dog ran";
  const int tokens = answer(asked).promptTokens;
  const auto open = m_host.open(sideOf("full").ref, nullptr, kNotCancelled).value();
  const std::int64_t chunk = std::min(tokens, 512) * std::int64_t{open->model->config().width} * 4;
  const std::int64_t peak = m_host.memory()[0].activationsPeak;
  EXPECT_GT(peak, 2 * chunk) << "the state of a chunk and what a layer makes of it";
  answer(question("pane", sideOf("full"), 1));
  EXPECT_EQ(m_host.memory()[0].activationsPeak, peak) << "a shorter one does not lower it";
}

TEST_F(ModelHostTest, CountsThePromptAndSaysHowManyOldQuestionsToDrop) {
  const auto side = sideOf("full", 64);
  protocol::Generate::Params params = question("", side, 4);
  const auto count = [&] {
    const auto counted = m_host.count({side.ref, params.turns, 4}, kNotCancelled);
    EXPECT_TRUE(counted) << counted.error().message;
    return counted.value_or(protocol::CountPrompt::Answer{});
  };
  const auto one = count();
  EXPECT_EQ(one.tokens, answer(params).promptTokens);
  EXPECT_EQ(one.context, 64);
  EXPECT_EQ(one.drop, 0);
  const auto turns = params.turns;
  params.turns.clear();
  for (int i = 0; i < 9; ++i) {
    params.turns.push_back(turns[0]);
    params.turns.push_back({"assistant", "Her name was Lily"});
  }
  params.turns.push_back(turns[0]);
  const auto many = count();
  EXPECT_GE(many.tokens, many.context);
  const auto refused = m_host.generate(params, nullptr, nullptr, kNotCancelled);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().context, "--context");
  EXPECT_THAT(refused.error().message, Not(HasSubstr("--"))) << "the window shows it";
  ASSERT_GT(many.drop, 0);
  params.turns.erase(params.turns.begin(), params.turns.begin() + 2 * (many.drop - 1));
  EXPECT_GT(count().tokens + 4, 64) << "one fewer would not do";
  params.turns.erase(params.turns.begin(), params.turns.begin() + 2);
  const auto fits = count();
  EXPECT_LE(fits.tokens + 4, 64);
  EXPECT_EQ(fits.drop, 0);
  std::string tooLong;
  for (int i = 0; i < 30; ++i) tooLong += "Once upon a time ";
  params.turns = {{"user", tooLong}};
  EXPECT_EQ(count().drop, -1);
}

TEST_F(ModelHostTest, ALongPromptDoesNotStarveAnotherAnswer) {
  const protocol::Side side = sideOf("full", 20000);
  answer(question("warm", side, 1));
  protocol::Generate::Params longPrompt = question("a", side, 1);
  for (int i = 0; i < 700; ++i) longPrompt.turns[0].content += " and the dog ran";
  std::atomic<bool> reading{false};
  std::atomic<int> during{0};
  std::thread first([&] {
    reading = true;
    const auto result = m_host.generate(longPrompt, nullptr, nullptr, kNotCancelled);
    reading = false;
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_TRUE(result->shared);
  });
  while (!reading) std::this_thread::yield();
  const auto onTokens = [&](const std::string&, const std::vector<int>&, std::int64_t) { during += reading; };
  ASSERT_TRUE(m_host.generate(question("b", side, 200), onTokens, nullptr, kNotCancelled));
  first.join();
  EXPECT_GE(during, 3) << "tokens while the prompt was read";
}

TEST_F(ModelHostTest, ACancelledPromptIsACancelledAnswer) {
  const protocol::Side side = sideOf("full", 20000);
  answer(question("warm", side, 1));
  protocol::Generate::Params longPrompt = question("a", side, 1);
  for (int i = 0; i < 3000; ++i) longPrompt.turns[0].content += " and the dog ran";
  std::atomic<bool> cancelled{false};
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancelled = true;
  });
  const auto result = m_host.generate(longPrompt, nullptr, nullptr, cancelled);
  canceller.join();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->finish, "cancel");
  EXPECT_TRUE(result->ids.empty());
}

TEST_F(ModelHostTest, CompletesATextWithoutATemplate) {
  CompletionTask task;
  task.side = sideOf("full");
  task.sampling.maxTokens = 20;
  const auto model = Model::open({.path = story()}).value();
  // The second goes on with a word, whose space belongs to the answer.
  for (const char* prompt : {"Once upon a time", "Once upon a time, there was a little girl named"}) {
    task.prompt = prompt;
    std::string told;
    const auto result = m_host.complete(
        task, [&](const std::string& text, const auto&, auto) { told += text; }, kNotCancelled);
    ASSERT_TRUE(result) << result.error().message;
    std::vector<TokenId> ids = model->tokenizer()->withSpecials(model->tokenizer()->encode(prompt));
    const auto expected = generate(model, SharingMap::full(5), {ids}, task.sampling).value();
    ids.insert(ids.end(), expected.answers[0].ids.begin(), expected.answers[0].ids.end());
    EXPECT_EQ(prompt + result->answer.text, model->tokenizer()->decode(ids, true).value());
    EXPECT_EQ(told, result->answer.text);
  }
}

TEST_F(ModelHostTest, ScoringAPromptEndsWhenItIsCancelled) {
  CompletionTask task;
  task.side = sideOf("full", 20000);
  task.prompt = std::vector<int>(19000, 410);
  task.generates = false;
  task.echo = true;
  task.logprobs = 1;
  ASSERT_TRUE(m_host.open(task.side.ref, nullptr, kNotCancelled));
  std::atomic<bool> cancelled{false};
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancelled = true;
  });
  const auto result = m_host.complete(task, nullptr, cancelled);
  canceller.join();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::cancelled);
}

TEST_F(ModelHostTest, TheDivergenceIsThatOfTheTwoPredictionsInDoublePrecision) {
  const protocol::Side a = sideOf("full"), b = sideOf("stride:2");
  const auto params = question("", a, 40);
  const protocol::Answer said = answer(params);
  const auto compared = m_host.compare({a, b, params.turns, said.ids, 2}, kNotCancelled);
  ASSERT_TRUE(compared) << compared.error().message;
  const auto open = m_host.open(a.ref, nullptr, kNotCancelled).value();
  const auto prompt = chatPrompt(*open->model, **open->chatTemplate(),
                                 Json::array({{{"role", "user"}, {"content", params.turns[0].content}}}))
                          .value();
  std::vector<TokenId> all = prompt;
  all.insert(all.end(), said.ids.begin(), said.ids.end());
  const auto logProbabilities = [&](const char* map) {
    return scoreWindows(*open->model, parseMap(map, 5).value(), {all}, {.logits = true})
        .value()
        .logits.to(at::kDouble)
        .log_softmax(1);
  };
  const at::Tensor ofA = logProbabilities("full"), ofB = logProbabilities("stride:2");
  const at::Tensor kl = (ofA.exp() * (ofA - ofB)).sum(1);
  ASSERT_EQ(compared->tokens.size(), said.ids.size());
  for (std::size_t i = 0; i < said.ids.size(); ++i) {
    const auto place = static_cast<std::int64_t>(prompt.size() + i - 1);
    EXPECT_NEAR(compared->tokens[i].kl, kl[place].item<double>(), 1e-3 * (1 + kl[place].item<double>())) << i;
    EXPECT_NEAR(compared->tokens[i].a[0].probability, ofA[place].max().exp().item<double>(), 1e-3) << i;
    EXPECT_NEAR(compared->tokens[i].b[0].probability, ofB[place].max().exp().item<double>(), 1e-3) << i;
    if (i > 0) {
      EXPECT_EQ(compared->tokens[i].a[0].text, compared->tokens[i].text) << "A's likeliest is what A said";
    }
  }
  const std::atomic<bool> cancelled{true};
  EXPECT_EQ(m_host.compare({a, b, params.turns, said.ids, 2}, cancelled).error().code, ErrorCode::cancelled);
  EXPECT_THAT(m_host.compare({a, b, params.turns, {99999}, 2}, kNotCancelled).error().message, HasSubstr("99999"));
}

TEST(ModelHashes, AreThoseOfTheCheckpointAndFollowItsFiles) {
  TemporaryFolder folder;
  const auto model = folder.path() / "model";
  std::filesystem::copy(story(), model);
  ModelHashes hashes(folder.path() / "hashes.json");
  const auto first = Checkpoint::open(model).value();
  const std::string before = first.hash().value();
  EXPECT_EQ(hashes.of(first).value(), before);
  std::string bytes = readText(model / "model.safetensors");
  bytes[bytes.size() - 3] ^= 1;
  std::filesystem::remove(model / "model.safetensors");
  writeText(model / "model.safetensors", bytes);
  const auto second = Checkpoint::open(model).value();
  EXPECT_EQ(hashes.of(second).value(), second.hash().value());
  EXPECT_NE(hashes.of(second).value(), before);
  EXPECT_FALSE(first.hash()) << "its file was replaced";
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "hashes.json")) << "small ones are not kept";
}

TEST(ModelHashes, HoldTheAdapterToo) {
  TemporaryFolder folder;
  const auto checkpoint = Checkpoint::open(story()).value();
  ModelHashes hashes(folder.path() / "hashes.json");
  const auto adapter = [&](const char* name, const std::string& config, const std::string& weights) {
    std::filesystem::create_directories(folder.path() / name);
    writeText(folder.path() / name / "adapter_config.json", config);
    writeText(folder.path() / name / "adapter_model.safetensors", weights);
    return hashes.of(checkpoint, folder.path() / name).value();
  };
  const std::string one = adapter("one", "{}", "weights");
  EXPECT_NE(one, checkpoint.hash().value());
  EXPECT_EQ(adapter("same", "{}", "weights"), one) << "wherever it is";
  EXPECT_NE(adapter("other", "{}", "others"), one);
  EXPECT_NE(adapter("scaled", R"({"lora_alpha": 8})", "weights"), one);
  EXPECT_NE(adapter("one", "{}", "changed"), one) << "its files were written over";
  EXPECT_FALSE(hashes.of(checkpoint, folder.path() / "none"));
}

}  // namespace
}  // namespace strata::testing
