#include "core/project/job_phase.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/log.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::array kPhases = {JobPhase::stepping, JobPhase::evaluating, JobPhase::saving};
constexpr std::size_t kPhaseBytes = 16;  // always all of them, so that one write replaces the word before
constexpr auto kPhaseInterval = std::chrono::milliseconds(100);

}  // namespace

const char* toString(JobPhase phase) {
  switch (phase) {
    case JobPhase::stepping:
      return "stepping";
    case JobPhase::evaluating:
      return "evaluating";
    case JobPhase::saving:
      return "saving";
  }
  return "stepping";
}

PhaseFile::PhaseFile(const fs::path& runFolder) : m_path(runFolder / "phase") {
  Result<Descriptor> opened = openInProject(inRun(runFolder, "phase"), O_WRONLY | O_CREAT);
  if (opened) {
    m_file = std::move(*opened);
  } else {
    logWarning(opened.error().message + " A stop may be pressed while the run saves.");
  }
  write();
}

PhaseFile::~PhaseFile() {
  if (m_file.get() >= 0) ::unlink(m_path.c_str());
}

void PhaseFile::enter(JobPhase phase) {
  m_phase = phase;
  write();
}

void PhaseFile::progress() {
  if (Clock::now() - m_written >= kPhaseInterval) write();
}

void PhaseFile::write() {
  if (m_file.get() < 0) return;
  std::string text = toString(m_phase);
  text.resize(kPhaseBytes - 1, ' ');
  text += '\n';
  m_written = Clock::now();
  if (::pwrite(m_file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) return;
  logWarning("Cannot write " + m_path.string() + ": " + std::strerror(errno) +
             "; a stop may be pressed while the run saves.");
  ::unlink(m_path.c_str());  // rather none than an old one
  m_file = Descriptor();
}

std::optional<PhaseReport> readPhase(const fs::path& runFolder) {
  const Result<Descriptor> file = openInProject(inRun(runFolder, "phase"), O_RDONLY);
  if (!file) return {};
  struct stat status = {};
  char bytes[kPhaseBytes];
  const ssize_t count = ::fstat(file->get(), &status) == 0 ? ::pread(file->get(), bytes, sizeof bytes, 0) : -1;
  if (count <= 0) return {};
  std::string_view word(bytes, static_cast<std::size_t>(count));
  word = word.substr(0, word.find_first_of(" \n"));
  for (const JobPhase phase : kPhases) {
    if (word != toString(phase)) continue;
    return PhaseReport{phase, changedAt(status)};
  }
  return {};
}

}  // namespace strata
