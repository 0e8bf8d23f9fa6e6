// The JSON that machines read: every verb's keys, and what must hold between them.

#include <algorithm>
#include <cmath>

#include "core/checkpoint/safetensors.h"
#include "program.h"

namespace strata::testing {
namespace {

TEST(Program, InspectTellsTheModelAndItsKvBytes) {
  const auto json = answerOf({"inspect", storyModel()});
  expectKeys(json, {"architecture", "layers", "heads", "kv_heads", "head_dim", "width", "ffn", "vocab", "parameters",
                    "dtype", "bytes_on_disk", "context", "tokenizer", "rope", "kv_bytes_per_token", "maps"});
  EXPECT_EQ(json["parameters"], 260032);
  EXPECT_EQ(json["kv_bytes_per_token"]["full"], 2 * 4 * 8 * 4 * 5);
  EXPECT_EQ(runProgram({"inspect", storyModel(), "--check"}).code, 0);
}

TEST(Program, InspectTakesSeveralMaps) {
  const auto json = answerOf({"inspect", storyModel(), "--map", "full,stride:2", "--map", "0,0,0,0,0"});
  ASSERT_EQ(json["maps"].size(), 3u);
  EXPECT_EQ(json["kv_bytes_per_token"]["0,0,0,0,0"], 256);
}

TEST(Program, DataCheckFollowsATrainingConfiguration) {
  const TemporaryFolder folder;
  writeText(folder.path() / "rows.jsonl", R"({"prompt": "Once upon a", "completion": " time there was a girl."})");
  writeText(folder.path() / "config.json",
            R"({"model": ")" + storyModel() + R"(", "length": 8, "train-on-prompt": true})");
  const auto json =
      answerOf({"data", "check", folder.path() / "rows.jsonl", "--config", folder.path() / "config.json"});
  EXPECT_EQ(json["tokens"], 8);
  EXPECT_EQ(json["trained_tokens"], 7);
  EXPECT_EQ(json["truncated"], 1);
  EXPECT_EQ(answerOf({"data", "check", folder.path() / "rows.jsonl", "--config", folder.path() / "config.json",
                      "--length", "64"})["truncated"],
            0);
}

TEST(Program, DataCheckListsWhatIsDroppedAndShowsWhatIsTrainedOn) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "rows.csv";
  writeText(file, "q,a\nOnce upon a, time there was\nbroken\nOnce upon a, time there was\n");
  const auto json = answerOf({"data", "check", file, "--columns", "prompt=q, completion=a", "--model", storyModel(),
                              "--show", "1", "--against", file});
  EXPECT_EQ(json["format"], "prompt/completion");
  EXPECT_EQ(json["rows"], 2);
  ASSERT_EQ(json["dropped"].size(), 1u);
  EXPECT_EQ(json["dropped"][0]["line"], 3);
  EXPECT_EQ(json["duplicates"][0]["line"], 4);
  EXPECT_EQ(json["duplicates"][0]["first_line"], 2);
  EXPECT_EQ(json["overlap"]["same_rows"], 2);
  EXPECT_EQ(json["overlap"]["against_dropped_records"], 1);
  EXPECT_NE(json["refused"].get<std::string>().find("1 of 3 records"), std::string::npos);
  std::string prompt, trained;
  for (const auto& token : json["shown"][0]) (token["trained"] ? trained : prompt) += token["text"].get<std::string>();
  EXPECT_EQ(prompt, "Once upon a");
  EXPECT_EQ(trained, " time there was");
}

TEST(Program, DataCheckWithoutAUsableRowGivesTheReasonsAndAnError) {
  const TemporaryFolder folder;
  writeText(folder.path() / "rows.jsonl", "{\"a\": 1}\n{\"b\": 2}\n");
  const Answer outcome = runProgram({"data", "check", folder.path() / "rows.jsonl", "--json"});
  EXPECT_EQ(outcome.code, 1);
  const auto json = outcome.json();
  EXPECT_EQ(json["dropped"].size(), 2u);
  EXPECT_EQ(json["error"]["code"], "invalid_data");
}

TEST(Program, KvBytesShrinkByExactlyTheRetention) {
  const auto generated = [](const std::string& map) {
    return answerOf({"generate", storyModel(), "--prompt", "Once", "--max-tokens", "8", "--ignore-eos", "--map", map});
  };
  const auto scored = [](const std::string& map) {
    return answerOf({"score", storyModel(), "--ids", "1,403,407", "--map", map});
  };
  const auto full = generated("full"), fullScore = scored("full");
  for (const auto& [map, owners] :
       std::vector<std::pair<std::string, int>>{{"stride:2", 3}, {"even:2", 2}, {"prefix:1", 1}}) {
    EXPECT_EQ(generated(map)["kv_bytes"].get<std::int64_t>() * 5, full["kv_bytes"].get<std::int64_t>() * owners) << map;
    EXPECT_EQ(scored(map)["kv_bytes"].get<std::int64_t>() * 5, fullScore["kv_bytes"].get<std::int64_t>() * owners)
        << map;
  }
}

TEST(Program, GenerateAnswersWithTextAndTimes) {
  const auto json = answerOf({"generate", storyModel(), "--prompt", "Once upon a time", "--max-tokens", "12"});
  expectKeys(json, {"ids", "text", "finish", "kv_bytes", "prefill_s", "decode_s", "map"});
  EXPECT_EQ(json["ids"].size(), 12u);
  EXPECT_EQ(json["finish"], "length");
  EXPECT_EQ(json["map"], "full");
  const Answer plain = runProgram({"generate", storyModel(), "--prompt", "Once upon a time", "--max-tokens", "12"});
  EXPECT_EQ(plain.code, 0);
  EXPECT_EQ(plain.out, json["text"].get<std::string>() + "\n");
}

/// 5 owners · 2 · 4 heads · (8 codes + 2 bytes of a scale) bytes a token.
TEST(Program, ACacheOf8BitsTakesItsPredictedBytesInEveryCommand) {
  const TemporaryFolder folder;
  writeText(folder.path() / "text.txt", kStory);
  for (const std::string& kv : {std::string("int8"), std::string("fp8")}) {
    SCOPED_TRACE(kv);
    const auto inspected = answerOf({"inspect", storyModel(), "--kv", kv});
    EXPECT_EQ(inspected["kv_dtype"], kv);
    EXPECT_EQ(inspected["kv_bytes_per_token"]["full"], 400);
    EXPECT_EQ(answerOf({"estimate", storyModel(), "--kv", kv, "--users", "3", "--context", "100"})["kv"],
              3 * 100 * 400);
    std::vector<std::string> generate{"generate",     storyModel(), "--ids", "1,403,407,261",
                                      "--max-tokens", "12",         "--kv",  kv};
    EXPECT_EQ(answerOf(generate)["kv_bytes"], 16 * 400);
    generate.insert(generate.end(), {"--map", "0,0,2,2,2"});
    EXPECT_EQ(answerOf(generate)["kv_bytes"], 16 * 400 * 2 / 5);
    const auto plain = answerOf({"score", storyModel(), "--ids", "1,403,407,261"});
    const auto scored = answerOf({"score", storyModel(), "--ids", "1,403,407,261", "--kv", kv});
    EXPECT_EQ(scored["kv_bytes"], 4 * 400);
    EXPECT_NE(scored["nll"], plain["nll"]);
    EXPECT_NEAR(scored["nll"].get<double>(), plain["nll"].get<double>(), 0.02);
    const auto bench = answerOf({"bench", storyModel(), "--prompt-tokens", "8", "--context", "8", "--decode-tokens",
                                 "4", "--repeat", "1", "--kv", kv});
    EXPECT_EQ(bench["kv_dtype"], kv);
    EXPECT_EQ(bench["kv_bytes"], 12 * 400);
    const auto evaluated = answerOf(
        {"eval", storyModel(), "--task", "nll", "--data", folder.path() / "text.txt", "--maps", "full", "--kv", kv});
    EXPECT_EQ(evaluated["results"][0]["kv_bytes_per_token"], 400);
  }
}

TEST(Program, SampledTextDependsOnTheSeedAlone) {
  const auto sampled = [](const char* seed) {
    return answerOf({"generate", storyModel(), "--prompt", "Once", "--max-tokens", "20", "--temperature", "1", "--seed",
                     seed})["ids"];
  };
  EXPECT_EQ(sampled("7"), sampled("7"));
  EXPECT_NE(sampled("7"), sampled("8"));
}

TEST(Program, WithoutTokenizerFilesIdsWorkAndTextIsNull) {
  const auto json = answerOf({"generate", goldenModel("llama-bias"), "--ids", "1,2,3", "--max-tokens", "3"});
  EXPECT_TRUE(json["text"].is_null());
  EXPECT_EQ(runProgram({"generate", goldenModel("llama-bias"), "--prompt", "hi"}).code, 1);
  const TemporaryFolder folder;
  const auto model = folder.path() / "model";
  std::filesystem::copy(goldenModel("llama-bias"), model);
  writeText(model / "tokenizer.json", R"({"version": "1.0"})");
  const auto other = answerOf({"generate", model, "--ids", "1,2,3", "--max-tokens", "3"});
  EXPECT_EQ(other["ids"], json["ids"]);
  EXPECT_TRUE(other["text"].is_null());
  const Answer prompted = runProgram({"generate", model, "--prompt", "hi"});
  EXPECT_EQ(prompted.code, 1);
  EXPECT_NE(prompted.err.find("tokenizer.json"), std::string::npos) << prompted.err;
}

TEST(Program, TokenizeGoesBothWaysAndByLine) {
  const auto json = answerOf({"tokenize", storyModel(), "Once upon a time"});
  EXPECT_EQ(json["ids"], nlohmann::json({403, 407, 261, 378}));
  EXPECT_EQ(json["text"], "Once upon a time");
  EXPECT_EQ(answerOf({"tokenize", storyModel(), "--special", "Once"})["ids"], nlohmann::json({1, 403}));
  EXPECT_EQ(answerOf({"tokenize", storyModel() + "/tokenizer.model", "--ids", "403,407"})["text"], "Once upon");
  EXPECT_EQ(answerOf({"tokenize", storyModel(), "--decode", "403 407"})["text"], "Once upon");
  const Answer lines = runProgram({"tokenize", storyModel(), "--jsonl"}, "{\"text\": \"né\"}\n\n{\"ids\": [403]}\n");
  EXPECT_EQ(lines.code, 0) << lines.err;
  const std::size_t end = lines.out.find('\n');
  const auto first = nlohmann::json::parse(lines.out.substr(0, end)),
             second = nlohmann::json::parse(lines.out.substr(end));
  std::string pieces;
  for (const auto& piece : first["pieces"]) pieces += piece.get<std::string>();
  EXPECT_EQ(pieces, "né");
  EXPECT_EQ(second["text"], "Once");
}

TEST(Program, ScoreOfATextIsTheSumOverItsDocuments) {
  const TemporaryFolder folder;
  const std::string story = kStory;
  writeText(folder.path() / "both.txt", story);
  writeText(folder.path() / "one.txt", story.substr(0, story.find("\n<|endoftext|>")));
  const auto both = answerOf({"score", storyModel(), "--text", folder.path() / "both.txt", "--context", "16"});
  const auto one = answerOf({"score", storyModel(), "--text", folder.path() / "one.txt", "--context", "16"});
  expectKeys(both, {"nll", "tokens", "perplexity", "map", "kv_bytes"});
  EXPECT_GT(both["tokens"], one["tokens"]);
  EXPECT_NEAR(both["perplexity"].get<double>(), std::exp(both["nll"].get<double>()), 1e-6);
  EXPECT_FALSE(both.contains("grad_norms"));
}

TEST(Program, ScoreWritesLogitsOfEveryPosition) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "logits.safetensors";
  answerOf({"score", storyModel(), "--ids", "1,403,407,261", "--logits", path});
  const auto tensors = readSafetensors(path);
  ASSERT_TRUE(tensors) << tensors.error().message;
  EXPECT_EQ(tensors->at("logits").shape, (std::vector<std::int64_t>{4, 512}));
  EXPECT_EQ(tensors->at("logits").dtype, DType::f32);
}

