#include "widgets/client/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <random>
#include <string_view>

#include "core/base/files.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMostDoneBytes = 64u << 10;  // of a file without open entries, before it is emptied

Error failure(const char* what, const fs::path& path, int error) {
  return {
      error == ENOSPC ? ErrorCode::diskFull : ErrorCode::io,
      std::string("The window's journal cannot be ") + what + ": " + path.string() + ": " + std::strerror(error) + ".",
      path.string()};
}

std::string textOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json lineOf(const Journal::Entry& entry) {
  return {{"put", entry.key}, {"project", entry.project}, {"params", entry.params}};
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const fs::path& path) {
  std::error_code ignored;  // what is wrong with the folder shows at once
  fs::create_directories(path.parent_path(), ignored);
  const std::string lock = path.string() + ".lock";
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return tl::unexpected(failure("opened", lock, errno));
  std::unique_ptr<Journal> journal(new Journal(path, fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::busy,
                "Another window uses the journal " + path.string() + "; close it or give another file.", path.string());
  }
  STRATA_CHECK(journal->read());
  journal->m_fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (journal->m_fd < 0) return tl::unexpected(failure("opened", path, errno));
  STRATA_CHECK(syncFolder(path.parent_path().empty() ? fs::path(".") : path.parent_path()));
  journal->m_syncer = std::thread([own = journal.get()] { own->syncLoop(); });
  return journal;
}

Result<std::unique_ptr<Journal>> Journal::openIn(const fs::path& folder) {
  constexpr int kMostWindows = 32;
  std::unique_ptr<Journal> own;
  std::optional<Error> problem;
  for (int number = 1; number <= kMostWindows; ++number) {
    const fs::path path = folder / ("journal-" + std::to_string(number) + ".jsonl");
    if (own != nullptr && !fs::exists(path)) continue;
    auto journal = open(path);
    if (!journal) {
      problem = journal.error();
    } else if (own == nullptr) {
      own = std::move(*journal);
    } else {
      for (const Entry& entry : std::vector<Entry>((*journal)->entries())) {
        STRATA_TRY(const std::string key, own->add(entry.project, entry.params));
        if (entry.aside) STRATA_CHECK(own->setAside(key));
        STRATA_CHECK((*journal)->done(entry.key));
      }
    }
  }
  if (own == nullptr) return tl::unexpected(*problem);
  return own;
}

Journal::Journal(fs::path path, int lockFd) : m_path(std::move(path)), m_lockFd(lockFd) {
  std::random_device random;
  m_session = std::to_string(random()) + "-" + std::to_string(random());
}

Journal::~Journal() {
  if (m_syncer.joinable()) {
    {
      const std::lock_guard lock(m_syncMutex);
      m_ending = true;
    }
    m_syncChanged.notify_all();
    m_syncer.join();
  }
  if (m_fd >= 0) ::close(m_fd);
  ::close(m_lockFd);
}

/// One fdatasync for all that was written since the last.
void Journal::syncLoop() {
  std::unique_lock lock(m_syncMutex);
  while (true) {
    m_syncChanged.wait(lock, [&] { return m_ending || m_writes > m_syncedWrites; });
    if (m_writes == m_syncedWrites) return;
    const std::uint64_t written = m_writes;
    lock.unlock();
    const int error = fdatasync(m_fd) == 0 ? 0 : errno;
    lock.lock();
    m_syncedWrites = written;
    m_syncError = error;
    m_syncChanged.notify_all();
  }
}

Result<void> Journal::sync() {
  std::unique_lock lock(m_syncMutex);
  m_syncChanged.wait(lock, [&, until = m_writes] { return m_syncedWrites >= until; });
  if (m_syncError != 0) return tl::unexpected(failure("written", m_path, m_syncError));
  return {};
}

Result<void> Journal::read() {
  if (!fs::exists(m_path)) return {};
  STRATA_TRY(const std::string text, readFile(m_path));
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;  // the window died while it wrote this line
    const auto line = parseJson(rest.substr(0, end), m_path.string());
    if (line && line->is_object()) apply(*line);
    rest.remove_prefix(end + 1);
  }
  std::string kept;
  for (const Entry& entry : m_entries) {
    kept += dumpLine(lineOf(entry)) + "\n";
    if (entry.aside) kept += dumpLine({{"aside", entry.key}}) + "\n";
  }
  if (kept != text) STRATA_CHECK(writeFile(m_path, kept));
  m_bytes = kept.size();
  return {};
}

void Journal::apply(const Json& line) {
  if (line.contains("put") && line.contains("params")) {
    m_entries.push_back({textOf(line, "put"), textOf(line, "project"), line["params"]});
  } else if (line.contains("done")) {
    const std::string key = textOf(line, "done");
    std::erase_if(m_entries, [&](const Entry& entry) { return entry.key == key; });
  } else if (line.contains("aside")) {
    const std::string key = textOf(line, "aside");
    for (Entry& entry : m_entries) entry.aside = entry.aside || entry.key == key;
  } else if (line.contains("move")) {
    const std::string from = textOf(line, "move");
    for (Entry& entry : m_entries) {
      if (entry.project == from) entry.project = textOf(line, "to");
    }
  }
}

Result<void> Journal::write(std::string line) {
  line += '\n';
  const ssize_t count = ::write(m_fd, line.data(), line.size());
  if (count != static_cast<ssize_t>(line.size())) {
    const int error = count < 0 ? errno : ENOSPC;
    // Half a line would swallow the next one.
    if (count > 0) [[maybe_unused]]
      const int cut = ::ftruncate(m_fd, static_cast<off_t>(m_bytes));
    return tl::unexpected(failure("written", m_path, error));
  }
  m_bytes += line.size();
  {
    const std::lock_guard lock(m_syncMutex);
    ++m_writes;
  }
  m_syncChanged.notify_all();
  return {};
}

Result<void> Journal::append(const Json& line) {
  STRATA_CHECK(write(dumpLine(line)));
  apply(line);
  if (m_entries.empty() && m_bytes > kMostDoneBytes && ::ftruncate(m_fd, 0) == 0) m_bytes = 0;
  return {};
}

Result<std::string> Journal::add(const std::string& project, const Json& params) {
  return add(project, params, dumpLine(params));
}

/// As apply() reads it; what may be megabytes is neither copied nor printed twice.
Result<std::string> Journal::add(const std::string& project, const Json& params, const std::string& text) {
  std::string key = m_session + "-" + std::to_string(++m_count);
  STRATA_CHECK(write("{\"put\":" + dumpLine(key) + ",\"project\":" + dumpLine(project) + ",\"params\":" + text + "}"));
  m_entries.push_back({key, project, params});
  return key;
}

Result<void> Journal::done(const std::string& key) {
  return append({{"done", key}});
}

Result<void> Journal::setAside(const std::string& key) {
  return append({{"aside", key}});
}

Result<void> Journal::move(const std::string& from, const std::string& to) {
  const bool any = std::any_of(m_entries.begin(), m_entries.end(), [&](const Entry& e) { return e.project == from; });
  if (from == to || !any) return {};
  return append({{"move", from}, {"to", to}});
}

}  // namespace strata
