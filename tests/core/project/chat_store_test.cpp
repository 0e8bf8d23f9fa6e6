// Chats in project.sqlite: stored once, durable once acknowledged, set aside when damaged.

#include "core/project/chat_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "support.h"

namespace strata {
namespace {

using protocol::ChatMessage;
using protocol::PutChat;
using strata::testing::TemporaryFolder;
using strata::testing::writeText;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

ChatMessage message(const std::string& id, int turn, const std::string& role, const std::string& text) {
  ChatMessage made;
  made.id = id;
  made.turn = turn;
  made.role = role;
  made.text = text;
  return made;
}

protocol::Answer answerOf(std::uint64_t seed) {
  protocol::Answer answer;
  answer.text = "an answer";
  answer.finish = "eos";
  answer.ids = {1, 2, 3};
  answer.madeBy.model = "routed";
  answer.madeBy.hash = "abc123";
  answer.madeBy.map = "stride:2";
  answer.madeBy.src = {0, 0};
  answer.madeBy.dtype = "bfloat16";
  answer.madeBy.device = "cpu";
  answer.madeBy.version = "1.2.3";
  answer.madeBy.sampling.seed = seed;
  answer.kvBytes = 512;
  answer.kvBytesFull = 1024;
  return answer;
}

struct Chats : ::testing::Test {
  TemporaryFolder temporary;
  const fs::path& folder() const { return temporary.path(); }
  ChatStore open() const {
    auto opened = ChatStore::open(folder(), ChatStore::Mode::write);
    EXPECT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->notice, "");
    return std::move(opened->store);
  }
  static PutChat::Params put(const std::string& id, const std::string& title, std::vector<ChatMessage> messages) {
    PutChat::Params params;
    params.chat.id = id;
    params.chat.title = title;
    params.messages = std::move(messages);
    return params;
  }
  static std::vector<ChatMessage> all(const ChatStore& store, const std::string& id) {
    std::vector<ChatMessage> messages;
    for (int turn = 0; turn >= 0;) {
      auto page = store.read(id, turn, 1000);
      EXPECT_TRUE(page) << page.error().message;
      if (!page) break;
      messages.insert(messages.end(), page->messages.begin(), page->messages.end());
      turn = page->nextTurn;
    }
    return messages;
  }
};

TEST_F(Chats, ComeBackAsTheyWerePut) {
  ChatStore store = open();
  ChatMessage answer = message("m2", 0, "b", "an answer");
  answer.answer = answerOf(18446744073709551615u);
  ChatMessage failed = message("m3", 0, "a", "");
  failed.problem = "No memory.";
  PutChat::Params params = put("c1", "Tïtle", {answer, failed, message("m1", 0, "user", "Why \"so\"?\n")});
  params.chat.system = "Be brief.";
  params.chat.a = protocol::Side{{.model = "base", .context = 512}, "full"};
  params.chat.sampling.temperature = .25;
  ASSERT_TRUE(store.put(params));
  const auto read = open().read("c1", 0, 1 << 20);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->chat.title, "Tïtle");
  EXPECT_EQ(read->chat.system, "Be brief.");
  EXPECT_EQ(read->chat.a, params.chat.a);
  EXPECT_EQ(read->chat.b, std::nullopt);
  EXPECT_EQ(read->chat.sampling.temperature, .25);
  EXPECT_EQ(read->chat.turns, 1);
  EXPECT_THAT(read->chat.created, ::testing::MatchesRegex("....-..-..T..:..:..[.]...Z"));
  ASSERT_EQ(read->messages.size(), 3u);
  EXPECT_EQ(read->messages[0].text, "Why \"so\"?\n");
  EXPECT_EQ(read->messages[1].problem, "No memory.");
  EXPECT_EQ(configToJson(*read->messages[2].answer), configToJson(*answer.answer));
}

