#include "core/project/chat_store.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>

#include "core/base/file_errors.h"
#include "core/base/log.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using protocol::ChatInfo;
using protocol::ChatMessage;

constexpr int kChatsVersion = 1;  // PRAGMA user_version
constexpr const char* kChatsSchema =
    "CREATE TABLE IF NOT EXISTS chats(id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL, system TEXT NOT NULL,"
    " created TEXT NOT NULL, updated TEXT NOT NULL, a TEXT, b TEXT, sampling TEXT NOT NULL,"
    " trashed INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE IF NOT EXISTS messages(number INTEGER PRIMARY KEY, chat TEXT NOT NULL, id TEXT NOT NULL,"
    " turn INTEGER NOT NULL, role TEXT NOT NULL, text TEXT NOT NULL, answer TEXT, problem TEXT NOT NULL,"
    " UNIQUE(chat, id));"
    "CREATE INDEX IF NOT EXISTS messages_by_turn ON messages(chat, turn);"
    "PRAGMA user_version=1;";
constexpr const char* kChatColumns =
    "id, title, system, created, updated, a, b, sampling, trashed,"
    " (SELECT COUNT(DISTINCT turn) FROM messages WHERE chat = chats.id)";
constexpr const char* kReplaced = "-replaced-";  // CHAT-replaced-TIME: what was replaced in a chat
constexpr std::size_t kSnippetBefore = 40, kSnippetBytes = 160, kTitleBytes = 60;

/// "2026-11-28T17:03:56.123Z": with milliseconds, so that the newest first is an order.
std::string utcNow() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(milliseconds));
  return text;
}

std::string toText(const Json& json) {
  return dumpLine(json);
}

template <class T>
std::string toText(const T& value) {
  return dumpLine(configToJson(value));
}

/// What the engine itself wrote; of another version it may hold members that this one does not know.
template <class T>
Result<T> fromText(const std::string& text, const std::string& where) {
  STRATA_TRY(const Json json, parseJson(text, where));
  T value{};
  STRATA_CHECK(configFromJson(json, where, value, UnknownKeys::ignore));
  return value;
}

/// "%word%" for LIKE … ESCAPE '\'.
std::string likePattern(const std::string& word) {
  std::string pattern = "%";
  for (const char c : word) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

std::vector<std::string> wordsOf(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n";
  std::vector<std::string> words;
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  return words;
}

bool equalInAnyCase(char a, char b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return lower(a) == lower(b);
}

bool continuesCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// What stands around `word`, on one line.
std::string snippetOf(const std::string& text, const std::string& word) {
  const auto found = std::search(text.begin(), text.end(), word.begin(), word.end(), equalInAnyCase);
  const auto at = static_cast<std::size_t>(found - text.begin());
  std::size_t begin = at > kSnippetBefore ? at - kSnippetBefore : 0;
  while (begin > 0 && continuesCharacter(text[begin])) --begin;
  std::size_t end = std::min(text.size(), begin + kSnippetBytes);
  while (end < text.size() && continuesCharacter(text[end])) ++end;
  std::string snippet = (begin > 0 ? "…" : "") + text.substr(begin, end - begin) + (end < text.size() ? "…" : "");
  std::replace_if(
      snippet.begin(), snippet.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return snippet;
}

/// Names a chat of replaced messages by its first question.
std::string replacedTitle(const std::string& question, const std::string& chatTitle) {
  std::string title;
  for (const std::string& word : wordsOf(question)) {
    if (title.size() > kTitleBytes) break;
    title += (title.empty() ? "" : " ") + word;
  }
  if (title.size() > kTitleBytes) {
    std::size_t end = kTitleBytes;
    while (end > 0 && continuesCharacter(title[end])) --end;
    title = title.substr(0, end) + "…";
  }
  if (title.empty() || title == chatTitle) return chatTitle + " (replaced)";
  return title + " (replaced in: " + chatTitle + ")";
}

/// A member that cannot be read hides neither its row nor the others: it is left out.
template <class T>
std::optional<T> readable(const std::string& text, const std::string& what, const fs::path& database) {
  Result<T> value = fromText<T>(text, what + " in " + database.string());
  if (value) return std::move(*value);
  logWarning(value.error().message + " It is left out.");
  return {};
}

ChatInfo chatOf(const Statement& row, const fs::path& database) {
  ChatInfo chat;
  chat.id = row.text(0);
  chat.title = row.text(1);
  chat.system = row.text(2);
  chat.created = row.text(3);
  chat.updated = row.text(4);
  const std::string what = "The chat " + chat.id;
  if (!row.isNull(5)) chat.a = readable<protocol::Side>(row.text(5), what, database);
  if (!row.isNull(6)) chat.b = readable<protocol::Side>(row.text(6), what, database);
  chat.sampling = readable<GenerateConfig>(row.text(7), what, database).value_or(GenerateConfig());
  chat.trashed = row.integer(8) != 0;
  chat.turns = static_cast<int>(row.integer(9));
  return chat;
}

ChatMessage messageOf(const Statement& row, const fs::path& database) {
  ChatMessage message;
  message.id = row.text(0);
  message.turn = static_cast<int>(row.integer(1));
  message.role = row.text(2);
  message.text = row.text(3);
  if (!row.isNull(4)) {  // without the record of what made it, an answer is still its text
    message.answer = readable<protocol::Answer>(row.text(4), "The message " + message.id, database);
  }
  message.problem = row.text(5);
  return message;
}

tl::unexpected<Error> noSuchChat(const std::string& id) {
  return fail(ErrorCode::notFound, "The project has no chat " + id + "; it may have been deleted.", id);
}

bool isDamage(const Error& error) {
  return error.code == ErrorCode::invalidData;
}

/// Moves the file and SQLite's own beside it out of the way; where it went.
Result<fs::path> setAside(const fs::path& path) {
  std::string stamp = utcNow();
  std::erase_if(stamp, [](char c) { return c == ':' || c == '-' || c == '.'; });
  const fs::path aside = path.string() + ".damaged-" + stamp;
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
    std::error_code error;
    const fs::path from = path.string() + suffix;
    if (!fs::exists(from, error)) continue;
    fs::rename(from, aside.string() + suffix, error);
    if (error) return systemFailure(error.value(), "move away", from);
  }
  return aside;
}

/// Opens the file and looks through it: damage shows at once, not in the middle of a chat.
Result<Database> openWhole(const ProjectPath& file, Database::Mode mode) {
  const fs::path path = file.whole();
  STRATA_TRY(Database database, Database::open(file, mode));
  STRATA_CHECK(database.version(kChatsVersion));
  Statement look(database, "PRAGMA quick_check(1)");
  STRATA_CHECK(database.check(look.step()));
  if (look.text(0) == "ok") return database;
  return fail(ErrorCode::invalidData, "The database " + path.string() + " is damaged: " + look.text(0) + ".",
              path.string());
}

}  // namespace

