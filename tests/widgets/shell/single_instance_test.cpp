#include "widgets/shell/single_instance.h"

#include <QDir>
#include <QFile>
#include <QLocalSocket>

#include "shell_fixture.h"
#include "widgets/shell/window_log.h"

namespace strata {
namespace {

TEST(SingleInstance, IsOneAProject) {
  QTemporaryDir folder;
  SingleInstance first(folder.path()), second(folder.path());
  EXPECT_TRUE(first.claim("/projects/a"));
  EXPECT_FALSE(second.claim("/projects/a"));
  EXPECT_TRUE(second.claim("/projects/b"));
}

TEST(SingleInstance, LetsGoOfAProjectWhenItTakesAnother) {
  QTemporaryDir folder;
  SingleInstance first(folder.path()), second(folder.path());
  ASSERT_TRUE(first.claim("/projects/a"));
  ASSERT_TRUE(first.claim("/projects/b"));
  EXPECT_TRUE(second.claim("/projects/a"));
}

TEST(SingleInstance, KeepsItsOwnWhereAnotherHasWhatItWants) {
  QTemporaryDir folder;
  SingleInstance first(folder.path()), second(folder.path());
  ASSERT_TRUE(first.claim("/projects/a"));
  ASSERT_TRUE(second.claim("/projects/b"));
  EXPECT_FALSE(second.claim("/projects/a"));
  EXPECT_FALSE(first.claim("/projects/b"));
}

TEST(SingleInstance, IsRaisedByASecondProcess) {
  QTemporaryDir folder;
  SingleInstance first(folder.path());
  ASSERT_TRUE(first.claim("/projects/a"));
  int raised = 0;
  QObject::connect(&first, &SingleInstance::raised, [&] { ++raised; });
  // The caller waits, so it runs beside the event loop that answers it.
  bool answered = false;
  auto* caller = QThread::create([&] { answered = SingleInstance(folder.path()).raiseOther("/projects/a"); });
  caller->start();
  ASSERT_TRUE(eventually([&] { return raised == 1; }));
  ASSERT_TRUE(caller->wait(5000));
  delete caller;
  EXPECT_TRUE(answered);
}

TEST(SingleInstance, HandsOverTheTokenThatBringsTheFirstWindowToTheFrontUnderWayland) {
  QTemporaryDir folder;
  SingleInstance first(folder.path());
  ASSERT_TRUE(first.claim("/projects/a"));
  QByteArray token;
  QObject::connect(&first, &SingleInstance::raised, [&] { token = qgetenv("XDG_ACTIVATION_TOKEN"); });
  // What a second process sends whose desktop gave it a token.
  QLocalSocket second;
  second.connectToServer(folder.filePath(QDir(folder.path()).entryList({"*.socket"}, QDir::System).value(0)));
  ASSERT_TRUE(second.waitForConnected(5000));
  second.write("raise of-the-click");
  second.flush();
  QCoreApplication::processEvents();
  EXPECT_EQ(token, "");  // not before the line is whole
  second.write("-7\n");
  ASSERT_TRUE(eventually([&] { return token == "of-the-click-7"; }));
  EXPECT_TRUE(eventually([&] { return second.readAll() == "raised\n"; }));
  qunsetenv("XDG_ACTIVATION_TOKEN");
}

TEST(SingleInstance, SendsTheTokenOfItsOwnStart) {
  QTemporaryDir folder;
  SingleInstance first(folder.path()), second(folder.path());
  ASSERT_TRUE(first.claim("/projects/a"));
  qputenv("XDG_ACTIVATION_TOKEN", "of-the-start");
  QByteArray token;
  QObject::connect(&first, &SingleInstance::raised, [&] { token = qgetenv("XDG_ACTIVATION_TOKEN"); });
  bool answered = false;
  second.raiseOther("/projects/a", [&](bool yes) { answered = yes; });
  EXPECT_TRUE(eventually([&] { return answered; }));
  EXPECT_EQ(token, "of-the-start");
  qunsetenv("XDG_ACTIVATION_TOKEN");
}

TEST(SingleInstance, HangsUpOnWhoeverSaysSomethingElse) {
  QTemporaryDir folder;
  SingleInstance first(folder.path());
  ASSERT_TRUE(first.claim("/projects/a"));
  int raised = 0;
  QObject::connect(&first, &SingleInstance::raised, [&] { ++raised; });
  for (const QByteArray& said : {QByteArray("GET /\n"), QByteArray(5000, 'x')}) {
    QLocalSocket caller;
    caller.connectToServer(folder.filePath(QDir(folder.path()).entryList({"*.socket"}, QDir::System).value(0)));
    ASSERT_TRUE(caller.waitForConnected(5000));
    caller.write(said);
    EXPECT_TRUE(eventually([&] { return caller.state() == QLocalSocket::UnconnectedState; }));
  }
  EXPECT_EQ(raised, 0);
}

TEST(SingleInstance, SaysWhenNobodyAnswers) {
  QTemporaryDir folder;
  EXPECT_FALSE(SingleInstance(folder.path()).raiseOther("/projects/a"));
}

TEST(SingleInstance, RaisesAnotherWindowWithoutWaitingForIt) {
  QTemporaryDir folder;
  SingleInstance first(folder.path()), second(folder.path());
  ASSERT_TRUE(first.claim("/projects/a"));
  // In one thread: whoever waits here is never answered.
  std::vector<bool> answers;
  second.raiseOther("/projects/a", [&](bool answered) { answers.push_back(answered); });
  second.raiseOther("/projects/nobody", [&](bool answered) { answers.push_back(answered); });
  EXPECT_TRUE(eventually([&] { return answers.size() == 2; }));
  std::sort(answers.begin(), answers.end());
  EXPECT_EQ(answers, (std::vector<bool>{false, true}));
}

TEST(WindowLog, KeepsWarningsInTheUsersStateFolder) {
  QTemporaryDir folder;
  qputenv("XDG_STATE_HOME", folder.path().toLocal8Bit());
  startWindowLog();
  qWarning("a warning of the test");
  qInstallMessageHandler(nullptr);
  QFile file(windowLogPath());
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  EXPECT_TRUE(file.fileName().startsWith(folder.path()));
  EXPECT_TRUE(file.readAll().contains("warning: a warning of the test"));
}

}  // namespace
}  // namespace strata
