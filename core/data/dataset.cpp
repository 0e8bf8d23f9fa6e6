#include "core/data/dataset.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "core/data/record_log.h"
#include "core/data/row_maker.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> noRows(const fs::path& path, const DataReport& report, const DataOptions& options) {
  std::string message = path.string() + " holds no rows to train on; add some.";
  if (report.droppedRows > 0) {
    message = report.dropped.front().sentence() + " " + path.string() + " holds no rows to train on: all " +
              std::to_string(report.droppedRows) + " records were left out.";
  } else if (options.part != DataPart::all && report.records > 0) {
    message = "The split of " + path.string() + " leaves no rows " +
              (options.part == DataPart::held ? "held out" : "to train on") +
              ": it has few groups; give another split or seed.";
  }
  const std::string context =
      report.dropped.empty() ? path.string() : placeOf(report.dropped.front().file, report.dropped.front().line);
  return fail(ErrorCode::invalidData, std::move(message), context);
}

/// Whether some question of the data set may lack an answer. Stops at the first.
Result<bool> anyMayLackAnswers(const fs::path& path, const DataOptions& options) {
  bool found = false;
  RecordHandlers handlers;
  handlers.take = [&](DataRecord&& record) -> Result<void> {
    found = record.kind == RecordKind::question && record.mayLackAnswers;
    if (found) return fail(ErrorCode::cancelled, "");
    return {};
  };
  handlers.drop = [](DroppedRow&&) -> Result<void> { return {}; };
  const auto read = readRecords(path, {.columns = options.columns, .skipBrokenFiles = true}, handlers);
  if (!read && !found) return tl::unexpected(read.error());
  return found;
}

template <class Read>
auto guarded(const fs::path& path, const Read& read) -> decltype(read()) {
  try {
    return read();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory,
                "The data set " + path.string() + " does not fit into memory; use a part of it.", path.string());
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, path.string() + ": the data set cannot be read: " + exception.what(),
                path.string());
  }
}

}  // namespace

Dataset Dataset::fromRows(std::vector<Row> rows, int length, bool packed) {
  Dataset data;
  data.m_options.length = length;
  data.m_packed = packed;
  data.m_report.format = "ids";
  data.m_report.rows = static_cast<std::int64_t>(rows.size());
  for (const Row& row : rows) {
    data.m_report.tokens += static_cast<std::int64_t>(row.ids.size());
    data.m_report.trainedTokens += std::count(row.trained.begin(), row.trained.end(), true);
  }
  data.m_rows = std::move(rows);
  return data;
}

Result<Dataset> Dataset::open(const fs::path& path, const Tokenizer& tokenizer, const DataOptions& options) {
  if (options.length < 2) {
    return fail(ErrorCode::usage,
                "A sequence needs 2 tokens or more; the length given is " + std::to_string(options.length) + ".",
                "length");
  }
  return guarded(path, [&]() -> Result<Dataset> {
    RecordLog log(options);
    RowMaker maker(tokenizer, options,
                   {.drop = [&](DroppedRow&& row) { return log.drop(std::move(row), RecordLog::Counted::already); },
                    .mayLackAnswers = [&] { return anyMayLackAnswers(path, options); }});
    STRATA_CHECK(readThrough(path, options, log, [&](DataRecord&& record) { return maker.take(record); }));
    Dataset data;
    data.m_report = log.takeReport();
    maker.finish(data.m_report);
    data.m_rows = maker.takeRows();
    data.m_options = options;
    data.m_options.chat = nullptr;  // not ours to keep
    data.m_options.goOn = {};
    data.m_packed = log.packed();
    if (data.m_rows.empty()) return noRows(path, data.m_report, options);
    if (data.m_rows.size() > std::numeric_limits<std::uint32_t>::max()) {
      return fail(ErrorCode::unsupported, path.string() + " has more than 2^32 rows; split it.", path.string());
    }
    if (data.m_report.trainedTokens == 0) {
      return fail(ErrorCode::invalidData, "In " + path.string() + " no token is trained on; check its completions.",
                  path.string());
    }
    return data;
  });
}

Result<DataReport> checkData(const fs::path& path, const DataOptions& options) {
  return guarded(path, [&]() -> Result<DataReport> {
    RecordLog log(options);
    std::int64_t rows = 0;
    STRATA_CHECK(readThrough(path, options, log, [&](DataRecord&& record) -> Result<void> {
      if (auto reason = nothingToLearn(record)) {
        return log.drop({record.line, std::move(*reason), record.file, false}, RecordLog::Counted::already);
      }
      ++rows;
      return {};
    }));
    DataReport report = log.takeReport();
    report.rows = rows;
    if (rows > 0) return report;
    auto none = noRows(path, report, options);
    if (!options.keepGoing) return none;
    report.refusal = std::move(none.value().message);
    return report;
  });
}

}  // namespace strata