TEST(Program, ScoreOfATrainingRoutingHasNoKvBytesAndUnreadProjectionsHaveNoGradient) {
  const auto json = answerOf({"score", storyModel(), "--ids", "1,403,407,261", "--map", "0,0,1,1,4", "--grad-norms"});
  EXPECT_TRUE(json["kv_bytes"].is_null());
  EXPECT_EQ(json["grad_norms"]["model.layers.2.self_attn.k_proj.weight"], 0);
  EXPECT_GT(json["grad_norms"]["model.layers.1.self_attn.k_proj.weight"], 0);
  EXPECT_FALSE(json["grad_norms"].contains("lm_head.weight"));
}

TEST(Program, EvalOfHeldOutTextAnswersPerMap) {
  const TemporaryFolder folder;
  writeText(folder.path() / "text.txt", kStory);
  const auto json = answerOf(
      {"eval", storyModel(), "--task", "nll", "--data", folder.path() / "text.txt", "--maps", "full,stride:2"});
  ASSERT_EQ(json["results"].size(), 2u);
  for (const auto& result : json["results"])
    expectKeys(result, {"map", "retention", "f1", "em", "nll", "n", "kv_bytes_per_token"});
  EXPECT_EQ(json["results"][1]["map"], "stride:2");
  EXPECT_DOUBLE_EQ(json["results"][1]["retention"], 0.6);
  const auto score = answerOf({"score", storyModel(), "--text", folder.path() / "text.txt"});
  EXPECT_NEAR(json["results"][0]["nll"].get<double>(), score["nll"].get<double>(), 1e-5);
}

