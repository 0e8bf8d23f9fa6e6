#pragma once
// Training and evaluation data: plain text (documents joined with EOS, cut to length, no block mask) and
// prompt/completion JSONL (whole rows packed into sequences with a block-diagonal mask, positions restarting at 0).
//
//   STRATA_TRY(auto data, Dataset::open(path, tokenizer, {.length = 256}));
//   SequenceReader reader(data, seed);       // Philox permutation of (seed, epoch) over rows
//   PackedSequence s = reader.next();
// A Dataset is immutable; a reader's whole state is its Cursor.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/text/tokenizer.h"

namespace strata {

struct DataOptions {
  int length = 256;            // tokens a sequence
  bool trainOnPrompt = false;  // false: loss on completions (and their EOS) only
  std::int64_t vocab = 0;      // ids at or above it are refused: the model's vocabulary; 0: the tokenizer's
};

/// One row, tokenised. trained[i]: whether the prediction *of* ids[i] counts in the loss (never for i == 0).
struct Row {
  std::vector<TokenId> ids;
  std::vector<bool> trained;
};

struct DroppedRow {
  std::int64_t line = 0;  // 1-based
  std::string reason;
  std::string file;
};

struct DataReport {
  std::string format;  // "text", "prompt/completion"
  std::int64_t rows = 0;
  std::int64_t tokens = 0;
  std::int64_t trainedTokens = 0;
  std::int64_t truncated = 0;  // rows whose prompt lost its start or whose completion was cut
  std::vector<DroppedRow> dropped;
};

class Dataset {
 public:
  /// `path` is a .txt or .jsonl file or a folder of them, read in name order. A JSONL line is {"prompt": …,
  /// "completion": …} or {"text": …}, a document; other keys are ignored. One data set has one format. A broken line is
  /// an error that starts with "file:line" (not silently dropped); an empty completion or text is dropped and reported.
  /// Refused: no rows, a data set in which nothing is trained on, ids outside `vocab`, a line over 64 MiB.
  /// A BOS stands where withSpecials() puts one, an EOS where the tokenizer has one:
  /// - Text: [BOS] + encode(document) + [EOS], joined and cut into rows of `length`; the last, shorter one is a row if
  /// it
  ///   has 2 tokens or more. All positions of a row but its first are trained.
  /// - Prompt and completion: [BOS] + the pair as encodePair() tokenises it + [EOS]. Where a row exceeds `length` the
  /// prompt loses its start (not the BOS); a completion that
  ///   alone exceeds it loses its end and its EOS.
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

/// Formats, rows and dropped lines of a data set, by the rules of Dataset::open but without a tokenizer: no token
/// counts. Text counts documents as rows.
Result<DataReport> checkData(const std::filesystem::path& path);

/// `length` ids; rows shorter than that end with padding (id 0, segment -1, never trained on, never a key).
struct PackedSequence {
  std::vector<TokenId> ids;    // [T]
  std::vector<int> positions;  // [T], restart at 0 in each segment
  std::vector<int> segments;   // [T], 0, 1, …; -1 for padding
  std::vector<bool> trained;   // [T], prediction of ids[i] counts
};

/// Where a reader stands, in rows of the whole run: epoch = row / rows().size().
struct Cursor {
  std::uint64_t row = 0;
  bool operator==(const Cursor&) const = default;
};

class SequenceReader {
 public:
  SequenceReader(const Dataset& data, std::uint64_t seed, Cursor cursor = {});
  /// Packs the next rows in order until the one after does not fit (next-fit, across the ends of epochs); text: one
  /// row.
  PackedSequence next();
  Cursor cursor() const { return m_cursor; }

 private:
  const Row& rowAt(std::uint64_t row);
  const Dataset& m_data;
  std::uint64_t m_seed;
  Cursor m_cursor;
  std::uint64_t m_epoch = ~0ull;
  std::vector<std::uint32_t> m_order;  // the permutation of m_epoch
};

/// The first `maxRows` rows (0: all) in the data set's own order, packed as a reader does: what an evaluation runs on.
std::vector<PackedSequence> inOrder(const Dataset& data, int maxRows);

/// Philox permutation (Fisher-Yates with counter-based draws) of 0 … n-1.
std::vector<std::uint32_t> permutation(std::uint64_t seed, std::uint64_t epoch, std::uint32_t n);

}  // namespace strata
