#pragma once
// The reports of a project: reports/NAME.html, .pdf, .csv, .json and .md. The JSON is what the list is made from.

#include <filesystem>
#include <string>

#include "core/base/error.h"
#include "core/protocol/evaluation_messages.h"
#include "core/report/report.h"

namespace strata {

/// buildReport() with what training runs were predicted to take, as the command line and the window both make it:
/// `options` are the others.
Result<Report> reportOf(const std::filesystem::path& project, const std::vector<std::string>& runs,
                        ReportOptions options);

Result<protocol::ReportFile> writeProjectReport(const std::filesystem::path& project,
                                                const protocol::WriteReport::Params& params);
/// The newest first; a file that cannot be read is left out, and the log says so.
Result<protocol::ListReports::Answer> listReports(const std::filesystem::path& project);
Result<protocol::ReadReport::Answer> readReportFile(const std::filesystem::path& project,
                                                    const protocol::ReadReport::Params& params);
/// To reports/trash, or back.
Result<void> moveReport(const std::filesystem::path& project, const protocol::RemoveReport::Params& params);

}  // namespace strata
