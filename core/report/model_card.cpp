// The README.md of an exported model: YAML metadata as the Hugging Face Hub reads it (model-index), then tables.

#include <cmath>

#include "core/base/json_values.h"
#include "core/report/document.h"
#include "core/report/numbers.h"
#include "core/report/report.h"
#include "core/report/texts.h"

namespace strata {
namespace {

const Json& listIn(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : kNone;
}

/// A string of YAML's JSON subset: quoted whatever it holds.
std::string yamlText(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string cardText(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      safe += ' ';
    } else if (c == '<') {
      safe += "&lt;";
    } else {
      if (c == '|' || c == '`' || c == '*' || c == '_' || c == '[') safe += '\\';
      safe += c;
    }
  }
  return safe;
}

bool isOfMap(const Json& row, const SharingMap& map) {
  const auto src = row.find("src");
  return src != row.end() && src->is_array() && *src == Json(map.src());
}

/// The rows of the exported map; where none was measured with it, all.
std::vector<const Json*> rowsOf(const Json& evaluation, const SharingMap& map) {
  std::vector<const Json*> own, all;
  for (const Json& row : listIn(evaluation, "rows")) {
    if (!row.is_object() || !row.contains("scores") || !row["scores"].is_object()) continue;
    all.push_back(&row);
    if (isOfMap(row, map)) own.push_back(&row);
  }
  return own.empty() ? all : own;
}

std::string metadataOf(const Json& report, const SharingMap& map, const std::string& name) {
  std::string yaml =
      "---\ntags:\n- strata\n- kv-cache-sharing\nmodel-index:\n- name: " + yamlText(name) + "\n  results:\n";
  for (const Json& evaluation : listIn(report, "evaluations")) {
    const std::string task = textIn(evaluation, "task"), data = textIn(evaluation, "data");
    const std::string type = task == "nll" || task == "lambada" ? "text-generation" : "question-answering";
    for (const Json* row : rowsOf(evaluation, map)) {
      yaml += "  - task:\n      type: " + type + "\n    dataset:\n      type: " + yamlText(task) +
              "\n      name: " + yamlText(data) + "\n    metrics:\n";
      for (const auto& [metric, score] : (*row)["scores"].items()) {
        if (!score.is_object() || !score.contains("value") || !score["value"].is_number()) continue;
        yaml += "    - type: " + yamlText(metric) +
                "\n      name: " + yamlText(metricLabel(metric) + ", map " + textIn(*row, "map")) +
                "\n      value: " + Json(score["value"]).dump() + "\n";
      }
    }
  }
  return yaml + "---\n";
}

std::string evaluationsOf(const Json& report, const SharingMap& map) {
  std::string text;
  for (const Json& evaluation : listIn(report, "evaluations")) {
    text += cardText(textIn(evaluation, "task")) + " on " + cardText(textIn(evaluation, "data")) +
            ", with 95 % intervals; differences are paired, against " + cardText(textIn(evaluation, "baseline")) +
            ":\n\n| Model and map | Questions | Scores | Difference |\n| --- | ---: | --- | --- |\n";
    for (const Json* row : rowsOf(evaluation, map)) {
      text += "| " + cardText(textIn(*row, "name")) + " | ";
      text += (row->contains("n") && (*row)["n"].is_number() ? (*row)["n"].dump() : "") + " | ";
      std::string scores;
      for (const auto& [metric, score] : (*row)["scores"].items()) {
        if (!score.is_object() || !score.contains("value") || !score["value"].is_number()) continue;
        scores += (scores.empty() ? "" : "; ") + metricLabel(metric) + " " + printScore(metric, score["value"]);
        const Json& interval = listIn(score, "interval");
        if (interval.size() == 2 && interval[0].is_number() && interval[1].is_number())
          scores += " (" + printScore(metric, interval[0]) + " to " + printScore(metric, interval[1]) + ")";
      }
      text += cardText(scores) + " | ";
      const auto paired = row->find("paired");
      if (paired != row->end() && paired->is_object() && paired->contains("difference") &&
          (*paired)["difference"].is_number()) {
        const std::string metric = textIn(*paired, "metric");
        const Json& interval = listIn(*paired, "interval");
        text += metricLabel(metric) + " " + printDifference(metric, (*paired)["difference"]);
        if (interval.size() == 2 && interval[0].is_number() && interval[1].is_number())
          text += " (" + printDifference(metric, interval[0]) + " to " + printDifference(metric, interval[1]) + ")";
      } else {
        text += "baseline";
      }
      text += " |\n";
    }
    text += "\n";
  }
  return text;
}

std::string runsOf(const Json& report) {
  std::string text = "```\n";
  for (const Json& run : listIn(report, "runs")) {
    const std::string command = textIn(run, "command");
    if (!command.empty() && command.find("```") == std::string::npos) text += command + "\n";
  }
  return text + "```";
}

}  // namespace

Result<std::string> modelCard(const Json& report, const SharingMap& map, const std::string& modelName) {
  if (!report.is_object() || textIn(report, "format") != "strata-report") {
    return fail(ErrorCode::invalidData, "The file is no report of Strata; make one with the format json.", "card");
  }
  if (listIn(report, "evaluations").empty()) {
    return fail(ErrorCode::invalidData, "The report holds no evaluation; make one of runs that evaluate.", "card");
  }
  return filledPage(kCardPage, {{"metadata", metadataOf(report, map, modelName)},
                                {"name", cardText(modelName)},
                                {"map", printMap(map)},
                                {"owners", std::to_string(map.owners())},
                                {"layers", std::to_string(map.layers())},
                                {"retention", printPercent(map.retention())},
                                {"evaluation", evaluationsOf(report, map)},
                                {"runs", runsOf(report)}});
}

}  // namespace strata