TEST_F(Chats, ABadRowHidesNeitherItselfNorTheOthers) {
  {
    ChatStore store = open();
    ChatMessage answer = message("m2", 0, "a", "an answer");
    answer.answer = answerOf(1);
    PutChat::Params params = put("bad", "The bad one", {message("m1", 0, "user", "Why?"), answer});
    params.chat.a = params.chat.b = protocol::Side{{.model = "base"}, "full"};
    ASSERT_TRUE(store.put(params));
    ASSERT_TRUE(store.put(put("good", "The good one", {message("m1", 0, "user", "Why?")})));
  }
  for (const char* bad : {"'{'", "'[]'", "''", "X'ff00'", "'{\"temperature\": \"hot\", \"ref\": 5, \"ids\": {}}'"}) {
    const std::string text = bad;
    {
      const auto database = Database::open({folder(), "project.sqlite"}, Database::Mode::write);
      ASSERT_TRUE(database->execute("UPDATE chats SET sampling=" + text + ", a=" + text + " WHERE id='bad';" +
                                    "UPDATE messages SET answer=" + text + " WHERE chat='bad' AND id='m2'"));
    }
    const ChatStore store = open();
    const auto listed = store.list({});
    ASSERT_TRUE(listed) << bad << ": " << listed.error().message;
    ASSERT_EQ(listed->size(), 2u) << bad;
    EXPECT_EQ(listed->back().title, "The bad one");
    EXPECT_EQ(listed->back().a, std::nullopt);
    EXPECT_NE(listed->back().b, std::nullopt);
    EXPECT_TRUE(store.read("good", 0, 1000));
    const auto messages = all(store, "bad");
    ASSERT_EQ(messages.size(), 2u) << bad;
    EXPECT_EQ(messages[1].text, "an answer");
    EXPECT_EQ(messages[1].answer, std::nullopt);
    EXPECT_EQ(store.list({.search = "answer"})->size(), 1u);
  }
}

TEST_F(Chats, AReplayedMessageIsStoredOnce) {
  ChatStore store = open();
  const auto params = put("c", "t", {message("m1", 0, "user", "one"), message("m2", 0, "a", "two")});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store.put(params));
  EXPECT_EQ(all(store, "c").size(), 2u);
  ASSERT_TRUE(store.put(put("c", "t", {message("m2", 0, "a", "changed")})));
  const auto messages = all(store, "c");
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[1].text, "changed");
}

TEST_F(Chats, AThousandMessagesArePagedInOrder) {
  ChatStore store = open();
  for (int turn = 0; turn < 333; ++turn) {
    const std::string number = std::to_string(turn);
    ASSERT_TRUE(store.put(put("c", "long",
                              {message("u" + number, turn, "user", "question " + number),
                               message("b" + number, turn, "b", std::string(100, 'b')),
                               message("a" + number, turn, "a", std::string(100, 'a'))})));
  }
  const auto messages = all(store, "c");
  ASSERT_EQ(messages.size(), 999u);
  for (int turn = 0; turn < 333; ++turn) {
    const auto at = static_cast<std::size_t>(turn) * 3;
    EXPECT_EQ(messages[at].id, "u" + std::to_string(turn));
    EXPECT_EQ(messages[at + 1].role, "a");
    EXPECT_EQ(messages[at + 2].role, "b");
  }
  const auto page = store.read("c", 0, 1000);
  EXPECT_LT(page->messages.size(), 20u);
  EXPECT_EQ(page->messages.size() % 3, 0u);
  EXPECT_EQ(store.read("c", 332, 1000)->nextTurn, -1);
}

TEST_F(Chats, ADroppedEndIsAChatOfItsOwnInTheTrash) {
  ChatStore store = open();
  for (int turn = 0; turn < 3; ++turn) {
    ASSERT_TRUE(store.put(put("c", "t", {message("u" + std::to_string(turn), turn, "user", "old")})));
  }
  PutChat::Params params = put("c", "t", {message("new", 1, "user", "edited")});
  params.dropFromTurn = 1;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(store.put(params));  // replayed
  const auto kept = all(store, "c");
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1].text, "edited");
  const auto trash = store.list({.search = "", .trash = true});
  ASSERT_TRUE(trash);
  ASSERT_EQ(trash->size(), 1u);
  EXPECT_TRUE(trash->front().trashed);
  const auto dropped = all(store, trash->front().id);
  ASSERT_EQ(dropped.size(), 2u);
  EXPECT_EQ(dropped[0].id, "u1");
}

