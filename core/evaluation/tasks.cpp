#include "core/evaluation/tasks.h"

#include <algorithm>
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
  std::vector<std::int64_t> record;  // of each row: which document or row of the data it is of, from 0
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
      result.record.push_back(result.n - 1);
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
    result.record.push_back(result.n++);
    result.rows.push_back({row.ids, row.trained});
  }
  return result;
}

/// The loss of each document or row for itself, so that two runs can be compared in pairs.
Result<NllSum> tellRecords(const NamedMap& map, const Rows& rows, const std::vector<NllSum>& sums,
                           const TaskHooks& hooks) {
  std::vector<NllSum> records(static_cast<std::size_t>(rows.n));
  NllSum all;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    records[static_cast<std::size_t>(rows.record[i])] += sums[i];
    all += sums[i];
  }
  for (std::size_t i = 0; hooks.onAnswer && i < records.size(); ++i) {
    if (records[i].tokens == 0) continue;
    const Metrics scores = {{"nll", records[i].mean()}, {"tokens", static_cast<double>(records[i].tokens)}};
    STRATA_CHECK(hooks.onAnswer({map.name, std::to_string(i + 1), {}, scores, {}, {}}));
  }
  return all;
}

}  // namespace

const std::vector<EvalTask>& evalTasks() {
  static const std::vector<EvalTask> tasks = {{"squad", QaFormat::squad},
                                              {"hotpotqa", QaFormat::hotpotQa},
                                              {"triviaqa", QaFormat::triviaQa},
                                              {"msmarco", QaFormat::msMarco},
                                              {"nll", std::nullopt}};
  return tasks;
}

const EvalTask* findEvalTask(const std::string& name) {
  const auto& tasks = evalTasks();
  const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const EvalTask& task) { return name == task.name; });
  return found == tasks.end() ? nullptr : &*found;
}

Result<void> TaskHooks::check() const {
  if ((cancel == nullptr || !cancel->load()) && (!goOn || goOn())) return {};
  return fail(ErrorCode::cancelled, "The evaluation was cancelled.");
}

Result<std::vector<TaskResult>> evaluateNll(const Model& model, const std::vector<NamedMap>& maps,
                                            const std::filesystem::path& data, const TaskOptions& options,
                                            const TaskHooks& hooks) {
  STRATA_CHECK(model.needTokenizer());
  STRATA_TRY(const bool text, holdsText(data));
  STRATA_TRY(const Rows rows, text ? textRows(model, data, options.limit) : completionRows(model, data, options));
  std::vector<TaskResult> results;
  for (const NamedMap& map : maps) {
    const auto started = std::chrono::steady_clock::now();
    STRATA_TRY(const std::vector<NllSum> sums, sumNll(model, map, rows.rows, hooks));
    STRATA_TRY(const NllSum sum, tellRecords(map, rows, sums, hooks));
    if (sum.tokens == 0) {
      return fail(ErrorCode::invalidData, data.string() + " gives nothing to predict; give longer texts.",
                  data.string());
    }
    TaskResult result;
    result.map = map.name;
    result.src = map.map;
    result.retention = map.map.retention();
    result.metrics["nll"] = sum.mean();
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
