#include "core/evaluation/tasks.h"

#include <algorithm>
#include <chrono>

#include "core/config/eval_config.h"
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
Result<bool> holdsText(const std::filesystem::path& data, const Columns& columns) {
  std::optional<RecordKind> kind;
  RecordHandlers handlers;
  handlers.take = [&](DataRecord&& record) -> Result<void> {
    kind = record.kind;
    return fail(ErrorCode::cancelled, "");  // one is enough
  };
  handlers.drop = [](DroppedRow&&) -> Result<void> { return {}; };
  const auto read = readRecords(data, {.columns = columns}, handlers);
  if (!read && !kind) return tl::unexpected(read.error());
  return kind.value_or(RecordKind::document) == RecordKind::document;
}

Result<Rows> textRows(const Model& model, const std::filesystem::path& data, const TaskOptions& options) {
  Rows result;
  DataOptions whole;
  whole.columns = options.columns;
  RecordLog log(whole);
  STRATA_CHECK(readThrough(data, whole, log, [&](DataRecord&& record) -> Result<void> {
    if (auto reason = nothingToLearn(record)) {
      return log.drop({record.line, std::move(*reason), record.file, false}, RecordLog::Counted::already);
    }
    if (options.limit > 0 && result.n >= options.limit) return {};
    ++result.n;
    for (auto& window : windowsOf(*model.tokenizer(), record.text, textWindow(model, options))) {
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
  STRATA_TRY(const Dataset set,
             Dataset::open(
                 data, *model.tokenizer(),
                 {.length = length, .vocab = model.config().vocab, .columns = options.columns, .chat = options.chat}));
  Rows result;
  result.truncated = set.report().truncated;
  for (const Row& row : set.rows()) {
    if (options.limit > 0 && result.n >= options.limit) break;
    result.record.push_back(result.n++);
    result.rows.push_back({row.ids, row.trained});
  }
  return result;
}

/// The losses of documents or rows under one map, while the rows that they were cut into are computed.
class RecordLosses {
 public:
  RecordLosses(const NamedMap& map, const Rows& rows, const TaskHooks& hooks)
      : m_map(map), m_rows(rows), m_hooks(hooks), m_sums(static_cast<std::size_t>(rows.n)), m_left(m_sums.size(), 0) {
    for (const std::int64_t record : rows.record) ++m_left[static_cast<std::size_t>(record)];
    for (std::size_t i = 0; i < m_sums.size(); ++i) {
      if (const TaskAnswer* known = hooks.find(map.name, nameOf(i))) m_known[i] = stored(known->scores);
    }
  }

  bool wants(std::size_t row) const { return !m_known.contains(recordOf(row)); }

  /// Tells the records of which this was the last part. A loss of one record for itself lets two runs be compared in
  /// pairs.
  Result<void> add(const NllBatch& batch) {
    std::vector<TaskAnswer> whole;
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      const std::size_t record = recordOf(batch.rows[i]);
      m_sums[record] += batch.sums[i];
      if (--m_left[record] > 0 || m_known.contains(record) || m_sums[record].tokens == 0) continue;
      const NllSum& sum = m_sums[record];
      const Metrics scores = {{"nll", sum.mean()}, {"tokens", static_cast<double>(sum.tokens)}};
      whole.push_back({m_map.name, nameOf(record), {}, scores, {}});
      m_known[record] = stored(whole.back().scores);
    }
    return m_hooks.onAnswers && !whole.empty() ? m_hooks.onAnswers(whole) : Result<void>();
  }

  NllSum sum() const {
    NllSum all;
    for (const auto& [record, sum] : m_known) all += sum;
    return all;
  }

 private:
  static std::string nameOf(std::size_t record) { return std::to_string(record + 1); }
  std::size_t recordOf(std::size_t row) const { return static_cast<std::size_t>(m_rows.record[row]); }
  static NllSum stored(const Metrics& scores) {
    const auto nll = scores.find("nll"), tokens = scores.find("tokens");
    if (nll == scores.end() || tokens == scores.end()) return {};
    return NllSum::of(nll->second, static_cast<std::int64_t>(tokens->second));
  }

  const NamedMap& m_map;
  const Rows& m_rows;
  const TaskHooks& m_hooks;
  std::vector<NllSum> m_sums;
  std::vector<std::int64_t> m_left;       // rows of each record to come
  std::map<std::size_t, NllSum> m_known;  // records that are whole
};

}  // namespace

const std::vector<EvalTask>& evalTasks() {
  static const std::vector<EvalTask> tasks = {{"squad", QaFormat::squad},
                                              {"hotpotqa", QaFormat::hotpotQa},
                                              {"triviaqa", QaFormat::triviaQa},
                                              {"msmarco", QaFormat::msMarco},
                                              {"nq", QaFormat::naturalQuestions},
                                              {"boolq", QaFormat::boolQ},
                                              {"multiple-choice", QaFormat::multipleChoice},
                                              {"lambada", QaFormat::lastWord},
                                              {"kv-retrieval", QaFormat::keyValues},
                                              {"nll", std::nullopt}};
  return tasks;
}

const EvalTask* findEvalTask(const std::string& name) {
  const auto& tasks = evalTasks();
  const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const EvalTask& task) { return name == task.name; });
  return found == tasks.end() ? nullptr : &*found;
}