TEST_F(Chats, MessagesThatReturnToTheirChatLeaveTheTrash) {
  ChatStore store = open();
  ASSERT_TRUE(store.put(
      put("c", "t",
          {message("u0", 0, "user", "kept"), message("u1", 1, "user", "old"), message("a1", 1, "a", "old answer")})));
  PutChat::Params edit = put("c", "t", {message("new", 1, "user", "edited")});
  edit.dropFromTurn = 1;
  PutChat::Params undo = put("c", "t", {message("u1", 1, "user", "old"), message("a1", 1, "a", "old answer")});
  undo.dropFromTurn = 1;
  for (int i = 0; i < 2; ++i) {  // replayed
    ASSERT_TRUE(store.put(edit));
    ASSERT_TRUE(store.put(undo));
  }
  const auto kept = all(store, "c");
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[1].id, "u1");
  EXPECT_EQ(kept[2].text, "old answer");
  const auto trash = store.list({.search = "", .trash = true});
  ASSERT_EQ(trash->size(), 1u) << "the originals are in the chat and nowhere else";
  const auto dropped = all(store, trash->front().id);
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_EQ(dropped[0].text, "edited");
}

TEST_F(Chats, WhatWasReplacedIsNamedByItsQuestion) {
  ChatStore store = open();
  ASSERT_TRUE(store.put(put("c", "Lanterns", {message("u0", 0, "user", "Lanterns"), message("u1", 1, "user", "one")})));
  for (const char* question : {"two", "three"}) {
    PutChat::Params edit = put("c", "Lanterns", {message(question, 1, "user", question)});
    edit.dropFromTurn = 1;
    ASSERT_TRUE(store.put(edit));
  }
  PutChat::Params first = put("c", "Lanterns", {message("last", 0, "user", "Lamps")});
  first.dropFromTurn = 0;
  ASSERT_TRUE(store.put(first));
  std::set<std::string> titles;
  const auto trash = store.list({.search = "", .trash = true});
  for (const auto& chat : *trash) titles.insert(chat.title);
  EXPECT_EQ(titles, (std::set<std::string>{"one (replaced in: Lanterns)", "two (replaced in: Lanterns)",
                                           "Lanterns (replaced)"}));
}

TEST_F(Chats, AreFoundByTheWordsOfTitlesAndMessages) {
  ChatStore store = open();
  ASSERT_TRUE(
      store.put(put("c1", "Gardens", {message("m1", 0, "user", std::string(300, 'x') + " A red ROSE\nblooms")})));
  ASSERT_TRUE(store.put(put("c2", "100 % red", {message("m1", 0, "user", "nothing")})));
  const auto found = [&](const std::string& search) {
    std::vector<std::string> ids;
    const auto chats = store.list({.search = search});
    for (const auto& chat : *chats) ids.push_back(chat.id);
    return ids;
  };
  EXPECT_EQ(found(""), (std::vector<std::string>{"c2", "c1"}));
  EXPECT_EQ(found("red"), (std::vector<std::string>{"c2", "c1"}));
  EXPECT_EQ(found("rose garden"), std::vector<std::string>{"c1"});
  EXPECT_EQ(found("%"), std::vector<std::string>{"c2"});
  EXPECT_TRUE(found("rose missing").empty());
  const auto rose = store.list({.search = "rose"});
  EXPECT_THAT(rose->front().snippet, HasSubstr("A red ROSE blooms"));
  EXPECT_LT(rose->front().snippet.size(), 200u);
}

TEST_F(Chats, GoToTheTrashComeBackAndAreDeleted) {
  ChatStore store = open();
  ASSERT_TRUE(store.put(put("c", "t", {message("m", 0, "user", "x")})));
  ASSERT_TRUE(store.remove("c", "trash"));
  EXPECT_TRUE(store.list({})->empty());
  ASSERT_TRUE(store.remove("c", "restore"));
  EXPECT_EQ(store.list({})->size(), 1u);
  ASSERT_TRUE(store.remove("c", "delete"));
  EXPECT_EQ(store.read("c", 0, 1000).error().code, ErrorCode::notFound);
  EXPECT_EQ(store.remove("c", "trash").error().code, ErrorCode::notFound);
  EXPECT_EQ(store.remove("c", "burn").error().code, ErrorCode::usage);
}

TEST_F(Chats, AnExportSaysWhatMadeEachAnswer) {
  protocol::ChatInfo chat;
  chat.title = "On roses";
  chat.system = "Be brief.";
  ChatMessage answer = message("m2", 0, "b", "They *bloom*.");
  answer.answer = answerOf(7);
  const std::vector<ChatMessage> messages = {message("m1", 0, "user", "What do they do?"), answer};
  const std::string markdown = chatToMarkdown(chat, messages);
  for (const char* part : {"# On roses", "Be brief.", "What do they do?", "They *bloom*.", "routed", "stride:2",
                           "seed 7", "abc123", "512 of 1024 bytes"}) {
    EXPECT_THAT(markdown, HasSubstr(part));
  }
  const auto json = parseJson(chatToJson(chat, messages), "export");
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["messages"][1]["answer"]["made_by"]["sampling"]["seed"], 7);
}