Result<ChatStore::Opened> ChatStore::open(const fs::path& projectFolder, Mode mode) {
  const ProjectPath file{projectFolder, "project.sqlite"};
  STRATA_CHECK(requirePlainFiles(file));  // a link is no damage to set aside
  if (mode == Mode::read) {
    STRATA_TRY(Database database, openWhole(file, Database::Mode::read));
    return Opened{ChatStore(std::move(database)), {}};
  }
  std::string notice;
  Result<Database> database = openWhole(file, Database::Mode::write);
  if (!database && isDamage(database.error())) {
    const Error damage = database.error();
    database = tl::unexpected(damage);  // closes the file before it moves
    STRATA_TRY(const fs::path aside, setAside(file.whole()));
    notice = "The project's chats could not be read and were set aside as " + aside.string() +
             "; a new, empty list was begun.";
    database = openWhole(file, Database::Mode::write);
  }
  if (!database) return tl::unexpected(database.error());
  ChatStore store(std::move(*database));
  STRATA_CHECK(store.prepare());
  return Opened{std::move(store), std::move(notice)};
}

Result<void> ChatStore::prepare() {
  STRATA_CHECK(m_database.execute("PRAGMA synchronous=FULL"));
  return m_database.transaction([this] { return m_database.execute(kChatsSchema); });
}

Result<std::vector<ChatInfo>> ChatStore::list(const protocol::ListChats::Params& params) const {
  const std::vector<std::string> words = wordsOf(params.search);
  std::string sql = std::string("SELECT ") + kChatColumns + " FROM chats WHERE trashed = ?";
  for (std::size_t i = 0; i < words.size(); ++i) {
    sql +=
        " AND (title LIKE ? ESCAPE '\\' OR EXISTS (SELECT 1 FROM messages WHERE chat = chats.id AND text LIKE ? "
        "ESCAPE '\\'))";
  }
  sql += " ORDER BY updated DESC, rowid DESC LIMIT ?";
  Statement query(m_database, sql.c_str());
  std::vector<std::string> patterns;
  patterns.reserve(words.size());
  int at = 0;
  query.bind(++at, std::int64_t{params.trash});
  for (const std::string& word : words) {
    patterns.push_back(likePattern(word));
    query.bind(++at, patterns.back());
    query.bind(++at, patterns.back());
  }
  query.bind(++at, std::int64_t{params.limit});
  std::vector<ChatInfo> chats;
  while (query.step() == SQLITE_ROW) {
    chats.push_back(chatOf(query, m_database.path()));
  }
  STRATA_CHECK(m_database.check(query.code()));
  if (words.empty()) return chats;
  Statement where(m_database, "SELECT text FROM messages WHERE chat = ? AND text LIKE ? ESCAPE '\\' ORDER BY turn");
  for (ChatInfo& chat : chats) {
    where.bind(1, chat.id).bind(2, patterns.front());
    if (where.step() == SQLITE_ROW) chat.snippet = snippetOf(where.text(0), words.front());
    where.reset();
  }
  return chats;
}

