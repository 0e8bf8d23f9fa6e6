#include "core/data/row_maker.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/philox.h"
#include "core/data/question_prompt.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

constexpr std::size_t kMinRowTokens = 2;  // one to read, one to predict

using Difference = std::vector<TokenId>::difference_type;

/// Where the i-th question's draws stand.
DrawPosition drawOf(const DataOptions& options, std::uint64_t question, RandomStream stream) {
  return {.seed = options.seed,
          .step = static_cast<std::uint32_t>(question),
          .group = static_cast<std::uint32_t>(question >> 32),
          .layer = 0,
          .stream = stream};
}

/// A random order of n passages (Fisher-Yates).
std::vector<std::uint32_t> passageOrder(DrawPosition at, std::size_t n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  for (std::size_t i = n; i > 1; --i) {
    at.layer = static_cast<std::uint32_t>(i);
    std::swap(order[i - 1], order[randomBelow(at, i)]);
  }
  return order;
}

}  // namespace

std::optional<std::string> nothingToLearn(const DataRecord& record) {
  switch (record.kind) {
    case RecordKind::document:
      if (record.text.empty()) return "The text is empty.";
      break;
    case RecordKind::pair:
      if (record.completion.empty()) return "The completion is empty.";
      break;
    case RecordKind::question:
      if (record.question.target.empty() && record.question.answerable) return "The question has no answer to learn.";
      break;
    case RecordKind::conversation: {
      const auto empty = [&](std::size_t i) {
        const Json& message = record.conversation.messages[i];
        return message.value("content", Json()) == "" && !message.contains("tool_calls");
      };
      const std::vector<std::size_t> trained = answeringTurns(record.conversation);
      if (trained.empty()) {
        return "The conversation begins with the assistant, and no later turn of it is to be learned; put what it "
               "answers before it.";
      }
      if (std::all_of(trained.begin(), trained.end(), empty)) return "The assistant's turns are empty.";
      break;
    }
  }
  return std::nullopt;
}

RowMaker::RowMaker(const Tokenizer& tokenizer, const DataOptions& options, Hooks hooks)
    : m_tokenizer(tokenizer),
      m_options(options),
      m_hooks(std::move(hooks)),
      m_length(static_cast<std::size_t>(options.length)),
      m_vocab(options.vocab > 0 ? options.vocab : tokenizer.vocabSize()),
      m_eos(tokenizer.eosId()) {
  const std::vector<TokenId> added = tokenizer.withSpecials({});
  if (!added.empty() && tokenizer.bosId() == added.front()) m_bos = added.front();
}

Result<void> RowMaker::take(const DataRecord& record) {
  if (auto reason = nothingToLearn(record)) return drop(record, std::move(*reason));
  switch (record.kind) {
    case RecordKind::document:
      return takeDocument(record);
    case RecordKind::pair:
      return takePair(record);
    case RecordKind::question:
      return takeQuestion(record);
    case RecordKind::conversation:
      return takeConversation(record);
  }
  return {};
}

Result<void> RowMaker::drop(const DataRecord& record, std::string reason, bool broken) const {
  return m_hooks.drop({record.line, std::move(reason), record.file, broken});
}

Result<void> RowMaker::checkIds(const std::vector<TokenId>& ids, const DataRecord& record) const {
  for (const TokenId id : ids) {
    if (id < 0 || id >= m_vocab) {
      return fail(ErrorCode::invalidData,
                  record.where() + ": token id " + std::to_string(id) + " is outside the vocabulary of " +
                      std::to_string(m_vocab) + "; use the tokenizer that belongs to the model.",
                  record.where());
    }
  }
  return {};
}

Result<void> RowMaker::takeDocument(const DataRecord& record) {
  const std::vector<TokenId> ids = m_tokenizer.encode(record.text);
  STRATA_CHECK(checkIds(ids, record));
  m_lengths.push_back(static_cast<std::uint32_t>(ids.size() + (m_bos ? 1 : 0) + (m_eos ? 1 : 0)));
  if (m_bos) m_stream.push_back(*m_bos);
  m_stream.insert(m_stream.end(), ids.begin(), ids.end());
  if (m_eos) m_stream.push_back(*m_eos);
  while (m_stream.size() - m_used >= m_length) addTextRow(m_length);
  m_stream.erase(m_stream.begin(), m_stream.begin() + static_cast<Difference>(std::exchange(m_used, 0)));
  return {};
}

void RowMaker::addTextRow(std::size_t tokens) {
  const auto first = m_stream.begin() + static_cast<Difference>(m_used);
  Row row{{first, first + static_cast<Difference>(tokens)}, std::vector<bool>(tokens, true)};
  row.trained.front() = false;
  m_rows.push_back(std::move(row));
  m_used += tokens;
}

void RowMaker::addRow(Row&& row) {
  row.ids.shrink_to_fit();
  row.trained.shrink_to_fit();
  m_rows.push_back(std::move(row));
}

Result<void> RowMaker::takePair(const DataRecord& record) {
  return addPair(encodePair(m_tokenizer, record.prompt, record.completion), 0, record);
}