constexpr const char* kSquad =
    R"({"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "Lily has a red ball.",
  "qas": [{"id": "a", "question": "What has Lily?", "answers": [{"text": "a red ball", "answer_start": 9}]},
          {"id": "b", "question": "Who has it?", "answers": [{"text": "Lily", "answer_start": 0}]}]}]}]})";

TEST(Program, EvalScoresAnswersMadeElsewhere) {
  const TemporaryFolder folder;
  writeText(folder.path() / "data.json", kSquad);
  writeText(folder.path() / "answers.json", R"({"a": "red ball", "b": "Tom"})");
  const auto json = answerOf({"eval", "--task", "squad", "--data", folder.path() / "data.json", "--predictions",
                              folder.path() / "answers.json"});
  EXPECT_DOUBLE_EQ(json["em"], 0.5);
  EXPECT_DOUBLE_EQ(json["f1"], 0.5);
  EXPECT_EQ(json["n"], 2);
}

TEST(Program, EvalScoresTheAnswersOfEveryQuestionTask) {
  const TemporaryFolder folder;
  const auto scored = [&](const std::string& task, const std::string& data, const std::string& predictions) {
    writeText(folder.path() / "data.json", data);
    writeText(folder.path() / "answers.json", predictions);
    return answerOf({"eval", "--task", task, "--data", folder.path() / "data.json", "--predictions",
                     folder.path() / "answers.json"});
  };
  const std::string hotpot =
      R"([{"_id": "x", "question": "Q?", "answer": "red ball", "type": "bridge", "supporting_facts": [["T", 0]]}])";
  const auto answers = scored("hotpotqa", hotpot, R"({"x": "ball"})");
  EXPECT_DOUBLE_EQ(answers["f1"], 2.0 / 3);
  EXPECT_DOUBLE_EQ(answers["precision"], 1);
  EXPECT_FALSE(answers.contains("joint"));
  const auto joint = scored("hotpotqa", hotpot, R"({"answer": {"x": "ball"}, "sp": {"x": [["T", 0], ["U", 1]]}})");
  EXPECT_DOUBLE_EQ(joint["supporting_facts"]["precision"], 0.5);
  EXPECT_DOUBLE_EQ(joint["joint"]["f1"], 0.5);
  const auto trivia = scored("triviaqa", R"({"Domain": "Wikipedia", "Data": [{"QuestionId": "q", "Question": "Q?",
      "Answer": {"Value": "Rock 'n' Roll", "NormalizedAliases": ["rock n roll"]}}]})",
                             R"({"q": "Rock-'n'-Roll"})");
  EXPECT_EQ(trivia["em"], 1);
  EXPECT_EQ(trivia["missing"], 0);
  const auto marco = scored("msmarco",
                            "{\"query_id\": 1, \"answers\": [\"a b c d\"]}\n{\"query_id\": 2, \"answers\": "
                            "[\"No Answer Present.\"]}",
                            "{\"query_id\": 1, \"answers\": [\"a b c d\"]}\n{\"query_id\": 2, \"answers\": [\"x\"]}");
  EXPECT_DOUBLE_EQ(marco["rouge_l"], 1);
  EXPECT_NEAR(marco["bleu_1"], 1, 1e-8);
  EXPECT_NEAR(marco["answerable_f1"], 2.0 / 3, 1e-12);
  EXPECT_EQ(marco["n"], 1);
}

