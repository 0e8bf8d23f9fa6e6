// A report for programs: JSON with everything, and CSV.

#include <algorithm>
#include <charconv>

#include "core/report/report.h"

namespace strata {
namespace {

Json intervalJson(const Interval& interval) {
  return Json::array({interval.low, interval.high});
}

Json optionalJson(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json runJson(const ReportRun& run) {
  return {{"id", run.id},
          {"name", run.name},
          {"kind", run.kind},
          {"state", run.state},
          {"created", run.created},
          {"model", run.model},
          {"model_hash", run.modelHash},
          {"adapter", run.adapter},
          {"data", run.data},
          {"data_hash", run.dataHash},
          {"task", run.task},
          {"dtype", run.dtype},
          {"device", run.device},
          {"strata", run.version},
          {"hardware", run.hardware},
          {"settings", run.settings},
          {"seed", run.seed ? Json(*run.seed) : Json(nullptr)},
          {"seconds", run.seconds < 0 ? Json(nullptr) : Json(run.seconds)},
          {"command", run.command}};
}

Json pairedJson(const PairedResult& paired) {
  Json json = {{"metric", paired.metric},
               {"n", paired.n},
               {"clusters", paired.clusters},
               {"mean_baseline", paired.meanA},
               {"mean", paired.meanB},
               {"difference", paired.difference},
               {"interval", intervalJson(paired.interval)},
               {"detectable", paired.detectable},
               {"mcnemar", nullptr}};
  if (paired.mcnemar) {
    json["mcnemar"] = {{"metric", paired.mcnemar->metric},
                       {"only_baseline", paired.mcnemar->onlyA},
                       {"only_this", paired.mcnemar->onlyB},
                       {"p", paired.mcnemar->p},
                       {"holm_p", paired.mcnemar->adjusted}};
  }
  return json;
}

Json rowJson(const ReportRow& row, const Report& report) {
  Json scores = Json::object();
  for (const ReportScore& score : row.scores) {
    scores[score.metric] = {{"value", score.value},
                            {"interval", score.interval ? intervalJson(*score.interval) : Json(nullptr)}};
  }
  return {{"name", row.name},
          {"run", report.runs[row.run].id},
          {"map", row.map},
          {"src", row.src.src()},
          {"retention", row.src.retention()},
          {"kv_bytes_per_token", row.kvBytesPerToken},
          {"n", row.n},
          {"scores", scores},
          {"paired", row.paired ? pairedJson(*row.paired) : Json(nullptr)},
          {"unpaired", row.unpaired.empty() ? Json(nullptr) : Json(row.unpaired)}};
}

Json evaluationJson(const ReportEvaluation& evaluation, const Report& report) {
  Json json = {{"task", evaluation.task},
               {"data", evaluation.data},
               {"data_hash", evaluation.dataHash},
               {"metric", evaluation.metric},
               {"baseline", evaluation.rows[evaluation.baseline].name},
               {"rows", Json::array()},
               {"flips", Json::array()}};
  for (const ReportRow& row : evaluation.rows) json["rows"].push_back(rowJson(row, report));
  for (const ReportFlip& flip : evaluation.flips) {
    json["flips"].push_back({{"row", evaluation.rows[flip.row].name},
                             {"question", flip.question},
                             {"right", flip.baselineRight ? "baseline" : "row"},
                             {"text", flip.text},
                             {"expected", flip.expected},
                             {"baseline_answer", flip.baselineAnswer},
                             {"answer", flip.answer}});
  }
  return json;
}

std::string plainNumber(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

bool isNegativeNumber(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  return text.size() > 1 && text.front() == '-' && text[1] >= '0' && text[1] <= '9' &&
         std::from_chars(text.data(), end, value).ptr == end;
}

/// A cell of text. An apostrophe keeps a spreadsheet from taking it for a formula; "-3" is a number and stays one.
std::string cell(const std::string& text) {
  std::string safe = text;
  const std::size_t first = safe.find_first_not_of(' ');
  if (first != std::string::npos && std::string_view("=+-@\t\r\n").find(safe[first]) != std::string_view::npos &&
      !isNegativeNumber(safe))
    safe.insert(safe.begin(), '\'');
  if (safe.find_first_of(",\"\r\n") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

class CsvLines {
 public:
  void add(std::initializer_list<std::string> cells) {
    bool isFirst = true;
    for (const std::string& each : cells) {
      if (!isFirst) m_text += ',';
      m_text += each;
      isFirst = false;
    }
    m_text += "\r\n";
  }
  std::string take() { return std::move(m_text); }

 private:
  std::string m_text;
};

}  // namespace

Json reportJson(const Report& report) {
  Json json = {{"format", "strata-report"},
               {"version", 1},
               {"title", report.title},
               {"project", report.project},
               {"date", report.date},
               {"conclusion", report.conclusion},
               {"notes", report.notes},
               {"runs", Json::array()},
               {"evaluations", Json::array()},
               {"searches", Json::array()},
               {"sensitivities", Json::array()},
               {"curves", Json::array()},
               {"memory", Json::array()}};
  for (const ReportRun& run : report.runs) json["runs"].push_back(runJson(run));
  for (const ReportEvaluation& each : report.evaluations) json["evaluations"].push_back(evaluationJson(each, report));
  for (const ReportSearch& search : report.searches) {
    Json points = Json::array();
    for (const ReportSearch::Point& point : search.points) {
      points.push_back({{"map", point.map},
                        {"retention", point.retention},
                        {"value", point.value},
                        {"half_width", optionalJson(point.halfWidth)}});
    }
    json["searches"].push_back({{"run", report.runs[search.run].id},
                                {"metric", search.metric},
                                {"method", search.method},
                                {"best", search.best},
                                {"points", points}});
  }
  for (const ReportMatrix& matrix : report.matrices) {
    Json delta = Json::array();
    for (const auto& row : matrix.delta) {
      Json cells = Json::array();
      for (const auto& value : row) cells.push_back(optionalJson(value));
      delta.push_back(std::move(cells));
    }
    json["sensitivities"].push_back(
        {{"run", report.runs[matrix.run].id}, {"baseline_nll", matrix.baseline}, {"delta", delta}});
  }
  for (const ReportCurve& curve : report.curves) {
    json["curves"].push_back(
        {{"run", report.runs[curve.run].id}, {"metric", curve.metric}, {"step", curve.step}, {"value", curve.value}});
  }
  for (const ReportMemory& memory : report.memory) {
    json["memory"].push_back({{"run", report.runs[memory.run].id},
                              {"predicted", optionalJson(memory.predicted)},
                              {"measured", optionalJson(memory.measured)}});
  }
  return json;
}

/// A line for each score and each flip: one table, whose first column says what the line is.
std::string reportCsv(const Report& report) {
  CsvLines lines;
  lines.add({"what",
             "task",
             "data",
             "row",
             "run",
             "map",
             "retention",
             "kv_bytes_per_token",
             "metric",
             "n",
             "value",
             "low",
             "high",
             "difference",
             "difference_low",
             "difference_high",
             "only_baseline",
             "only_this",
             "mcnemar_p",
             "holm_p",
             "question",
             "right",
             "text",
             "expected",
             "baseline_answer",
             "answer"});
  for (const ReportEvaluation& evaluation : report.evaluations) {
    for (const ReportRow& row : evaluation.rows) {
      for (const ReportScore& score : row.scores) {
        std::string low, high, difference, from, to, onlyBase, only, p, holm;
        if (score.interval) {
          low = plainNumber(score.interval->low);
          high = plainNumber(score.interval->high);
        }
        if (row.paired && row.paired->metric == score.metric) {
          difference = plainNumber(row.paired->difference);
          from = plainNumber(row.paired->interval.low);
          to = plainNumber(row.paired->interval.high);
        }
        if (row.paired && row.paired->mcnemar && row.paired->mcnemar->metric == score.metric) {
          onlyBase = std::to_string(row.paired->mcnemar->onlyA);
          only = std::to_string(row.paired->mcnemar->onlyB);
          p = plainNumber(row.paired->mcnemar->p);
          holm = plainNumber(row.paired->mcnemar->adjusted);
        }
        lines.add({"score",
                   cell(evaluation.task),
                   cell(evaluation.data),
                   cell(row.name),
                   cell(report.runs[row.run].id),
                   cell(row.map),
                   plainNumber(row.src.retention()),
                   std::to_string(row.kvBytesPerToken),
                   cell(score.metric),
                   std::to_string(row.n),
                   plainNumber(score.value),
                   low,
                   high,
                   difference,
                   from,
                   to,
                   onlyBase,
                   only,
                   p,
                   holm,
                   "",
                   "",
                   "",
                   "",
                   "",
                   ""});
      }
    }
    for (const ReportFlip& flip : evaluation.flips) {
      const ReportRow& row = evaluation.rows[flip.row];
      lines.add({"flip",
                 cell(evaluation.task),
                 cell(evaluation.data),
                 cell(row.name),
                 cell(report.runs[row.run].id),
                 cell(row.map),
                 plainNumber(row.src.retention()),
                 std::to_string(row.kvBytesPerToken),
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 cell(flip.question),
                 flip.baselineRight ? "baseline" : "row",
                 cell(flip.text),
                 cell(flip.expected),
                 cell(flip.baselineAnswer),
                 cell(flip.answer)});
    }
  }
  for (const ReportSearch& search : report.searches) {
    for (const ReportSearch::Point& point : search.points) {
      std::string low, high;
      if (point.halfWidth) {
        low = plainNumber(point.value - *point.halfWidth);
        high = plainNumber(point.value + *point.halfWidth);
      }
      lines.add({"search",
                 "",
                 "",
                 "",
                 cell(report.runs[search.run].id),
                 cell(point.map),
                 plainNumber(point.retention),
                 "",
                 cell(search.metric),
                 "",
                 plainNumber(point.value),
                 low,
                 high,
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 "",
                 ""});
    }
  }
  return lines.take();
}

}  // namespace strata
