#include <QDropEvent>
#include <QLabel>
#include <QMimeData>
#include <QProgressBar>

#include "shell_fixture.h"

namespace strata {
namespace {

/// With an engine of another machine, by what its command says.
class Uploads : public Shell {
 protected:
  void SetUp() override {
    Shell::SetUp();
    EngineClient::Command command = fakeEngine();
    command.remote = true;
    engine->start(command);
    session->openProject({});
    ASSERT_TRUE(eventually([&] { return engine->ready() && session->project().has_value(); }));
    data->takes = true;
  }
  QString write(const QString& name, const QByteArray& bytes) const {
    const QString path = folder.filePath(name);
    QDir().mkpath(QFileInfo(path).absolutePath());
    QFile file(path);
    EXPECT_TRUE(file.open(QIODevice::WriteOnly));
    file.write(bytes);
    return path;
  }
  QByteArray uploaded(const QString& name) const {
    QFile file(folder.filePath("uploads/" + name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("there is no such file");
  }
  void drop(const QString& path) {
    QMimeData dropped;
    dropped.setUrls({QUrl::fromLocalFile(path)});
    QDropEvent event(QPointF(400, 300), Qt::CopyAction, &dropped, Qt::LeftButton, Qt::NoModifier);
    static_cast<QObject*>(window.get())->event(&event);  // as at the end of a drag
    EXPECT_TRUE(eventually([&] { return !sentence().startsWith("Reading the list of files"); }));
  }
  QString sentence() const { return child<QLabel>("upload-sentence")->text(); }
  bool offered() const { return child<QWidget>("upload-bar")->isVisible(); }
  QPushButton& button(const char* name) const { return *child<QPushButton>(name); }

  const QByteArray threePieces = QByteArray(1 << 20, 'a') + QByteArray(1 << 20, 'b') + "the rest";
};

TEST_F(Uploads, ADroppedFileIsOfferedSentInPiecesAndThenTakenAsIfItLayThere) {
  EXPECT_FALSE(offered());
  drop(write("train.jsonl", threePieces));
  ASSERT_TRUE(offered());
  EXPECT_EQ(sentence(),
            "train.jsonl is on this machine, and the engine runs on workstation. Upload 2.00 MiB to the project?");
  EXPECT_EQ(requests("files/put"), 0);
  EXPECT_TRUE(data->dropped.isEmpty());
  EXPECT_EQ(QApplication::focusWidget(), &button("upload-start"));
  key(Qt::Key_Space);
  ASSERT_TRUE(eventually([&] { return !data->dropped.isEmpty(); }));
  EXPECT_EQ(data->dropped, QStringList{folder.filePath("uploads/train.jsonl")});
  EXPECT_EQ(uploaded("train.jsonl"), threePieces);
  EXPECT_EQ(requests("files/put"), 3);
  EXPECT_EQ(window->currentPage(), data);
  EXPECT_FALSE(offered());
}

TEST_F(Uploads, OfAFolderTheFilesGoOneAfterAnotherWithoutHiddenOnesAndFolders) {
  data->takes = false;
  models->takes = true;
  write("tuned/config.json", "{}");
  write("tuned/model.safetensors", "weights");
  write("tuned/empty", "");
  write("tuned/.hidden", "not for others");
  write("tuned/checkpoints/step", "left out");
  drop(folder.filePath("tuned"));
  EXPECT_TRUE(sentence().endsWith("Upload 9 B to the project? Files: 3. Folders inside it are left out: 1."))
      << qPrintable(sentence());
  button("upload-start").click();
  ASSERT_TRUE(eventually([&] { return !models->dropped.isEmpty(); }));
  EXPECT_EQ(models->dropped, QStringList{folder.filePath("uploads/tuned")});
  EXPECT_EQ(uploaded("tuned/model.safetensors"), "weights");
  EXPECT_EQ(uploaded("tuned/empty"), "");
  EXPECT_EQ(QDir(folder.filePath("uploads/tuned")).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot),
            (QStringList{"config.json", "empty", "model.safetensors"}));
}

TEST_F(Uploads, AnEngineThatDiesMeanwhileLeavesTheOfferToSendItAgain) {
  write("upload_dies", "");
  drop(write("train.jsonl", threePieces));
  button("upload-start").click();
  ASSERT_TRUE(eventually([&] { return sentence().startsWith("train.jsonl is not in the project:"); }));
  EXPECT_TRUE(data->dropped.isEmpty());
  ASSERT_TRUE(eventually([&] { return button("upload-start").isEnabled(); }));
  EXPECT_EQ(button("upload-start").text(), "Upload again");
  button("upload-start").click();
  ASSERT_TRUE(eventually([&] { return !data->dropped.isEmpty(); }));
  EXPECT_EQ(uploaded("train.jsonl"), threePieces);
}

TEST_F(Uploads, StopEndsItAndSaysHowFarItCame) {
  drop(write("train.jsonl", QByteArray(64 << 20, 'x')));
  button("upload-start").click();
  ASSERT_TRUE(eventually([&] { return requests("files/put") > 2; }));
  EXPECT_TRUE(child<QProgressBar>("upload-progress")->isVisible());
  EXPECT_EQ(button("upload-stop").text(), "Stop");
  key(Qt::Key_Escape);
  EXPECT_TRUE(sentence().startsWith("Stopped after ")) << qPrintable(sentence());
  QTest::qWait(50);
  const int sent = requests("files/put");
  QTest::qWait(50);
  EXPECT_EQ(requests("files/put"), sent);
  key(Qt::Key_Escape);
  EXPECT_FALSE(offered());
  EXPECT_TRUE(data->dropped.isEmpty());
}

TEST_F(Uploads, AFileThatCannotBeReadSaysSo) {
  const QString path = write("train.jsonl", "{}");
  drop(path);
  ASSERT_TRUE(QFile::remove(path));
  button("upload-start").click();
  EXPECT_TRUE(eventually([&] { return sentence().contains("holds no files"); })) << qPrintable(sentence());
}

TEST_F(Uploads, WaitForTheEngine) {
  drop(write("train.jsonl", "{}"));
  engine->stop();
  ASSERT_TRUE(eventually([&] { return !engine->ready(); }));
  EXPECT_EQ(button("upload-start").text(), "Upload waits for the engine");
  EXPECT_FALSE(button("upload-start").isEnabled());
}

TEST_F(Uploads, AProjectIsNotSent) {
  write("mine/strata.json", "{}");
  drop(folder.filePath("mine"));
  EXPECT_FALSE(offered());
  EXPECT_TRUE(child<QLabel>("status-said")->text().startsWith("mine is a project of this machine"));
}

TEST_F(Uploads, WithAnEngineOfThisMachineADropIsTakenAtOnce) {
  engine->start(fakeEngine());
  const QString path = write("train.jsonl", "{}");
  drop(path);
  EXPECT_FALSE(offered());
  EXPECT_EQ(data->dropped, QStringList{path});
}

TEST_F(Uploads, ScreenshotsOfTheOfferAndOfAFailure) {
  const auto shoot = [this](const QString& name) {
    QTest::qWait(60);
    ASSERT_TRUE(QDir().mkpath(STRATA_BINARY_DIR "/screenshots"));
    ASSERT_TRUE(window->grab().save(QString(STRATA_BINARY_DIR "/screenshots/frame-upload-%1.png").arg(name)));
  };
  window->resize(1280, 800);
  write("upload_dies", "");
  drop(write("train.jsonl", threePieces));
  shoot("offer-light");
  testTheme().setChoice(Theme::Choice::dark);
  button("upload-start").click();
  ASSERT_TRUE(eventually([&] { return sentence().contains("is not in the project"); }));
  shoot("failed-dark");
  testTheme().setChoice(Theme::Choice::light);
  testTheme().setTextPercent(150);
  drop(write("another.jsonl", QByteArray(64 << 20, 'x')));
  shoot("offer-150");
  ASSERT_TRUE(eventually([&] { return button("upload-start").isEnabled(); }));
  button("upload-start").click();
  ASSERT_TRUE(eventually([&] { return requests("files/put") > 3; }));
  shoot("running-150");
}

}  // namespace
}  // namespace strata
