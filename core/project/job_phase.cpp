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

bool isRegularFile(int file, struct stat& status) {
  return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

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

PhaseFile::PhaseFile(fs::path runFolder) : m_path(std::move(runFolder) / "phase") {
  struct stat status = {};
  m_file = ::open(m_path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (m_file >= 0 && !isRegularFile(m_file, status)) {
    ::close(m_file);
    m_file = -1;
    errno = EINVAL;
  }
  if (m_file < 0) {
    logWarning("Cannot write " + m_path.string() + ": " + std::strerror(errno) +
               "; a stop may be pressed while the run saves.");
  }
  write();
}

PhaseFile::~PhaseFile() {
  if (m_file < 0) return;
  ::close(m_file);
  ::unlink(m_path.c_str());
}

void PhaseFile::enter(JobPhase phase) {
  m_phase = phase;
  write();
}

void PhaseFile::progress() {
  if (Clock::now() - m_written >= kPhaseInterval) write();
}

void PhaseFile::write() {
  if (m_file < 0) return;
  std::string text = toString(m_phase);
  text.resize(kPhaseBytes - 1, ' ');
  text += '\n';
  m_written = Clock::now();
  if (::pwrite(m_file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) return;
  logWarning("Cannot write " + m_path.string() + ": " + std::strerror(errno) +
             "; a stop may be pressed while the run saves.");
  ::close(m_file);
  ::unlink(m_path.c_str());  // rather none than an old one
  m_file = -1;
}

std::optional<PhaseReport> readPhase(const fs::path& runFolder) {
  const int file = ::open((runFolder / "phase").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return {};
  struct stat status = {};
  char bytes[kPhaseBytes];
  const ssize_t count = isRegularFile(file, status) ? ::pread(file, bytes, sizeof bytes, 0) : -1;
  ::close(file);
  if (count <= 0) return {};
  std::string_view word(bytes, static_cast<std::size_t>(count));
  word = word.substr(0, word.find_first_of(" \n"));
  for (const JobPhase phase : kPhases) {
    if (word != toString(phase)) continue;
    const auto time = std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
    return PhaseReport{phase, std::chrono::system_clock::time_point(
                                  std::chrono::duration_cast<std::chrono::system_clock::duration>(time))};
  }
  return {};
}

}  // namespace strata