Result<protocol::OpenChat::Answer> ChatStore::read(const std::string& id, int fromTurn, std::size_t maxBytes) const {
  protocol::OpenChat::Answer answer;
  const std::string sql = std::string("SELECT ") + kChatColumns + " FROM chats WHERE id = ?";
  Statement chat(m_database, sql.c_str());
  const int found = chat.bind(1, id).step();
  STRATA_CHECK(m_database.check(found));
  if (found != SQLITE_ROW) return noSuchChat(id);
  answer.chat = chatOf(chat, m_database.path());
  Statement query(m_database,
                  "SELECT id, turn, role, text, answer, problem FROM messages WHERE chat = ? AND turn >= ?"
                  " ORDER BY turn, CASE role WHEN 'user' THEN 0 WHEN 'a' THEN 1 ELSE 2 END, number");
  query.bind(1, id).bind(2, std::int64_t{fromTurn});
  std::size_t bytes = 0;
  while (query.step() == SQLITE_ROW) {
    ChatMessage message = messageOf(query, m_database.path());
    const bool newTurn = answer.messages.empty() || answer.messages.back().turn != message.turn;
    if (newTurn && !answer.messages.empty() && bytes >= maxBytes) {
      answer.nextTurn = message.turn;
      return answer;
    }
    bytes += toText(message).size();
    answer.messages.push_back(std::move(message));
  }
  STRATA_CHECK(m_database.check(query.code()));
  return answer;
}

Result<void> ChatStore::putChat(const ChatInfo& chat, const std::string& now) {
  Statement statement(m_database,
                      "INSERT INTO chats(id, title, system, created, updated, a, b, sampling) VALUES(?,?,?,?,?,?,?,?)"
                      " ON CONFLICT(id) DO UPDATE SET title=excluded.title, system=excluded.system,"
                      " updated=excluded.updated, a=excluded.a, b=excluded.b, sampling=excluded.sampling");
  const std::string sampling = toText(chat.sampling);
  const std::array<std::optional<std::string>, 2> sides = {chat.a ? std::optional(toText(*chat.a)) : std::nullopt,
                                                           chat.b ? std::optional(toText(*chat.b)) : std::nullopt};
  statement.bind(1, chat.id).bind(2, chat.title).bind(3, chat.system).bind(4, now).bind(5, now).bind(8, sampling);
  for (int i = 0; i < 2; ++i) {
    const auto& side = sides[static_cast<std::size_t>(i)];
    side ? statement.bind(6 + i, *side) : statement.bindNull(6 + i);
  }
  return m_database.check(statement.step());
}

Result<void> ChatStore::putMessage(const std::string& chat, const ChatMessage& message) {
  Statement statement(m_database,
                      "INSERT INTO messages(chat, id, turn, role, text, answer, problem) VALUES(?,?,?,?,?,?,?)"
                      " ON CONFLICT(chat, id) DO UPDATE SET turn=excluded.turn, role=excluded.role,"
                      " text=excluded.text, answer=excluded.answer, problem=excluded.problem");
  const std::string answer = message.answer ? toText(*message.answer) : std::string();
  statement.bind(1, chat).bind(2, message.id).bind(3, std::int64_t{message.turn}).bind(4, message.role);
  statement.bind(5, message.text).bind(7, message.problem);
  message.answer ? statement.bind(6, answer) : statement.bindNull(6);
  return m_database.check(statement.step());
}