Result<void> RowMaker::takeQuestion(const DataRecord& record) {
  const Question& question = record.question;
  if (!m_mayLackAnswers) {
    STRATA_TRY(m_mayLackAnswers, m_hooks.mayLackAnswers());
  }
  const std::uint64_t number = m_questions++;
  const char* noAnswer = noAnswerOf(record.format == DataFormat::msMarco ? QaFormat::msMarco : QaFormat::squad);
  PromptOptions options{.noAnswer = *m_mayLackAnswers ? noAnswer : nullptr};
  options.questionFirst =
      randomUniform(drawOf(m_options, number, RandomStream::questionFirst)) < m_options.questionFirst;
  if (m_options.permutePassages) {
    options.order = passageOrder(drawOf(m_options, number, RandomStream::passageOrder), question.passages.size());
  }
  const QuestionPrompt prompt = questionPrompt(question, options);
  const std::string target = questionAnswer(question, noAnswer);
  if (target.empty()) return drop(record, "No answer is known.");
  const auto encode = [&](const std::string& passages) {
    return encodePair(m_tokenizer, prompt.with(passages), " " + target);
  };
  const std::size_t eos = m_eos ? 1 : 0;
  const auto size = [&](const PromptAndCompletion& pair) { return pair.prompt.size() + pair.completion.size() + eos; };
  PromptAndCompletion pair = encode(prompt.passages);
  const std::size_t whole = size(pair);
  if (whole > room() && !prompt.passages.empty()) {
    pair =
        encode(longestThatFits(prompt.passages, [&](const std::string& part) { return size(encode(part)) <= room(); }));
  }
  const std::size_t now = size(pair);
  return addPair(std::move(pair), whole - std::min(whole, now), record);
}

Result<void> RowMaker::addPair(PromptAndCompletion&& pair, std::size_t lost, const DataRecord& record) {
  auto& [prompt, completion] = pair;
  STRATA_CHECK(checkIds(prompt, record));
  STRATA_CHECK(checkIds(completion, record));
  if (completion.empty()) return drop(record, "The completion has no tokens.");
  if (m_eos) completion.push_back(*m_eos);
  const std::size_t whole = prompt.size() + completion.size();
  if (whole > room()) {
    completion.resize(std::min(completion.size(), room()));
    const std::size_t kept = std::min(prompt.size(), room() - completion.size());
    prompt.erase(prompt.begin(), prompt.end() - static_cast<Difference>(kept));
  }
  if (m_bos) prompt.insert(prompt.begin(), *m_bos);
  Row row;
  row.trained.assign(prompt.size(), m_options.trainOnPrompt);
  row.trained.resize(prompt.size() + completion.size(), true);
  row.trained.front() = false;
  row.ids = std::move(prompt);
  row.ids.insert(row.ids.end(), completion.begin(), completion.end());
  if (row.ids.size() < kMinRowTokens) {
    return drop(record, "The row has a single token: there is nothing to predict.");
  }
  if (whole > room() || lost > 0) ++m_truncated;
  if (lost > 0) ++m_lostPassages;
  m_lengths.push_back(static_cast<std::uint32_t>(whole + lost + (m_bos ? 1 : 0)));
  addRow(std::move(row));
  return {};
}

Result<void> RowMaker::takeConversation(const DataRecord& record) {
  if (m_options.chat == nullptr) {
    return fail(ErrorCode::unsupported,
                record.where() + ": this is a conversation (" + toString(record.format) +
                    "), which needs a model's chat template; give a model that has one, or text.",
                record.where());
  }
  const auto texts = chatTexts(*m_options.chat, record.conversation);
  if (!texts) return drop(record, texts.error().message, texts.error().code != ErrorCode::unsupported);
  for (const ChatText& text : *texts) STRATA_CHECK(addChatRow(chatIds(m_tokenizer, text), record));
  return {};
}

Result<void> RowMaker::addChatRow(ChatIds&& chat, const DataRecord& record) {
  STRATA_CHECK(checkIds(chat.ids, record));
  const std::size_t whole = chat.ids.size();
  if (whole > m_length) {
    std::size_t kept = m_length;
    for (const std::size_t end : chat.turnEnds) {
      if (end > 0 && end <= m_length) kept = end;
    }
    chat.ids.resize(kept);
    chat.trained.resize(kept);
  }
  if (std::find(chat.trained.begin(), chat.trained.end(), true) == chat.trained.end()) {
    return drop(record, "No token of the assistant lies within the length of " + std::to_string(m_length) +
                            " tokens; the row has " + std::to_string(whole) + ".");
  }
  if (m_options.trainOnPrompt) {
    chat.trained.assign(chat.ids.size(), true);
    chat.trained.front() = false;
  }
  if (whole > m_length) ++m_truncated;
  m_lengths.push_back(static_cast<std::uint32_t>(whole));
  addRow({std::move(chat.ids), std::move(chat.trained)});
  return {};
}

void RowMaker::finish(DataReport& report) {
  if (m_stream.size() >= kMinRowTokens) addTextRow(m_stream.size());
  report.rows = static_cast<std::int64_t>(m_rows.size());
  report.truncated = m_truncated;
  report.lostPassages = m_lostPassages;
  std::sort(m_lengths.begin(), m_lengths.end());
  report.lengths = std::move(m_lengths);
  for (const Row& row : m_rows) {
    report.tokens += static_cast<std::int64_t>(row.ids.size());
    report.trainedTokens += std::count(row.trained.begin(), row.trained.end(), true);
  }
}

}  // namespace strata