TEST(Program, EvalHasATaskForEveryKindOfQuestion) {
  const TemporaryFolder folder;
  const auto measured = [&](const std::string& task, const std::string& data, const std::vector<std::string>& more) {
    writeText(folder.path() / "data.jsonl", data);
    std::vector<std::string> command = {"eval", storyModel(), "--task", task, "--data", folder.path() / "data.jsonl"};
    command.insert(command.end(), more.begin(), more.end());
    return answerOf(command);
  };
  const auto scored = [&](const std::string& task, const std::string& data, const std::vector<std::string>& more = {}) {
    return measured(task, data, more)["results"][0];
  };
  const std::string choices = R"({"question": "Who barks?", "choices": ["the dog", "a xylophone"], "answer": 0})";
  expectKeys(scored("multiple-choice", choices), {"acc", "acc_norm", "nll", "n"});
  EXPECT_EQ(scored("multiple-choice", choices)["acc"], 1);
  expectKeys(scored("boolq", R"({"question": "is it so", "passage": "It is.", "answer": true})"), {"acc", "nll"});
  const auto word = scored("lambada", R"({"text": "Once upon a time"})");
  EXPECT_EQ(word["acc"], 1);
  EXPECT_GT(word["perplexity"], 1);
  expectKeys(scored("nq", R"({"question": "who", "answers": ["Tom"], "ctxs": [{"title": "T", "text": "Tom."}]})"),
             {"f1", "em", "subspan_em"});
  EXPECT_EQ(
      scored("kv-retrieval", R"({"ordered_kv_records": [["k", "v"], ["l", "w"]], "key": "l", "value": "w"})")["n"], 1);
  const auto mapped =
      measured("squad", R"({"q": "Who?", "doc": "Tom runs.", "gold": ["Tom"]})",
               {"--columns", "question=q,context=doc,answers=gold.0", "--prompt", "{{ context }} {{ question }}"});
  EXPECT_EQ(mapped["settings"]["prompt"], "{{ context }} {{ question }}");
  EXPECT_EQ(mapped["settings"]["decoding"]["max_tokens"], 32);
  const auto drawn = answerOf({"eval", storyModel(), "--task", "kv-retrieval", "--kv-pairs", "2", "--limit", "3"});
  EXPECT_EQ(drawn["results"][0]["n"], 3);
}

