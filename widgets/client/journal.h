#pragma once
// Messages of chats that the engine has not confirmed yet, in a file of the window's own, so that neither a dead engine
// nor a dead window loses one. An entry is sent again, by its ids, once its project is open.
//
//   STRATA_TRY(auto journal, Journal::open(path));
//   const std::string key = journal->add(project, params);   // before chats/put is sent
//   journal->done(key);                                      // once it is answered
// The file: a JSON line an event, {"put": KEY, "project": …, "params": …}, {"done": KEY}, {"aside": KEY} or
// {"move": FROM, "to": TO}. One appending write each; a thread of its own has each reach the disk (fdatasync), so that
// no caller waits for that. Called from one thread; one window at a time (PATH.lock).

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

class Journal {
 public:
  struct Entry {
    std::string key;
    std::string project;
    Json params;
    bool aside = false;
  };

  /// Reads what an earlier window left. Lines cut short by its end are skipped. Refused: a journal that another window
  /// has open, and a file that cannot be written.
  static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& path);
  /// The first journal of a folder that no window has open, with what windows that died left in the others.
  static Result<std::unique_ptr<Journal>> openIn(const std::filesystem::path& folder);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// The entry's key. An error leaves no entry: the message then is as safe as the process.
  Result<std::string> add(const std::string& project, const Json& params);
  /// The same; `text`: the parameters as they are sent.
  Result<std::string> add(const std::string& project, const Json& params, const std::string& text);
  Result<void> done(const std::string& key);
  /// Keeps an entry without sending it again: the engine refuses it, or ends over it.
  Result<void> setAside(const std::string& key);
  /// What was kept under one name of a project belongs to another: "" turned out to be /home/me/sample.
  Result<void> move(const std::string& from, const std::string& to);
  /// Open entries, the oldest first.
  const std::vector<Entry>& entries() const { return m_entries; }
  /// Waits until all that was written is on the disk.
  Result<void> sync();

 private:
  Journal(std::filesystem::path path, int lockFd);
  Result<void> read();
  Result<void> append(const Json& line);
  Result<void> write(std::string line);
  void apply(const Json& line);

  std::filesystem::path m_path;
  int m_lockFd = -1;
  int m_fd = -1;
  std::uint64_t m_bytes = 0;
  std::string m_session;  // makes keys unlike those of other windows
  std::uint64_t m_count = 0;
  std::vector<Entry> m_entries;

  void syncLoop();
  std::thread m_syncer;
  std::mutex m_syncMutex;
  std::condition_variable m_syncChanged;
  std::uint64_t m_writes = 0, m_syncedWrites = 0;
  int m_syncError = 0;
  bool m_ending = false;
};

}  // namespace strata
