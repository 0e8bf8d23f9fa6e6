#pragma once
// Records into rows of tokens, by the rules of Dataset::open.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/data/dataset.h"
#include "core/data/records.h"

namespace strata {

/// Why a well-formed record teaches nothing; nothing where it does.
std::optional<std::string> nothingToLearn(const DataRecord& record);

class RowMaker {
 public:
  struct Hooks {
    std::function<Result<void>(DroppedRow&&)> drop;
    /// Whether some question of the data set may lack an answer; asked once, when the first question comes.
    std::function<Result<bool>()> mayLackAnswers;
  };

  RowMaker(const Tokenizer& tokenizer, const DataOptions& options, Hooks hooks);
  Result<void> take(const DataRecord& record);
  /// The last, shorter row of text, and the counts of tokens in `report`.
  void finish(DataReport& report);
  std::vector<Row> takeRows() { return std::move(m_rows); }

 private:
  Result<void> checkIds(const std::vector<TokenId>& ids, const DataRecord& record) const;
  Result<void> drop(const DataRecord& record, std::string reason, bool broken = false) const;
  Result<void> takeDocument(const DataRecord& record);
  Result<void> takePair(const DataRecord& record);
  Result<void> takeQuestion(const DataRecord& record);
  Result<void> takeConversation(const DataRecord& record);
  Result<void> addChatRow(ChatIds&& ids, const DataRecord& record);
  /// [BOS] + prompt + completion + [EOS], cut to fit; `lost`: tokens of the prompt that a caller has cut already.
  Result<void> addPair(PromptAndCompletion&& pair, std::size_t lost, const DataRecord& record);
  void addTextRow(std::size_t tokens);
  void addRow(Row&& row);
  /// The tokens that a prompt and its completion, with EOS, may take beside a BOS.
  std::size_t room() const { return m_length - (m_bos ? 1 : 0); }

  const Tokenizer& m_tokenizer;
  const DataOptions& m_options;
  Hooks m_hooks;
  std::size_t m_length;
  std::int64_t m_vocab;
  std::optional<TokenId> m_bos, m_eos;
  std::optional<bool> m_mayLackAnswers;
  std::uint64_t m_questions = 0;
  std::vector<TokenId> m_stream;  // text not yet cut into rows
  std::size_t m_used = 0;         // its ids that rows already hold
  std::vector<Row> m_rows;
  std::vector<std::uint32_t> m_lengths;
  std::int64_t m_truncated = 0, m_lostPassages = 0;
};

}  // namespace strata
