#include <QDir>

#include "shell_fixture.h"

namespace strata {
namespace {

/// Pictures of the frame for a person to judge, in <build>/screenshots; checked is that they can be made and are not
/// of one colour.
class Screenshots : public Shell {
 protected:
  void shoot(const QString& name) {
    QTest::qWait(60);
    const QImage image = window->grab().toImage();
    ASSERT_FALSE(image.isNull());
    QSet<QRgb> seen;
    for (int y = 0; y < image.height(); y += 7) {
      for (int x = 0; x < image.width(); x += 7) seen << image.pixel(x, y);
    }
    EXPECT_GT(seen.size(), 8) << qPrintable(name);
    const QDir folder(STRATA_BINARY_DIR "/screenshots");
    ASSERT_TRUE(folder.mkpath("."));
    ASSERT_TRUE(image.save(folder.filePath(name + ".png")));
  }

  /// In both sizes and both themes.
  void shootAll(const QString& name) {
    for (const bool dark : {false, true}) {
      testTheme().setChoice(dark ? Theme::Choice::dark : Theme::Choice::light);
      for (const QSize size : {QSize(1280, 800), QSize(1920, 1080)}) {
        window->resize(size);
        shoot(QString("%1-%2-%3").arg(name).arg(size.width()).arg(dark ? "dark" : "light"));
      }
    }
  }
};

TEST_F(Screenshots, OfTheFrameWithAJobAndMemory) {
  startEngine();
  session->setMap(Which::b, "stride:2");
  protocol::JobsChanged news;
  news.jobs.resize(1);
  protocol::JobInfo& job = news.jobs[0];
  job.id = "20261128-120000-bb";
  job.kind = "train";
  job.state = "running";
  job.created = "2026-11-28T12:00:00Z";
  job.title = "routed on train.txt";
  job.alive = true;
  job.step = 84;
  job.steps = 200;
  job.secondsLeft = 190;
  say(news);
  protocol::Memory memory;
  memory.device = "cpu";
  memory.weights = 37 << 20;
  memory.kv = 7 << 20;
  memory.other = 60 << 20;
  memory.resident = 400 << 20;
  memory.total = 16LL << 30;
  say(memory);
  ASSERT_TRUE(eventually([&] { return child<QPushButton>("job-stop")->isVisible(); }));
  QTest::qWait(100);
  shootAll("frame");
  child<QPushButton>("jobs-toggle")->click();
  window->showPage("models");
  shootAll("frame-jobs");
}

TEST_F(Screenshots, OfTheSettings) {
  startEngine();
  window->showPage("settings");
  shootAll("settings");
  testTheme().setTextPercent(150);
  shoot("settings-1920-dark-150");
}

TEST_F(Screenshots, OfAnEngineThatCannotStart) {
  engine->start({"/no/such/strata", {"engine"}, false});
  ASSERT_TRUE(eventually([&] { return engine->state() == EngineClient::State::failed; }));
  shootAll("frame-no-engine");
  window->showPage("data");
  shoot("frame-no-engine-data");
}

TEST_F(Screenshots, OfHighContrastAndLargeText) {
  startEngine();
  window->resize(1280, 800);
  testTheme().setChoice(Theme::Choice::contrast);
  shoot("frame-contrast");
  testTheme().setChoice(Theme::Choice::light);
  testTheme().setTextPercent(200);
  shoot("frame-200");
}

TEST_F(Screenshots, OfThePopups) {
  startEngine();
  protocol::Memory memory;
  memory.device = "cpu";
  memory.weights = 37 << 20;
  memory.total = 16LL << 30;
  say(memory);
  QTest::qWait(1200);
  memory.kv = 7 << 20;
  memory.other = 60 << 20;
  memory.resident = 400 << 20;
  say(memory);
  ASSERT_TRUE(eventually([&] { return child<QPushButton>("status-memory")->text().startsWith("Memory 104 MiB"); }));
  const QDir folder(STRATA_BINARY_DIR "/screenshots");
  ASSERT_TRUE(folder.mkpath("."));
  child<QPushButton>("jobs-toggle")->click();
  for (const char* opener : {"status-engine", "status-memory", "map-b", "jobs-edit"}) {
    child<QPushButton>(opener)->click();
    QTest::qWait(200);
    QWidget* open = QApplication::activePopupWidget();
    ASSERT_NE(open, nullptr) << opener;
    ASSERT_TRUE(open->grab().save(folder.filePath(QString("popup-%1.png").arg(opener))));
    QTest::keyClick(open, Qt::Key_Escape);
  }
  window->find();
  QTest::qWait(60);
  ASSERT_TRUE(popup("find-popup")->grab().save(folder.filePath("popup-find.png")));
}

}  // namespace
}  // namespace strata
