#pragma once
// Messages of chats that the engine has not confirmed yet, in a file of the window's own, so that neither a dead engine
// nor a dead window loses one. An entry is sent again, by its ids, once its project is open.
//
//   STRATA_TRY(auto journal, Journal::open(path));
//   const std::string key = journal->add(project, params);   // before chats/put is sent
//   journal->done(key);                                      // once it is answered
// The file: a JSON line an event, {"put": KEY, "project": …, "params": …}, {"done": KEY} or {"move": FROM, "to": TO}.
// One appending write each, without waiting for the disk: what it guards against is a process that dies, and the
// engine's own database is durable. One thread; one window at a time (PATH.lock).

#include <filesystem>
#include <memory>
#include <string>
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
  /// What was kept under one name of a project belongs to another: "" turned out to be /home/me/sample.
  Result<void> move(const std::string& from, const std::string& to);
  /// Open entries, the oldest first.
  const std::vector<Entry>& entries() const { return m_entries; }

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
};

}  // namespace strata