TEST(Program, EvalShowsThePromptThatItAsksWith) {
  const TemporaryFolder folder;
  writeText(folder.path() / "data.json", kSquad);
  writeText(folder.path() / "prompt.txt", "{{ context }}\n\nQ: {{ question }}\nA:\n");
  const auto plain = answerOf({"eval", "--task", "squad", "--show-prompt"});
  EXPECT_NE(plain["prompt"].get<std::string>().find("{{ question }}"), std::string::npos);
  EXPECT_FALSE(plain.contains("example"));
  const auto own = answerOf({"eval", "--task", "squad", "--show-prompt", "--data", folder.path() / "data.json",
                             "--prompt", folder.path() / "prompt.txt", "--shots", "1", "--limit", "1"});
  EXPECT_EQ(own["example"],
            "Lily has a red ball.\n\nQ: Who has it?\nA: Lily\n\nLily has a red ball.\n\nQ: What has Lily?\nA:");
  EXPECT_EQ(own["expected"], "a red ball");
  EXPECT_EQ(runProgram({"eval", "--task", "squad", "--show-prompt", "--prompt", "no such file"}).code, 2);
  EXPECT_EQ(runProgram({"eval", "--task", "nll", "--show-prompt"}).code, 2);
  EXPECT_EQ(runProgram({"eval", storyModel(), "--task", "boolq", "--data", "x", "--predictions", "y"}).code, 2);
}