TEST_F(Chats, ADamagedDatabaseIsSetAsideWithASentence) {
  { ASSERT_TRUE(open().put(put("c", "t", {message("m", 0, "user", "x")}))); }
  writeText(folder() / "project.sqlite", std::string(10000, 'x'));
  auto opened = ChatStore::open(folder(), ChatStore::Mode::write);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_THAT(opened->notice, HasSubstr("set aside as"));
  EXPECT_TRUE(opened->store.list({})->empty());
  ASSERT_TRUE(opened->store.put(put("new", "t", {})));
  int aside = 0;
  for (const auto& entry : fs::directory_iterator(folder())) {
    aside += entry.path().filename().string().starts_with("project.sqlite.damaged-") ? 1 : 0;
  }
  EXPECT_EQ(aside, 1);
}

TEST_F(Chats, TablesOfANewerStrataAreRefused) {
  {
    auto database = Database::open({folder(), "project.sqlite"}, Database::Mode::write);
    ASSERT_TRUE(database->execute("PRAGMA user_version=99"));
  }
  const auto opened = ChatStore::open(folder(), ChatStore::Mode::write);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unsupported);
}

TEST_F(Chats, AReaderSeesThemBesideTheWriter) {
  ChatStore writer = open();
  ASSERT_TRUE(writer.put(put("c", "t", {message("m", 0, "user", "x")})));
  const auto reader = ChatStore::open(folder(), ChatStore::Mode::read);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->store.list({})->size(), 1u);
  ChatStore refused = std::move(ChatStore::open(folder(), ChatStore::Mode::read)->store);
  EXPECT_FALSE(refused.put(put("d", "t", {})));
}

/// Puts messages one after another and tells each number once it was acknowledged, until it is killed.
[[noreturn]] void writeUntilKilled(const fs::path& folder, int from, int tell) {
  auto opened = ChatStore::open(folder, ChatStore::Mode::write);
  if (!opened || !opened->notice.empty()) _exit(1);
  for (int number = from;; ++number) {
    const std::string id = "m" + std::to_string(number);
    PutChat::Params params;
    params.chat.id = "c";
    params.messages = {message(id, number, "user", id + std::string(500, '.')), message(id + "a", number, "a", id)};
    if (!opened->store.put(params)) _exit(2);
    if (::write(tell, &number, sizeof number) != sizeof number) _exit(3);
  }
}

class KilledWriter : public Chats {
 protected:
  /// Kills the writer of the folder `kills` times.
  void expectNothingLost(int kills) {
    std::set<int> acknowledged;
    int next = 0;
    for (int round = 0; round < kills; ++round) {
      int pipes[2];
      ASSERT_EQ(::pipe(pipes), 0);
      const pid_t child = ::fork();
      if (child == 0) writeUntilKilled(folder(), next, pipes[1]);
      ::close(pipes[1]);
      std::this_thread::sleep_for(std::chrono::milliseconds(5 + 7 * (round * 37 % 11)));
      ::kill(child, SIGKILL);
      int status = 0;
      ::waitpid(child, &status, 0);
      ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
      for (int number = 0; ::read(pipes[0], &number, sizeof number) == sizeof number;) {
        acknowledged.insert(number);
        next = number + 1;
      }
      ::close(pipes[0]);
      next += 1;  // the one that was being written may be there or not
      if (acknowledged.empty()) continue;
      const auto messages = all(open(), "c");
      std::set<std::string> ids;
      for (const ChatMessage& each : messages) ids.insert(each.id);
      for (const int number : acknowledged) {
        ASSERT_TRUE(ids.contains("m" + std::to_string(number))) << "round " << round;
        ASSERT_TRUE(ids.contains("m" + std::to_string(number) + "a")) << "half a transaction";
      }
    }
    EXPECT_GT(acknowledged.size(), 10u);
  }
};

TEST_F(KilledWriter, LosesNothingAcknowledgedIn25Kills) {
  expectNothingLost(25);
}

using KilledWriterSlow = KilledWriter;
TEST_F(KilledWriterSlow, LosesNothingAcknowledgedIn100Kills) {
  expectNothingLost(100);
}

}  // namespace
}  // namespace strata
