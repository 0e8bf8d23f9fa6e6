#include "core/service/report_files.h"

#include <algorithm>
#include <tuple>

#include "core/base/base64.h"
#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/json_values.h"
#include "core/base/log.h"
#include "core/config/train_config.h"
#include "core/project/project_files.h"
#include "core/protocol/job_kinds.h"
#include "core/training/train_plan.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReports = "reports";
constexpr const char* kTrash = "reports/trash";
constexpr const char* kFormats[] = {"html", "pdf", "csv", "json", "md"};
constexpr std::uint64_t kMostBytes = 256u << 20;
constexpr std::int64_t kPageBytes = 128 << 10;

/// What a training run's tensors were predicted to take; nothing where its model is gone.
std::optional<double> predictedTensors(const RunInfo& run) {
  TrainConfig config;
  if (run.kind != kTrainKind || !configFromJson(run.config, "run.json", config, UnknownKeys::ignore)) return {};
  const TrainPlan plan = planTraining(config);
  const auto bytes = static_cast<double>(plan.memory.total() - plan.memory.process);
  return bytes > 0 ? std::optional(bytes) : std::nullopt;
}

Result<void> checkName(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 100 && name.find('/') == std::string::npos && name[0] != '.';
  if (plain && name != "trash") return {};
  return fail(ErrorCode::usage,
              "\"" + name + "\" cannot name a report; give 1 to 100 characters without a slash or a dot at the start.",
              "name");
}

Result<protocol::ReportFile> describe(const fs::path& project, const std::string& name) {
  STRATA_TRY(const std::string bytes, readInProject({project, fs::path(kReports) / (name + ".json")}, kMostBytes));
  STRATA_TRY(const Json json, parseJson(bytes, name + ".json"));
  if (!json.is_object()) return fail(ErrorCode::invalidData, name + ".json is no report.", name);
  protocol::ReportFile file;
  file.name = name;
  file.title = textIn(json, "title");
  file.created = textIn(json, "date");
  if (const auto sentences = json.find("conclusion"); sentences != json.end() && sentences->is_array()) {
    for (const Json& each : *sentences) {
      if (each.is_string()) file.conclusion += (file.conclusion.empty() ? "" : " ") + each.get<std::string>();
    }
  }
  std::error_code ignored;
  for (const char* format : kFormats) {
    if (fs::exists(project / kReports / (name + "." + format), ignored)) file.formats.emplace_back(format);
  }
  return file;
}

}  // namespace

Result<Report> reportOf(const fs::path& project, const std::vector<std::string>& runs, ReportOptions options) {
  options.predictedMemory = predictedTensors;
  return buildReport(project, runs, options);
}

Result<protocol::ReportFile> writeProjectReport(const fs::path& project, const protocol::WriteReport::Params& params) {
  std::string wanted;
  for (const std::string& format : params.formats) wanted += (wanted.empty() ? "" : ",") + format;
  if (wanted.empty()) wanted = "html,pdf,csv,json,md";
  STRATA_TRY(std::vector<ReportFormat> formats, parseReportFormats(wanted));
  if (std::find(formats.begin(), formats.end(), ReportFormat::json) == formats.end()) {
    formats.push_back(ReportFormat::json);
  }
  STRATA_TRY(
      const Report report,
      reportOf(project, params.runs, {.title = params.title, .baseline = params.baseline, .notes = params.notes}));
  const std::string name = params.name.empty() ? reportFileName(report) : params.name;
  STRATA_CHECK(checkName(name));
  const ProjectPath folder{project, kReports};
  STRATA_CHECK(makeFolder(folder));
  for (const ReportFormat format : formats) {
    STRATA_CHECK(writeReport(report, format, folder.whole() / (name + "." + toString(format))));
  }
  return describe(project, name);
}

Result<protocol::ListReports::Answer> listReports(const fs::path& project) {
  protocol::ListReports::Answer answer;
  answer.folder = (project / kReports).string();
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(project / kReports, none)) {
    if (entry.path().extension() != ".json") continue;
    Result<protocol::ReportFile> file = describe(project, entry.path().stem().string());
    if (file) {
      answer.reports.push_back(std::move(*file));
    } else {
      logWarning(file.error().message);
    }
  }
  std::sort(answer.reports.begin(), answer.reports.end(),
            [](const auto& a, const auto& b) { return std::tie(b.created, a.name) < std::tie(a.created, b.name); });
  return answer;
}

Result<protocol::ReadReport::Answer> readReportFile(const fs::path& project,
                                                    const protocol::ReadReport::Params& params) {
  STRATA_CHECK(checkName(params.name));
  if (std::find(std::begin(kFormats), std::end(kFormats), params.format) == std::end(kFormats)) {
    return fail(ErrorCode::usage, "A report has no form " + params.format + "; give html, pdf, csv, json or md.",
                "format");
  }
  const fs::path file = fs::path(kReports) / (params.name + "." + params.format);
  STRATA_TRY(const std::string bytes, readInProject({project, file}, kMostBytes));
  protocol::ReadReport::Answer answer;
  answer.size = static_cast<std::int64_t>(bytes.size());
  const std::int64_t from = std::min(params.from, answer.size), end = std::min(answer.size, from + kPageBytes);
  answer.bytes = encodeBase64(
      std::string_view(bytes).substr(static_cast<std::size_t>(from), static_cast<std::size_t>(end - from)));
  answer.next = end < answer.size ? end : 0;
  return answer;
}

Result<void> moveReport(const fs::path& project, const protocol::RemoveReport::Params& params) {
  STRATA_CHECK(checkName(params.name));
  const fs::path from = params.restore ? kTrash : kReports, to = params.restore ? kReports : kTrash;
  STRATA_CHECK(makeFolder({project, to}));
  bool moved = false;
  for (const char* format : kFormats) {
    const std::string name = params.name + "." + format;
    const ProjectPath source{project, from / name}, target{project, to / name};
    STRATA_TRY(const fs::path path, plainPath(source));
    std::error_code error;
    if (!fs::exists(path, error)) continue;
    STRATA_TRY(const fs::path place, plainPath(target));
    fs::rename(path, place, error);
    if (error) return systemFailure(error.value(), "move", path);
    moved = true;
  }
  if (moved) return {};
  return fail(ErrorCode::notFound,
              "The project has no report " + params.name + (params.restore ? " in the trash." : "."), "name");
}

}  // namespace strata