TEST(Program, EvalOfQuestionsIsARunOfTheProject) {
  const TemporaryFolder folder;
  writeText(folder.path() / "data.json", kSquad);
  const std::string project = folder.path() / "project";
  const auto json = answerOf({"eval", storyModel(), "--task", "squad", "--data", folder.path() / "data.json", "--maps",
                              "full", "--maps", "0,0,0,0,0", "--limit", "1", "--project", project});
  ASSERT_EQ(json["results"].size(), 2u);
  EXPECT_EQ(json["results"][0]["n"], 1);
  const auto runs = answerOf({"runs", "list", "--project", project});
  ASSERT_EQ(runs["runs"].size(), 1u);
  EXPECT_EQ(runs["runs"][0]["kind"], "eval");
  EXPECT_EQ(runs["runs"][0]["state"], "done");
  const std::string id = runs["runs"][0]["id"];
  for (const char* option : {"--resume", "--extend"}) {
    const Answer refused = runProgram({"train", option, id, "--project", project});
    EXPECT_EQ(refused.code, 2);
    EXPECT_NE(refused.err.find("of the kind eval"), std::string::npos) << refused.err;
  }
}

TEST(Program, EstimateAddsUpAndFollowsTheMap) {
  const auto full = answerOf({"estimate", storyModel(), "--users", "3", "--context", "100"});
  EXPECT_EQ(full["kv"], 3 * 100 * 1280);
  EXPECT_EQ(answerOf({"estimate", storyModel(), "--users", "3", "--context", "100", "--map", "even:1"})["kv"],
            3 * 100 * 256);
  EXPECT_EQ(full["total"].get<std::int64_t>(), full["weights"].get<std::int64_t>() + full["kv"].get<std::int64_t>() +
                                                   full["activations"].get<std::int64_t>());
  EXPECT_GT(answerOf({"estimate", storyModel(), "--train", "full"})["optimizer"], 0);
}

TEST(Program, BenchHasThePeersKeys) {
  const auto json = answerOf(
      {"bench", storyModel(), "--prompt-tokens", "16", "--decode-tokens", "4", "--repeat", "1", "--threads", "1"});
  expectKeys(json, {"engine", "model", "dtype", "threads", "prompt_tokens", "context", "prefill_tok_s", "decode_tok_s",
                    "runs", "rss_peak_mb", "kv_bytes", "map", "decode_pct_of_floor"});
  EXPECT_EQ(json["kv_bytes"], 20 * 1280);
  const auto train =
      answerOf({"bench", storyModel(), "--train", "lora", "--batch", "2", "--length", "16", "--repeat", "1"});
  expectKeys(train, {"train_tok_s", "rss_peak_mb", "runs"});
}

TEST(Program, HelpVersionAndDevicesSucceed) {
  EXPECT_EQ(runProgram({"--help"}).code, 0);
  EXPECT_EQ(runProgram({"train", "--help"}).code, 0);
  EXPECT_EQ(runProgram({"--version"}).out.substr(0, 7), "strata ");
  EXPECT_EQ(answerOf({"devices"})["devices"][0]["name"], "cpu");
}

TEST(Program, ExportWithoutChangesKeepsTheWeightFileByteForByte) {
  const TemporaryFolder folder;
  const auto out = folder.path() / "out";
  const auto json = answerOf({"export", goldenModel("llama31-gqa"), "--map", "even:3", out});
  EXPECT_EQ(json["map"], "even:3");
  for (const auto& entry : std::filesystem::directory_iterator(goldenModel("llama31-gqa"))) {
    const auto name = entry.path().filename();
    if (!name.string().starts_with("model")) continue;
    EXPECT_TRUE(std::filesystem::exists(out / name)) << name;
  }
  EXPECT_EQ(answerOf({"generate", out, "--ids", "1,2,3", "--max-tokens", "2"})["src"],
            nlohmann::json({0, 0, 2, 2, 4, 4}));
}

}  // namespace
}  // namespace strata::testing
