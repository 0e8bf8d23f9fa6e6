#pragma once
// What a run holds, in the protocol's form: its log, what it was told, its metrics as series,
// its answers. Reads the run's files,
// whatever its process writes meanwhile. Any thread.

#include <filesystem>

#include "core/base/error.h"
#include "core/protocol/job_messages.h"

namespace strata {

Result<protocol::ReadLog::Answer> readLog(const std::filesystem::path& runFolder,
                                          const protocol::ReadLog::Params& params);
Result<protocol::ReadJobConfig::Answer> readConfig(const std::filesystem::path& runFolder);
/// `params.path` is relative to the project that the run is in.
Result<protocol::ExportJob::Answer> exportRun(const std::filesystem::path& runFolder,
                                              const protocol::ExportJob::Params& params);
/// Of a run that has not begun: nothing.
Result<protocol::ReadSeries::Answer> readSeries(const std::filesystem::path& runFolder,
                                                const protocol::ReadSeries::Params& params);
Result<protocol::ReadAnswers::Answer> readAnswers(const std::filesystem::path& runFolder,
                                                  const protocol::ReadAnswers::Params& params);
/// Nothing is counted of a run that has done no step; an evaluation is refused.
Result<protocol::ReadBorrowed::Answer> readBorrowed(const std::filesystem::path& runFolder);
Result<protocol::ReadEvents::Answer> readEvents(const std::filesystem::path& runFolder,
                                                const protocol::ReadEvents::Params& params);

}  // namespace strata
