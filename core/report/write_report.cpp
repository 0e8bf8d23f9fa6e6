// A report's forms by name, and its files.

#include <algorithm>
#include <array>

#include "core/base/files.h"
#include "core/report/report.h"
#include "core/report/texts.h"

namespace strata {
namespace {

constexpr std::array<const char*, 5> kFormats = {"html", "pdf", "csv", "json", "md"};

}  // namespace

std::string filledPage(const std::string& page, const std::map<std::string, std::string>& texts) {
  std::string filled;
  for (std::size_t from = 0; from < page.size();) {
    const std::size_t open = page.find("{{", from), close = page.find("}}", open);
    if (open == std::string::npos || close == std::string::npos) return filled + page.substr(from);
    filled += page.substr(from, open - from);
    const auto text = texts.find(page.substr(open + 2, close - open - 2));
    if (text != texts.end()) filled += text->second;
    from = close + 2;
  }
  return filled;
}

const char* toString(ReportFormat format) {
  return kFormats[static_cast<std::size_t>(format)];
}

Result<std::vector<ReportFormat>> parseReportFormats(const std::string& list) {
  std::vector<ReportFormat> formats;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t to = std::min(list.find(',', from), list.size());
    const std::string name = list.substr(from, to - from);
    const auto found = std::find(kFormats.begin(), kFormats.end(), name);
    if (found == kFormats.end()) {
      return fail(ErrorCode::usage,
                  "\"" + name + "\" is no form of a report; give some of html, pdf, csv, json and md.", "format");
    }
    const auto format = static_cast<ReportFormat>(found - kFormats.begin());
    if (std::find(formats.begin(), formats.end(), format) == formats.end()) formats.push_back(format);
    from = to + 1;
  }
  return formats;
}

Result<std::string> printReport(const Report& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::html:
      return reportHtml(report);
    case ReportFormat::pdf:
      return reportPdf(report);
    case ReportFormat::csv:
      return reportCsv(report);
    case ReportFormat::json:
      return reportJson(report).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
    case ReportFormat::markdown:
      return reportMarkdown(report);
  }
  return fail(ErrorCode::internal, "The report's form is unknown.");
}

Result<void> writeReport(const Report& report, ReportFormat format, const std::filesystem::path& file) {
  STRATA_TRY(const std::string bytes, printReport(report, format));
  return writeFile(file, bytes);
}

std::string reportFileName(const Report& report) {
  // "2026-11-22T09:30:00Z"
  std::string time;
  for (const char c : report.date) {
    if (c >= '0' && c <= '9') time += c;
    if (c == 'T') time += '-';
  }
  return "report-" + time;
}

}  // namespace strata
