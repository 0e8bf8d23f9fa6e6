#include "app/strata/run_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/log.h"
#include "core/base/terminal_text.h"

namespace strata {

RunLog::RunLog(const std::filesystem::path& runFolder) {
  Result<Descriptor> file = openInProject(inRun(runFolder, "log"), O_WRONLY | O_CREAT | O_APPEND);
  if (!file) {
    logWarning("The run has no log: " + file.error().message);
    return;
  }
  m_file = std::move(*file);
  copyWarnings([this](const std::string& text) { line("warning: " + text); });
}

RunLog::~RunLog() {
  copyWarnings({});
}

void RunLog::line(const std::string& text) {
  const std::string whole = terminalText(text) + "\n";
  std::string problem;
  {
    const std::lock_guard guard(m_mutex);
    if (m_file.get() < 0) return;
    if (::write(m_file.get(), whole.data(), whole.size()) == static_cast<ssize_t>(whole.size())) return;
    problem = std::strerror(errno);
    m_file = Descriptor();
  }
  logWarning("The run's log cannot be written any more: " + problem + ".");
}

}  // namespace strata
