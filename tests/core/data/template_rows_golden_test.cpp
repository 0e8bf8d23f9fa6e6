// Conversations of real data sets through real tokenizers and templates: every trained token lies in a turn of the
// assistant, and every token of a turn is trained, up to and with the mark that ends it.

#include <gmock/gmock.h>

#include <set>

#include "core/data/dataset.h"
#include "core/data/records.h"
#include "core/data/template_renderer.h"
#include "support.h"

namespace strata {
namespace {

using testing::sharedData;

std::string decoded(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  return tokenizer.decode(ids).value_or("undecodable");
}

/// The text of each run of trained tokens.
std::vector<std::string> trainedRuns(const Row& row, const Tokenizer& tokenizer) {
  std::vector<std::string> runs;
  std::vector<TokenId> run;
  for (std::size_t i = 0; i <= row.ids.size(); ++i) {
    if (i < row.ids.size() && row.trained[i]) {
      run.push_back(row.ids[i]);
    } else if (!run.empty()) {
      runs.push_back(decoded(tokenizer, run));
      run.clear();
    }
  }
  return runs;
}

struct Opened {
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<TemplateRenderer> renderer;
};

std::optional<Opened> opened(const std::filesystem::path& folder) {
  auto tokenizer = openTokenizer(folder);
  auto chat = ChatTemplate::open(folder);
  if (!tokenizer || !*tokenizer || !chat) return std::nullopt;
  return Opened{std::move(*tokenizer), std::make_unique<TemplateRenderer>(std::move(*chat))};
}

/// ChatML: what each assistant turn of a text is, told from the text alone.
std::vector<std::string> turnsOf(const std::string& text, const std::string& trailing) {
  const std::string begin = "<|im_start|>assistant\n", end = "<|im_end|>";
  std::vector<std::string> turns;
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at += begin.size();
    turns.push_back(text.substr(at, text.find(end, at) + end.size() - at) + trailing);
  }
  return turns;
}

class TemplateRowsGolden : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(TemplateRowsGolden, TheTrainedTokensAreTheAssistantsTurns) {
  STRATA_NEEDS_SHARED_DATA();
  const auto& [model, file] = GetParam();
  const auto chat = opened(sharedData() / model);
  if (!chat) GTEST_SKIP() << "the tokenizer of " << model << " cannot be read";
  // SentencePiece knows no <|im_end|>: there the line break after it is part of the text to learn.
  const bool special = model.find("qwen2") != std::string::npos;
  DataOptions options;
  options.length = 1 << 20;
  options.chat = chat->renderer.get();
  const auto data = Dataset::open(sharedData() / file, *chat->tokenizer, options);
  ASSERT_TRUE(data.has_value()) << data.error().message;
  std::size_t row = 0, turns = 0;
  // Templates that do not write tool calls drop the conversations that have some.
  std::set<std::int64_t> dropped;
  for (const DroppedRow& one : data->report().dropped) {
    EXPECT_THAT(one.reason, ::testing::HasSubstr("does not write the tool calls"));
    dropped.insert(one.line);
  }
  const bool last = file.find("dpo") != std::string::npos;  // of preferences the chosen answer alone is learned
  const auto read = readRecords(sharedData() / file, [&](DataRecord&& record) -> Result<void> {
    if (dropped.contains(record.line)) return {};
    const std::string text =
        chat->renderer->render(record.conversation.messages, record.conversation.tools, false).value();
    std::vector<std::string> expected = turnsOf(text, special ? "" : "\n");
    if (last) expected.erase(expected.begin(), expected.end() - 1);
    EXPECT_EQ(trainedRuns(data->rows().at(row), *chat->tokenizer), expected) << record.where();
    if (special) {
      EXPECT_EQ(decoded(*chat->tokenizer, data->rows().at(row).ids), text);
    }
    ++row;
    turns += expected.size();
    return {};
  });
  EXPECT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(row, data->rows().size());
  EXPECT_GT(row, 90u);
  EXPECT_GE(turns, row);
}

INSTANTIATE_TEST_SUITE_P(Files, TemplateRowsGolden,
                         ::testing::Combine(::testing::Values("tokenizers/qwen2", "models/stories260K"),
                                            ::testing::Values("instruct/identity.json",
                                                              "instruct/glaive_toolcall_en_demo.json",
                                                              "instruct/dpo_en_demo.json")),
                         [](const auto& info) {
                           std::string name = std::get<0>(info.param) + "_" + std::get<1>(info.param);
                           for (char& c : name) {
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace strata
