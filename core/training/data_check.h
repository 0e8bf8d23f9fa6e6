#pragma once
// A data set looked through as training would read it: for `strata data check` and the window alike.
//
//   STRATA_TRY(const DataReader reader, DataReader::of(location, "MODEL"));
//   STRATA_TRY(const CheckedData checked, checkDataSet(path, options, &reader));

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/dataset.h"
#include "core/project/model_name.h"
#include "core/text/tokenizer.h"

namespace strata {

/// A model's side of a check.
struct DataReader {
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<ChatRenderer> chat;
  std::int64_t vocab = 0;

  /// `name` is the model's in errors.
  static Result<DataReader> of(const ModelLocation& location, const std::string& name);
};

/// The rows, tokenised, or where that is refused (or there is no reader) the records' report; and why training would
/// refuse the data.
struct CheckedData {
  DataReport report;
  std::optional<Dataset> data;  // with a reader, where training could use the data
  std::optional<Error> refused;
  bool failed =
      false;  // no row can be used, or a file not be read to its end; what is wrong with some rows is an answer
};

/// What is broken is reported, not an error. Errors: no such file, memory, cancellation (options.goOn).
Result<CheckedData> checkDataSet(const std::filesystem::path& path, DataOptions options, const DataReader* reader);

/// One token of a row: its id, the text that it adds, and whether it is trained on.
struct RowToken {
  TokenId id = 0;
  std::string text;
  bool trained = false;
};
std::vector<RowToken> tokensOf(const Row& row, const Tokenizer& tokenizer);

}  // namespace strata
