#pragma once
// project.sqlite: the chats of a project, written by the engine that holds the project's lock.
//
//   STRATA_TRY(ChatStore::Opened opened, ChatStore::open(folder, ChatStore::Mode::write));
//   STRATA_CHECK(opened.store.put(params));       // on the disk once it returns
// For one thread at a time. A reader beside the writer sees whole transactions.

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/database.h"
#include "core/protocol/chat_messages.h"

namespace strata {

class ChatStore {
 public:
  enum class Mode { write, read };
  struct Opened;
  /// A file that is no database, or is damaged, is set aside as project.sqlite.damaged-<time> and a new one begun
  /// (`notice` says so); to read it is refused. Tables of a newer Strata are refused.
  static Result<Opened> open(const std::filesystem::path& projectFolder, Mode mode);

  /// The newest first. Each word of `search` must stand in the title or in a message, in any case.
  Result<std::vector<protocol::ChatInfo>> list(const protocol::ListChats::Params& params) const;
  /// Whole turns of at most about `maxBytes` of JSON in all, one turn at least.
  Result<protocol::OpenChat::Answer> read(const std::string& id, int fromTurn, std::size_t maxBytes) const;
  /// In one transaction. The same call again changes nothing more: messages that it brings are not dropped by it.
  Result<void> put(const protocol::PutChat::Params& params);
  /// "trash", "restore" or "delete" (for good).
  Result<void> remove(const std::string& id, const std::string& how);

 private:
  explicit ChatStore(Database database) : m_database(std::move(database)) {}
  Result<void> prepare();
  Result<void> putChat(const protocol::ChatInfo& chat, const std::string& now);
  Result<void> putMessage(const std::string& chat, const protocol::ChatMessage& message);
  Result<void> dropFrom(const protocol::PutChat::Params& params, const std::string& now);
  Result<void> takeFromReplaced(const protocol::PutChat::Params& params);

  Database m_database;
};

struct ChatStore::Opened {
  ChatStore store;
  std::string notice;  // a sentence for the user; empty: all is well
};

/// A chat as Markdown, or as JSON: both say what made each answer.
std::string chatToMarkdown(const protocol::ChatInfo& chat, const std::vector<protocol::ChatMessage>& messages);
std::string chatToJson(const protocol::ChatInfo& chat, const std::vector<protocol::ChatMessage>& messages);

}  // namespace strata
