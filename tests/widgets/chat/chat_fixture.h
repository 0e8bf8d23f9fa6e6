#pragma once
// What the chat's tests share: an engine of fake_engine.h, a page over it, and waiting by the event loop.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QAccessible>
#include <QApplication>
#include <QDoubleSpinBox>
#include <QElapsedTimer>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QTest>
#include <functional>
#include <memory>
#include <string>

#include "fake_engine.h"
#include "loop_probe.h"
#include "support.h"
#include "widgets/chat/chat_list.h"
#include "widgets/chat/chat_page.h"
#include "widgets/chat/chat_pane.h"
#include "widgets/chat/composer.h"
#include "widgets/client/journal.h"
#include "widgets/style/theme.h"

namespace strata::testing {

inline Theme& theme() {
  static auto* theme = new Theme(*qApp);
  return *theme;
}

inline bool soon(const std::function<bool()>& holds, int milliseconds = 10'000) {
  return QTest::qWaitFor(holds, milliseconds);
}

class ChatFixture : public ::testing::Test {
 protected:
  ChatFixture() {
    theme();
    client = std::make_unique<EngineClient>();
    auto journal = Journal::open(folder.path() / "journal");
    if (journal) client->setJournal(std::move(*journal));
    settings.setValue("first_start/closed", true);
    session = std::make_unique<Session>(*client, settings);
  }

  void file(const char* name, const std::string& text) { writeText(folder.path() / name, text); }

  EngineClient::Command command() const { return fakeEngine(folder.path()); }

  void makePage() {
    page = std::make_unique<ChatPage>(*session);
    page->resize(1208, 660);
    page->show();
  }

  /// Page and engine, the project open and both models loaded.
  bool begin() {
    makePage();
    client->start(command());
    session->openProject({});
    return soon([&] { return session->project() && client->ready() && !client->loaded().empty(); });
  }

  bool ask(const QString& question) {
    page->setDraft(question);
    page->sendDraft();
    return soon([&] { return !page->answering().busy(); }, 20'000);
  }

  const SideAnswer* answer(Which which, int turn = -1) const {
    return page->conversation().answer(turn < 0 ? page->conversation().lastTurn() : turn, which);
  }

  /// What was asked of the engine by this method, in order.
  std::vector<Json> requests(const std::string& method) const { return requestsTo(folder.path(), method); }

  template <class W>
  W* child(const char* name) const {
    return page->findChild<W*>(name);
  }

  TemporaryFolder folder;
  Settings settings{QString::fromStdString((folder.path() / "settings.ini").string())};
  std::unique_ptr<EngineClient> client;
  std::unique_ptr<Session> session;
  std::unique_ptr<ChatPage> page;
};

}  // namespace strata::testing