/// The messages from a turn on go to a chat of their own in the trash; those that come with the same call stay.
Result<void> ChatStore::dropFrom(const protocol::PutChat::Params& params, const std::string& now) {
  Json kept = Json::array();
  for (const ChatMessage& message : params.messages) kept.push_back(message.id);
  const std::string keptText = toText(kept);
  Statement count(m_database,
                  "SELECT COUNT(*) FROM messages WHERE chat = ? AND turn >= ? AND id NOT IN (SELECT value FROM "
                  "json_each(?))");
  count.bind(1, params.chat.id).bind(2, std::int64_t{params.dropFromTurn}).bind(3, keptText);
  STRATA_CHECK(m_database.check(count.step()));
  if (count.integer(0) == 0) return {};
  Statement first(m_database,
                  "SELECT text FROM messages WHERE chat = ? AND turn >= ? AND role = 'user' AND id NOT IN (SELECT value"
                  " FROM json_each(?)) ORDER BY turn LIMIT 1");
  const int found = first.bind(1, params.chat.id).bind(2, std::int64_t{params.dropFromTurn}).bind(3, keptText).step();
  STRATA_CHECK(m_database.check(found));
  const std::string title = replacedTitle(found == SQLITE_ROW ? first.text(0) : std::string(), params.chat.title);
  const std::string base = params.chat.id + kReplaced + now;
  std::string dropped = base;
  Statement taken(m_database, "SELECT 1 FROM chats WHERE id = ?");
  for (int number = 2; taken.bind(1, dropped).step() == SQLITE_ROW; ++number) {  // in the same millisecond
    taken.reset();
    dropped = base + "-" + std::to_string(number);
  }
  STRATA_CHECK(m_database.check(taken.code()));
  Statement copy(m_database,
                 "INSERT INTO chats(id, title, system, created, updated, a, b, sampling, trashed)"
                 " SELECT ?, ?, system, created, ?, a, b, sampling, 1 FROM chats WHERE id = ?");
  STRATA_CHECK(m_database.check(copy.bind(1, dropped).bind(2, title).bind(3, now).bind(4, params.chat.id).step()));
  Statement move(m_database,
                 "UPDATE messages SET chat = ? WHERE chat = ? AND turn >= ? AND id NOT IN (SELECT value FROM "
                 "json_each(?))");
  move.bind(1, dropped).bind(2, params.chat.id).bind(3, std::int64_t{params.dropFromTurn}).bind(4, keptText);
  return m_database.check(move.step());
}

/// Messages that return to their chat leave the chat in the trash that a replacement moved them to; one that is empty
/// then goes.
Result<void> ChatStore::takeFromReplaced(const protocol::PutChat::Params& params) {
  Json returning = Json::array();
  for (const ChatMessage& message : params.messages) returning.push_back(message.id);
  const std::string ids = toText(returning), prefix = params.chat.id + kReplaced;
  constexpr const char* kOfReplaced = "(SELECT id FROM chats WHERE trashed = 1 AND substr(id, 1, length(?)) = ?)";
  const std::string take =
      std::string("DELETE FROM messages WHERE chat IN ") + kOfReplaced + " AND id IN (SELECT value FROM json_each(?))";
  Statement messages(m_database, take.c_str());
  STRATA_CHECK(m_database.check(messages.bind(1, prefix).bind(2, prefix).bind(3, ids).step()));
  if (sqlite3_changes(m_database.handle()) == 0) return {};
  const std::string sweep = std::string("DELETE FROM chats WHERE id IN ") + kOfReplaced +
                            " AND NOT EXISTS (SELECT 1 FROM messages WHERE chat = chats.id)";
  Statement chats(m_database, sweep.c_str());
  return m_database.check(chats.bind(1, prefix).bind(2, prefix).step());
}

Result<void> ChatStore::put(const protocol::PutChat::Params& params) {
  if (params.chat.id.empty()) return fail(ErrorCode::usage, "A chat needs an id.", "id");
  for (const ChatMessage& message : params.messages) {
    const bool known = message.role == "user" || message.role == "a" || message.role == "b";
    if (message.id.empty() || !known || message.turn < 0) {
      return fail(ErrorCode::usage, "A message needs an id, a turn from 0 on and the role user, a or b.", message.id);
    }
  }
  const std::string now = utcNow();
  return m_database.transaction([&]() -> Result<void> {
    STRATA_CHECK(putChat(params.chat, now));
    if (params.dropFromTurn >= 0) {
      STRATA_CHECK(dropFrom(params, now));
      STRATA_CHECK(takeFromReplaced(params));
    }
    for (const ChatMessage& message : params.messages) STRATA_CHECK(putMessage(params.chat.id, message));
    return {};
  });
}

Result<void> ChatStore::remove(const std::string& id, const std::string& how) {
  return m_database.transaction([&]() -> Result<void> {
    if (how == "delete") {
      Statement messages(m_database, "DELETE FROM messages WHERE chat = ?");
      STRATA_CHECK(m_database.check(messages.bind(1, id).step()));
      Statement chat(m_database, "DELETE FROM chats WHERE id = ?");
      STRATA_CHECK(m_database.check(chat.bind(1, id).step()));
    } else if (how == "trash" || how == "restore") {
      Statement chat(m_database, "UPDATE chats SET trashed = ? WHERE id = ?");
      STRATA_CHECK(m_database.check(chat.bind(1, std::int64_t{how == "trash"}).bind(2, id).step()));
    } else {
      return fail(ErrorCode::usage, "how is \"" + how + "\"; give trash, restore or delete.", "how");
    }
    return sqlite3_changes(m_database.handle()) > 0 ? Result<void>() : noSuchChat(id);
  });
}

}  // namespace strata
