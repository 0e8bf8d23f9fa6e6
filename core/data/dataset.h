#pragma once
// Training and evaluation data: plain text (documents joined with EOS, cut to length, no block mask), and rows of
// prompt/completion, conversations and questions (packed whole into sequences with a block-diagonal mask, positions
// restarting at 0). records.h says which files and shapes there are.
//
//   STRATA_TRY(auto data, Dataset::open(path, tokenizer, {.length = 256, .chat = &renderer}));
//   SequenceReader reader(data, seed);       // Philox permutation of (seed, epoch) over rows
//   PackedSequence s = reader.next();
// A Dataset is immutable; a reader's whole state is its Cursor.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/data/chat_rows.h"
#include "core/data/columns.h"
#include "core/data/raw_records.h"
#include "core/text/tokenizer.h"

namespace strata {

/// Which side of a split.
enum class DataPart { all, train, held };

struct DataOptions {
  int length = 256;                    // tokens a sequence
  bool trainOnPrompt = false;          // false: loss on completions (and their EOS) and the assistant's turns only
  std::int64_t vocab = 0;              // ids at or above it are refused: the model's vocabulary; 0: the tokenizer's
  Columns columns = {};                // see columns.h
  const ChatRenderer* chat = nullptr;  // the model's chat template; without it conversations are refused
  double questionFirst = 0;            // probability, drawn per row, that a question stands before its passages
  bool permutePassages = false;        // a question's passages in an order drawn per row
  std::uint64_t seed = 1;              // of those draws and of the split
  double split = 0;                    // share of the groups (articles, documents, else rows) that are held out
  DataPart part = DataPart::all;       // the rows wanted
  /// True: go on past whatever is broken, to report all of it; false: see Dataset::open.
  bool keepGoing = false;
  /// Asked at each record, with how many there were; false ends the reading with ErrorCode::cancelled.
  std::function<bool(std::int64_t records)> goOn = {};
};

/// One row, tokenised. trained[i]: whether the prediction *of* ids[i] counts in the loss (never for i == 0).
struct Row {
  std::vector<TokenId> ids;
  std::vector<bool> trained;
};

/// A record that is equal to an earlier one.
struct DuplicateRow {
  std::string file;
  std::int64_t line = 0;
  std::string firstFile;
  std::int64_t firstLine = 0;
};

struct DataReport {
  std::string format;  // as records.h names it; several joined by " + "
  std::vector<std::string> files;
  std::int64_t records = 0;  // read, whatever became of them
  std::int64_t rows = 0;
  std::int64_t tokens = 0;
  std::int64_t trainedTokens = 0;
  std::int64_t truncated = 0;            // rows that lost tokens to `length`
  std::int64_t lostPassages = 0;         // of them, those of questions that lost passages
  std::vector<DroppedRow> dropped;       // the first 100,000
  std::int64_t droppedRows = 0;          // all
  std::int64_t broken = 0;               // those of them that are not well-formed
  std::vector<DuplicateRow> duplicates;  // the first 100,000; duplicates are kept
  std::int64_t duplicateRows = 0;        // all
  std::vector<std::uint32_t> lengths;    // tokens of each document or row before it was cut, ascending
  std::string refusal;                   // with keepGoing: why training would refuse the data; else empty
  bool readToTheEnd = true;              // with keepGoing: every file could be
};

class Dataset {
 public:
  /// `path` is a data file or a folder of them, read in name order; text does not mix with the other shapes.
  /// A record that is broken, of unknown shape or without anything to learn is dropped, with its line and the reason in
  /// the report. Refused: more than 10 % of the records broken, or the first 100 (the error names the first three);
  /// a file that cannot be read to its end; no rows; nothing trained on; ids outside `vocab`.
  /// A BOS stands where withSpecials() puts one, an EOS where the tokenizer has one:
  /// - Text: [BOS] + encode(document) + [EOS], joined and cut into rows of `length`; the last, shorter one is a row if
  ///   it has 2 tokens or more. All positions of a row but its first are trained.
  /// - Prompt and completion: [BOS] + the pair as encodePair() tokenises it + [EOS]. Where a row exceeds `length` the
  ///   prompt loses its start (not the BOS); a completion that alone exceeds it loses its end and its EOS.
  /// - Questions: the same of questionPrompt() and questionAnswer(); a long row's passages lose their end first.
  /// - Conversations: see chat_rows.h; nothing is added. A long row ends with the last learned turn that fits; where
  ///   none fits, it is cut at `length`, and dropped where nothing trained is left.
  static Result<Dataset> open(const std::filesystem::path& path, const Tokenizer& tokenizer,
                              const DataOptions& options);
  /// Rows made elsewhere, each of at most `length` ids; `packed`: several may share a sequence.
  static Dataset fromRows(std::vector<Row> rows, int length, bool packed = false);

