#pragma once
// The records of a data set in the shapes that are known, before any tokeniser sees them.
//
//   STRATA_CHECK(readRecords(path, {}, {.take = …, .drop = …}));
//
// A record's shape is recognised by its keys:
//   text               {"text"}, or a document of a text file
//   prompt/completion  {"prompt", "completion" | "response"}, texts (where both are lists of turns: messages)
//   messages           {"messages": [{"role", "content", …}], "tools"?}
//   ShareGPT           {"conversations" | "conversation": [{"from", "value"}], "system"?, "tools"?}
//   Alpaca             {"instruction", "input"? | "context"?, "output" | "response", "system"?, "history"?}
//   preference         {"chosen", "rejected", …}: the chosen answer is learned, the rejected one left out
//   SQuAD, HotpotQA, TriviaQA, MS MARCO   see questions.h; also an article of SQuAD
//   questions          {"question", "answer" | "answers", "context"? | "passages"? | "ctxs"?}
// Other names are mapped by RecordOptions::columns.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/columns.h"
#include "core/data/conversations.h"
#include "core/data/questions.h"
#include "core/data/raw_records.h"

namespace strata {

enum class DataFormat {
  text,
  promptCompletion,
  messages,
  shareGpt,
  alpaca,
  preference,
  squad,
  hotpotQa,
  triviaQa,
  msMarco,
  questions
};

/// The names above.
const char* toString(DataFormat format);

/// What a record holds, whatever shape it came in.
enum class RecordKind { document, pair, conversation, question };

struct DataRecord {
  DataFormat format = DataFormat::text;
  RecordKind kind = RecordKind::document;
  std::string text;                // a document
  std::string prompt, completion;  // a pair
  Conversation conversation;
  Question question;
  bool mayLackAnswers = false;  // the question comes from data in which some have no answer
  std::string group;            // what it belongs to (an article, a document); empty: it stands alone
  std::string file;
  std::int64_t line = 0;  // as RawRecord's

  /// "file:line", or the file alone.
  std::string where() const { return placeOf(file, line); }
};

struct RecordOptions {
  Columns columns = {};          // empty: shapes are recognised
  bool skipBrokenFiles = false;  // a file that cannot be read any further is a dropped row, and the next one is read
};

struct RecordHandlers {
  std::function<Result<void>(DataRecord&&)> take;
  std::function<Result<void>(DroppedRow&&)> drop;  // none: the first record that cannot be used is an error
};

/// Hands over each record of `path` in order, until a handler returns an error.
Result<void> readRecords(const std::filesystem::path& path, const RecordOptions& options,
                         const RecordHandlers& handlers);
inline Result<void> readRecords(const std::filesystem::path& path,
                                const std::function<Result<void>(DataRecord&&)>& take) {
  return readRecords(path, {}, {.take = take, .drop = {}});
}

/// Whether these are the keys of one record of a known shape.
bool hasRecordKeys(const std::vector<std::string>& keys);

/// What one JSON record holds: one of the shapes, or several questions. The error says why it is none.
Result<std::vector<DataRecord>> recogniseRecord(Json value, const Columns& columns);

}  // namespace strata
