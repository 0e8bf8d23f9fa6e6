#include "core/evaluation/tasks.h"

#include <chrono>

#include "core/data/dataset.h"
#include "core/data/record_log.h"
#include "core/data/records.h"
#include "core/data/row_maker.h"
#include "core/evaluation/masked_nll.h"
#include "core/model/score.h"
#include "core/routing/memory.h"

namespace strata {
namespace {

struct Rows {
  std::vector<ScoredRow> rows;
  std::int64_t n = 0;
  std::int64_t truncated = 0;
};

/// By the first record that is whole. Where there is none, what is broken is told as of text.
Result<bool> holdsText(const std::filesystem::path& data) {
  std::optional<RecordKind> kind;
  RecordHandlers handlers;
  handlers.take = [&](DataRecord&& record) -> Result<void> {
    kind = record.kind;
    return fail(ErrorCode::cancelled, "");  // one is enough
  };
  handlers.drop = [](DroppedRow&&) -> Result<void> { return {}; };
  const auto read = readRecords(data, {}, handlers);
  if (!read && !kind) return tl::unexpected(read.error());
  return kind.value_or(RecordKind::document) == RecordKind::document;
}

Result<Rows> textRows(const Model& model, const std::filesystem::path& data, int limit) {
  Rows result;
  const DataOptions whole;
  RecordLog log(whole);
  STRATA_CHECK(readThrough(data, whole, log, [&](DataRecord&& record) -> Result<void> {
    if (auto reason = nothingToLearn(record)) {
      return log.drop({record.line, std::move(*reason), record.file, false}, RecordLog::Counted::already);
    }
    if (limit > 0 && result.n >= limit) return {};
    ++result.n;
    for (auto& window : windowsOf(*model.tokenizer(), record.text, model.context())) {
      std::vector<bool> predicted(window.size(), true);
      result.rows.push_back({std::move(window), std::move(predicted)});
    }
    return {};
  }));
  if (result.n > 0) return result;
  return fail(ErrorCode::invalidData, data.string() + " holds no text and no rows; give other data.", data.string());
}

Result<Rows> completionRows(const Model& model, const std::filesystem::path& data, const TaskOptions& options) {
  const auto length = static_cast<int>(std::min<std::int64_t>(model.context(), 1 << 24));
  STRATA_TRY(const Dataset set, Dataset::open(data, *model.tokenizer(),
                                              {.length = length, .vocab = model.config().vocab, .chat = options.chat}));
  Rows result;
  result.truncated = set.report().truncated;
  for (const Row& row : set.rows()) {
    if (options.limit > 0 && result.n >= options.limit) break;
    ++result.n;
    result.rows.push_back({row.ids, row.trained});
  }
  return result;
}

}  // namespace

Result<std::vector<TaskResult>> evaluateNll(const Model& model, const std::vector<NamedMap>& maps,
                                            const std::filesystem::path& data, const TaskOptions& options,
                                            const TaskHooks& hooks) {
  STRATA_CHECK(model.needTokenizer());
  STRATA_TRY(const bool text, holdsText(data));
  STRATA_TRY(const Rows rows, text ? textRows(model, data, options.limit) : completionRows(model, data, options));
  std::vector<TaskResult> results;
  for (const NamedMap& map : maps) {
    const auto started = std::chrono::steady_clock::now();
    STRATA_TRY(const NllSum sum, sumNll(model, map, rows.rows, hooks));
    if (sum.tokens == 0) {
      return fail(ErrorCode::invalidData, data.string() + " gives nothing to predict; give longer texts.",
                  data.string());
    }
    TaskResult result;
    result.map = map.name;
    result.src = map.map;
    result.retention = map.map.retention();
    result.nll = sum.sum / static_cast<double>(sum.tokens);
    result.tokens = sum.tokens;
    result.n = rows.n;
    result.truncated = rows.truncated;
    result.kvBytesPerToken =
        kvBytes(map.map, model.config().shape(), 1, static_cast<int>(c10::elementSize(model.dtype())));
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace strata