  const std::vector<Row>& rows() const { return m_rows; }
  const DataReport& report() const { return m_report; }
  int length() const { return m_options.length; }
  bool packed() const { return m_packed; }  // rows are shorter than a sequence and get packed

 private:
  std::vector<Row> m_rows;
  DataReport m_report;
  DataOptions m_options;
  bool m_packed = false;
};

/// Formats, rows, dropped and duplicate records of a data set, by the rules of Dataset::open but without a tokenizer:
/// no token counts. Text counts documents as rows.
Result<DataReport> checkData(const std::filesystem::path& path, const DataOptions& options = {});

/// `length` ids; rows shorter than that end with padding (id 0, segment -1, never trained on, never a key).
struct PackedSequence {
  std::vector<TokenId> ids;    // [T]
  std::vector<int> positions;  // [T], restart at 0 in each segment
  std::vector<int> segments;   // [T], 0, 1, …; -1 for padding
  std::vector<bool> trained;   // [T], prediction of ids[i] counts
};

/// Where a reader stands, in rows of the whole run: epoch = row / rows().size().
struct Cursor {
  std::uint64_t row = 0;                    // the next one to draw
  std::vector<std::uint64_t> waiting = {};  // drawn before it and not yet packed, ascending
  bool operator==(const Cursor&) const = default;
};

class SequenceReader {
 public:
  /// `window`: rows that may wait to be packed, 1 or more (at most the data set's); 1 is next-fit, the packing of
  /// version 0.4.
  SequenceReader(const Dataset& data, std::uint64_t seed, const Cursor& cursor = {}, int window = 1);
  /// Best-fit: the row that waits longest, then always the longest of the window that still fits (of equal ones the
  /// one that waits longest), across the ends of epochs. Text: one row.
  PackedSequence next();
  /// Rows that wait just before `row` are drawn again rather than listed.
  Cursor cursor() const;
  /// Rows that are in the sequences until now.
  std::uint64_t packedRows() const { return m_row - m_waiting.size(); }

 private:
  struct Waiting {
    std::uint64_t row;    // of the run
    std::uint32_t index;  // in rows()
  };
  std::uint32_t indexOf(std::uint64_t row);
  void fillWindow();
  /// The row to add to a sequence with `space` tokens left: a place in m_waiting, or its size where none fits.
  std::size_t bestFit(std::size_t space) const;

  const Dataset& m_data;
  std::uint64_t m_seed;
  std::size_t m_window;
  std::uint64_t m_row;             // the next one to draw
  std::vector<Waiting> m_waiting;  // ascending by row
  std::uint64_t m_epoch = ~0ull;
  std::vector<std::uint32_t> m_order;  // the permutation of m_epoch
};

/// Sequences that a reader makes of the first rows().size() rows.
std::int64_t sequencesOfAnEpoch(const Dataset& data, std::uint64_t seed, int window);

/// The first `maxRows` rows (0: all) in the data set's own order, packed as a reader does: what an evaluation runs on.
std::vector<PackedSequence> inOrder(const Dataset& data, int maxRows);

/// Philox permutation (Fisher-Yates with counter-based draws) of 0 … n-1.
std::vector<std::uint32_t> permutation(std::uint64_t seed, std::uint64_t epoch, std::uint32_t n);

}  // namespace strata
