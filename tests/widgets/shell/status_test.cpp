#include <signal.h>

#include <QLabel>
#include <QPlainTextEdit>

#include "shell_fixture.h"
#include "widgets/shell/engine_command.h"
#include "widgets/style/memory_bar.h"

namespace strata {
namespace {

using Status = Shell;

protocol::Memory memoryOf(std::int64_t weights, std::int64_t kv, std::int64_t total) {
  protocol::Memory memory;
  memory.device = "cpu";
  memory.weights = weights;
  memory.kv = kv;
  memory.resident = weights + kv;
  memory.total = total;
  return memory;
}

TEST_F(Status, FollowsTheEngineFromOffToReady) {
  auto* state = child<QPushButton>("status-engine");
  EXPECT_EQ(state->text(), "Engine off");
  engine->start(fakeEngine());
  EXPECT_EQ(state->text(), "Engine starting");
  ASSERT_TRUE(eventually([&] { return engine->ready(); }));
  EXPECT_EQ(state->text(), "Engine ready");
  EXPECT_EQ(child<QLabel>("status-device")->text(), "CPU, 2 threads");
}

TEST_F(Status, SaysThatAKilledEngineIsStartedAgain) {
  startEngine();
  auto* state = child<QPushButton>("status-engine");
  QStringList states;
  QObject::connect(engine.get(), &EngineClient::stateChanged, state, [&] { states << state->text(); });
  ASSERT_EQ(kill(static_cast<pid_t>(engine->engine().pid), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return states.contains("Engine ready"); }));
  EXPECT_EQ(states.first(), "Engine restarting");
  EXPECT_FALSE(child<QLabel>("status-said")->text().isEmpty());
}

TEST_F(Status, SaysWhyThereIsNoEngineAndHowToGoOn) {
  window->showPage("data");
  engine->start({"/no/such/strata", {"engine"}, false});
  ASSERT_TRUE(eventually([&] { return engine->state() == EngineClient::State::failed; }));
  EXPECT_EQ(child<QPushButton>("status-engine")->text(), "Engine cannot be started");
  bool retry = false;
  for (const QPushButton* button : window->findChildren<QPushButton*>()) {
    retry = retry || (button->isVisible() && button->text() == "Try again");
  }
  EXPECT_TRUE(retry);
}

TEST_F(Status, StartsAnotherEngineFromItsPopupAndRemembersIt) {
  engine->start({"/no/such/strata", {"engine"}, false});
  ASSERT_TRUE(eventually([&] { return engine->state() == EngineClient::State::failed; }));
  child<QPushButton>("status-engine")->click();
  QWidget* open = popup("engine-popup");
  ASSERT_NE(open, nullptr);
  const QString command = commandText(fakeEngine());
  auto* field = open->findChild<QLineEdit*>("engine-command");
  field->setText(command);
  QTest::keyClick(field, Qt::Key_Return);
  ASSERT_TRUE(eventually([&] { return engine->ready() && session->project(); }));
  EXPECT_EQ(settings.value("engine/command").toString(), command);
}

TEST_F(Status, ShowsTheEnginesLog) {
  engine->start({"/bin/sh", {"-c", "echo out of luck >&2; exit 3"}, false});
  ASSERT_TRUE(eventually([&] { return engine->log().contains("out of luck"); }));
  child<QPushButton>("status-engine")->click();
  QWidget* open = popup("engine-popup");
  ASSERT_NE(open, nullptr);
  open->findChild<QPushButton*>("engine-log-toggle")->click();
  EXPECT_TRUE(open->findChild<QPlainTextEdit*>("engine-log")->toPlainText().contains("out of luck"));
}

TEST_F(Status, TellsMemoryInWordsAndSaysWhenItIsHigh) {
  startEngine();
  auto* memory = child<QPushButton>("status-memory");
  EXPECT_EQ(memory->text(), "Memory not measured");
  EXPECT_FALSE(child<MemoryBar>("status-memory-bar")->isVisible());
  say(memoryOf(3LL << 29, 1LL << 29, 16LL << 30));
  ASSERT_TRUE(eventually([&] { return memory->text() == "Memory 2.00 of 16.0 GiB"; })) << qPrintable(memory->text());
  say(memoryOf(13LL << 30, 1LL << 30, 16LL << 30));
  ASSERT_TRUE(eventually([&] { return memory->text().endsWith(", high"); })) << qPrintable(memory->text());
  say(memoryOf(14LL << 30, 1LL << 30, 16LL << 30));
  ASSERT_TRUE(eventually([&] { return memory->text().endsWith(", nearly full"); }));
}

TEST_F(Status, UnloadsAModelFromTheMemoryPopup) {
  startEngine();
  protocol::ModelsLoaded loaded;
  loaded.models.push_back({});
  loaded.models.back().ref.model = loaded.models.back().name = "base";
  loaded.models.back().weightBytes = 18 << 20;
  say(loaded);
  ASSERT_TRUE(eventually([&] { return engine->loaded().size() == 1; }));
  child<QPushButton>("status-memory")->click();
  QWidget* open = popup("memory-popup");
  ASSERT_NE(open, nullptr);
  auto* unload = open->findChild<QPushButton*>("unload");
  ASSERT_NE(unload, nullptr);
  EXPECT_EQ(unload->accessibleName(), "Unload base");
  auto* curve = open->findChild<QWidget*>("memoryChart");
  ASSERT_NE(curve, nullptr);
  EXPECT_FALSE(curve->isVisible()) << "nothing was told of memory";
  say(memoryOf(18 << 20, 2 << 20, 16LL << 30));
  const auto said = [&] { return curve->accessibleDescription(); };
  EXPECT_TRUE(eventually([&] { return curve->isVisible() && said().startsWith("Now weights 18.0 MiB"); }))
      << qPrintable(said());
  unload->click();
  Json params;
  ASSERT_TRUE(eventually([&] { return requests("models/unload", &params) == 1; }));
  EXPECT_EQ(params["ref"]["model"], "base");
}

TEST_F(Status, ShowsAChipWhileModelsAreServed) {
  startEngine();
  auto* chip = child<QPushButton>("status-serving");
  EXPECT_FALSE(chip->isVisible());
  protocol::ServeChanged serving;
  serving.on = true;
  serving.url = "http://127.0.0.1:8080/v1";
  say(serving);
  ASSERT_TRUE(eventually([&] { return chip->isVisible(); }));
  EXPECT_EQ(chip->accessibleName(), "Serving at http://127.0.0.1:8080/v1");
  chip->click();
  EXPECT_EQ(window->currentPage(), models);
  serving.on = false;
  say(serving);
  EXPECT_TRUE(eventually([&] { return !chip->isVisible(); }));
}

TEST_F(Status, ListsTheKeysOfThePageInView) {
  EXPECT_TRUE(child<QLabel>("status-keys")->text().startsWith("Enter send"));
  EXPECT_TRUE(child<QLabel>("status-keys")->text().contains("Ctrl+K find"));
  EXPECT_FALSE(child<QLabel>("status-keys")->text().contains("F4"));
  window->showPage("models");
  EXPECT_TRUE(child<QLabel>("status-keys")->text().contains("F4 inspector"));
}

}  // namespace
}  // namespace strata
