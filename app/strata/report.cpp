// strata report: what runs found, as files.

#include "core/report/report.h"

#include "app/strata/cli.h"
#include "core/project/project_files.h"
#include "core/service/report_files.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMostNotesBytes = 1 << 20;

struct ReportArguments {
  std::string project, runs, formats = "html,pdf,csv,json,md", out, title, baseline, notes;
};

std::vector<std::string> splitRuns(const std::string& list) {
  std::vector<std::string> runs;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t to = std::min(list.find(',', from), list.size());
    if (to > from) runs.push_back(list.substr(from, to - from));
    from = to + 1;
  }
  return runs;
}

Result<int> writeReports(const ReportArguments& arguments, const Output& out) {
  STRATA_TRY(const std::vector<ReportFormat> formats, parseReportFormats(arguments.formats));
  ReportOptions options{.title = arguments.title, .baseline = arguments.baseline};
  if (!arguments.notes.empty()) {
    STRATA_TRY(options.notes, readUtf8File(arguments.notes, kMostNotesBytes));
  }
  STRATA_TRY(const Report report, reportOf(arguments.project, splitRuns(arguments.runs), std::move(options)));
  fs::path folder = arguments.out;
  if (arguments.out.empty()) {
    const ProjectPath own{arguments.project, "reports"};
    STRATA_CHECK(makeFolder(own));
    folder = own.whole();
  } else {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) {
      return fail(ErrorCode::io, "The folder " + folder.string() + " cannot be made: " + error.message() + ".",
                  folder.string());
    }
  }
  Json files = Json::array();
  std::string text;
  for (const ReportFormat format : formats) {
    const fs::path file = folder / (reportFileName(report) + "." + toString(format));
    STRATA_CHECK(writeReport(report, format, file));
    files.push_back({{"format", toString(format)}, {"path", fs::absolute(file).lexically_normal().string()}});
    text += file.string() + "\n";
  }
  std::string conclusion;
  for (const std::string& sentence : report.conclusion) conclusion += sentence + "\n";
  out.answer({{"title", report.title}, {"conclusion", report.conclusion}, {"files", files}}, conclusion + text);
  return 0;
}

}  // namespace

VerbAction addReport(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<ReportArguments>();
  verb.add_option("--project", arguments->project, "project folder")->required()->type_name("DIR");
  verb.add_option("--runs", arguments->runs, "ids of evaluations, searches, sensitivities and training runs, by commas")
      ->required()
      ->type_name("IDS");
  verb.add_option("--format", arguments->formats, "html, pdf, csv, json, md: some, by commas");
  verb.add_option("--out", arguments->out, "folder to write to (default: the project's reports/)")->type_name("DIR");
  verb.add_option("--baseline", arguments->baseline,
                  "what the others are compared with (default: the first full map on the same data)")
      ->type_name("RUN@MAP");
  verb.add_option("--title", arguments->title, "title (default: of the project)");
  verb.add_option("--notes", arguments->notes, "Markdown file shown below the conclusion, with lists and tables")
      ->type_name("FILE");
  return [arguments, &out] { return writeReports(*arguments, out); };
}

}  // namespace strata