bool isAnsweredByChoice(QaFormat format) {
  return format == QaFormat::boolQ || format == QaFormat::multipleChoice || format == QaFormat::lastWord;
}

TaskResult resultOf(const NamedMap& map, const Model& model, std::int64_t n, std::int64_t truncated) {
  TaskResult result;
  result.map = map.name;
  result.src = map.map;
  result.retention = map.map.retention();
  result.n = n;
  result.truncated = truncated;
  result.kvBytesPerToken = kvBytes(map.map, model.config().shape(), 1, model.kvStorage());
  return result;
}

std::int64_t textWindow(const Model& model, const TaskOptions& options) {
  return std::min(model.context(), options.window > 0 ? options.window : kDefaultWindow);
}

Result<void> TaskHooks::check() const {
  if ((cancel == nullptr || !cancel->load()) && (!goOn || goOn())) return {};
  return fail(ErrorCode::cancelled, "The evaluation was cancelled.");
}

const TaskAnswer* TaskHooks::find(const std::string& map, const std::string& question) const {
  if (known == nullptr) return nullptr;
  const auto found = known->find({map, question});
  return found == known->end() ? nullptr : &found->second;
}

Result<std::vector<TaskResult>> evaluateNll(const Model& model, const std::vector<NamedMap>& maps,
                                            const std::filesystem::path& data, const TaskOptions& options,
                                            const TaskHooks& hooks) {
  STRATA_CHECK(model.needTokenizer());
  STRATA_TRY(const bool text, holdsText(data, options.columns));
  STRATA_TRY(const Rows rows, text ? textRows(model, data, options) : completionRows(model, data, options));
  std::vector<TaskResult> results;
  const auto each = static_cast<std::int64_t>(rows.rows.size());
  std::int64_t before = 0;  // rows under the maps that are done
  for (const NamedMap& map : maps) {
    const auto started = std::chrono::steady_clock::now();
    RecordLosses losses(map, rows, hooks);
    std::int64_t computed = 0;
    STRATA_CHECK(sumNll(
        model, map.map, rows.rows, hooks, [&](std::size_t row) { return losses.wants(row); },
        [&](const NllBatch& batch) -> Result<void> {
          computed += static_cast<std::int64_t>(batch.rows.size());
          STRATA_CHECK(losses.add(batch));
          if (hooks.onProgress) hooks.onProgress(before + computed, each * static_cast<std::int64_t>(maps.size()));
          return {};
        }));
    before += each;
    const NllSum sum = losses.sum();
    if (sum.tokens == 0) {
      return fail(ErrorCode::invalidData, data.string() + " gives nothing to predict; give longer texts.",
                  data.string());
    }
    TaskResult result = resultOf(map, model, rows.n, rows.truncated);
    result.metrics["nll"] = sum.mean();
    result.tokens = sum.tokens;
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace strata
