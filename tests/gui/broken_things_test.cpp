// What goes wrong, and what the window says of it.

#include <QDropEvent>
#include <QMimeData>
#include <QUrl>

#include "real_window.h"

namespace strata {
namespace {

/// Everything that is written somewhere on the page.
QString textsOf(const QWidget* page) {
  QStringList texts;
  for (const QLabel* label : page->findChildren<QLabel*>()) {
    if (label->isVisible()) texts << label->text() << label->toolTip();
  }
  return texts.join('\n');
}

TEST(BrokenThingsJourney, AFolderThatCannotBeOpenedSaysWhy) {
  const OwnFolders folders;
  RealWindow window(folders);
  ASSERT_TRUE(window.isReady());
  const QString broken = folders.path("broken-model");
  QDir().mkpath(broken);
  const QString sample = QStringLiteral(STRATA_SOURCE_DIR "/resources/models/sample-base/");
  QFile::copy(sample + "config.json", broken + "/config.json");
  QFile pickle(broken + "/pytorch_model.bin");
  ASSERT_TRUE(pickle.open(QIODevice::WriteOnly));
  pickle.write("PK\x03\x04");
  pickle.close();
  window.window.showPage("models");
  QMimeData dropped;
  dropped.setUrls({QUrl::fromLocalFile(broken)});
  ASSERT_TRUE(window.models->wants({broken}));
  QDropEvent event(QPointF(640, 400), Qt::CopyAction, &dropped, Qt::LeftButton, Qt::NoModifier);
  static_cast<QObject&>(window.window).event(&event);  // as at the end of a drag
  EXPECT_TRUE(until([&] { return textsOf(window.models).contains("safetensors"); }))
      << textsOf(window.models).toStdString();
  window.screenshot("journey_broken_model");
}

TEST(BrokenThingsJourney, AKilledEngineComesBackWithTheChatAndTheModels) {
  const OwnFolders folders;
  RealWindow window(folders);
  ASSERT_TRUE(window.isReady());
  window.chat->setDraft("Who lived in the house?");
  window.chat->sendDraft();
  ASSERT_TRUE(until([&] { return !window.chat->conversation().turns().empty(); }));
  ASSERT_TRUE(window.bothAnswered(0));
  const QString chat = window.chat->conversation().id();
  window.chat->setDraft("And who came?");
  window.chat->sendDraft();
  ASSERT_TRUE(until([&] { return window.chat->answering().busy(); }));
  const qint64 before = window.engine.engine().pid;
  QString said;
  QObject::connect(&window.engine, &EngineClient::stateChanged, &window.window, [&] {
    if (said.isEmpty()) said = window.engine.problem();
  });
  window.killEngine();
  ASSERT_TRUE(until([&] { return window.engine.ready() && window.engine.engine().pid != before; }));
  EXPECT_FALSE(said.isEmpty());
  ASSERT_TRUE(until([&] { return !window.chat->answering().busy(); }));
  ASSERT_EQ(window.chat->conversation().turns().size(), 2U);
  window.screenshot("journey_engine_back");
  // What the project holds, as the engine of now reads it.
  std::optional<protocol::OpenChat::Answer> stored;
  ASSERT_TRUE(until([&] {
    bool answered = false;
    window.engine.call<protocol::OpenChat>({chat.toStdString(), 0}, &window.window, [&](const auto& answer) {
      if (answer) stored = *answer;
      answered = true;
    });
    return until([&] { return answered; }) && stored && stored->chat.turns == 2;
  }));
  EXPECT_EQ(stored->messages.front().text, "Who lived in the house?");
  window.chat->setDraft("Once more?");
  window.chat->sendDraft();
  ASSERT_TRUE(until([&] { return window.chat->conversation().turns().size() == 3; }));
  EXPECT_TRUE(window.bothAnswered(2));
}

TEST(BrokenThingsJourney, AJobOutlivesTheEngineAndIsStoppedByTheNextOne) {
  const OwnFolders folders;
  RealWindow window(folders);
  ASSERT_TRUE(window.isReady());
  const std::string project = window.session.project()->folder;
  protocol::StartJob::Params start;
  start.kind = "train";
  start.config = {{"model", "stories"}, {"data", project + "/train.txt"},
                  {"steps", 100000},    {"batch", 2},
                  {"length", 64},       {"threads", 1}};
  std::optional<Result<protocol::StartJob::Answer>> started;
  window.engine.call<protocol::StartJob>(start, &window.window, [&](const auto& answer) { started = answer; });
  ASSERT_TRUE(until([&] { return started.has_value(); }));
  ASSERT_TRUE(*started) << started->error().message;
  const std::string id = (*started)->job.id;
  const auto job = [&]() -> std::optional<protocol::JobInfo> {
    std::optional<Result<protocol::ListJobs::Answer>> listed;
    window.engine.call<protocol::ListJobs>({}, &window.window, [&](const auto& answer) { listed = answer; });
    if (!until([&] { return listed.has_value(); }) || !*listed) return {};
    for (const protocol::JobInfo& one : (*listed)->jobs) {
      if (one.id == id) return one;
    }
    return {};
  };
  ASSERT_TRUE(until([&] { return job() && job()->step > 0; }));
  window.screenshot("journey_job_running");
  const qint64 before = window.engine.engine().pid;
  window.killEngine();
  ASSERT_TRUE(until([&] { return window.engine.ready() && window.engine.engine().pid != before; }));
  const auto found = job();
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->alive);
  window.engine.call<protocol::StopJob>({id}, &window.window, [](const auto&) {});
  ASSERT_TRUE(until([&] { return job() && !job()->alive; }));
  EXPECT_EQ(job()->state, "stopped");
}

}  // namespace
}  // namespace strata
