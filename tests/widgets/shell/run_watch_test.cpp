#include "widgets/shell/run_watch.h"

#include <poll.h>
#include <unistd.h>

#include <QDBusMessage>
#include <QDBusVirtualObject>
#include <QProcess>
#include <QStandardPaths>

#include "shell_fixture.h"

namespace strata {
namespace {

using testing::TemporaryFolder;

/// logind and the desktop's notifications.
class Desktop : public QDBusVirtualObject {
 public:
  ~Desktop() override {
    if (ends[0] >= 0) ::close(ends[0]);
  }
  QString introspect(const QString&) const override { return {}; }
  bool handleMessage(const QDBusMessage& message, const QDBusConnection& bus) override {
    if (message.member() == QLatin1String("Notify")) {
      notified << message.arguments().at(4).toString();
      return bus.send(message.createReply(1u));
    }
    if (message.member() != QLatin1String("Inhibit")) return false;
    inhibited = message.arguments().at(0).toString();
    EXPECT_EQ(::pipe(ends), 0);
    const QDBusUnixFileDescriptor lock(ends[1]);
    ::close(ends[1]);
    return bus.send(message.createReply(QVariant::fromValue(lock)));
  }
  /// Whether the window let go of the lock.
  bool released() const {
    pollfd end{ends[0], POLLIN, 0};
    return ends[0] >= 0 && ::poll(&end, 1, 0) == 1 && (end.revents & POLLHUP) != 0;
  }

  QString inhibited;
  QStringList notified;
  int ends[2] = {-1, -1};
};

class RunWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testTheme();
    const QString program = QStandardPaths::findExecutable(QStringLiteral("dbus-daemon"));
    if (program.isEmpty()) GTEST_SKIP() << "There is no dbus-daemon; install dbus to run this test.";
    daemon.start(program, {"--session", "--nofork", "--print-address"});
    ASSERT_TRUE(daemon.waitForStarted());
    ASSERT_TRUE(daemon.waitForReadyRead(20000));
    const QString address = QString::fromUtf8(daemon.readLine()).trimmed();
    QDBusConnection server = QDBusConnection::connectToBus(address, QStringLiteral("desktop"));
    ASSERT_TRUE(server.isConnected());
    for (const char* path : {"/org/freedesktop/login1", "/org/freedesktop/Notifications"}) {
      ASSERT_TRUE(server.registerVirtualObject(QLatin1String(path), &desktop));
    }
    ASSERT_TRUE(server.registerService(QStringLiteral("org.freedesktop.login1")));
    ASSERT_TRUE(server.registerService(QStringLiteral("org.freedesktop.Notifications")));
    QDBusConnection::connectToBus(address, QStringLiteral("window"));
  }
  void TearDown() override {
    QDBusConnection::disconnectFromBus(QStringLiteral("window"));
    QDBusConnection::disconnectFromBus(QStringLiteral("desktop"));
    daemon.terminate();
    daemon.waitForFinished(5000);
  }
  void begin() {
    client.start(testing::fakeEngine(folder.path()));
    session.openProject({});
    ASSERT_TRUE(eventually([&] { return session.project() && !session.runs().rows().empty(); }));
  }
  void say(const std::string& state, bool alive, const std::string& message = {}) {
    const Json job = {{"id", "r1"},
                      {"kind", "train"},
                      {"state", state},
                      {"created", "2026-11-28T11:00:00Z"},
                      {"title", "base on train.txt"},
                      {"alive", alive},
                      {"message", message},
                      {"step", 3},
                      {"steps", 9}};
    const Json news = {{"method", "jobs/changed"}, {"params", {{"jobs", Json::array({job})}}}};
    const auto path = folder.path() / "say";
    ASSERT_TRUE(eventually([&] { return !std::filesystem::exists(path); }));  // the one before was read
    testing::writeText(folder.path() / "say.part", news.dump() + "\n");
    std::filesystem::rename(folder.path() / "say.part", path);
  }
  bool noticed(const QString& words) const {
    Notices& notices = const_cast<Session&>(session).notices();
    for (int row = 0; row < notices.rowCount(); ++row) {
      if (notices.at(row).text.contains(words)) return true;
    }
    return false;
  }

  TemporaryFolder folder;
  QProcess daemon;
  Desktop desktop;
  EngineClient client;
  Settings settings{QString::fromStdString((folder.path() / "settings.ini").string())};
  Session session{client, settings};
};

TEST_F(RunWatchTest, KeepsTheMachineAwakeWhileARunIsAliveAndTellsWhenItIsDone) {
  const QDBusConnection bus(QStringLiteral("window"));
  RunWatch watch(session, bus, bus);
  begin();
  EXPECT_FALSE(watch.keepsAwake());
  say("running", true);
  ASSERT_TRUE(eventually([&] { return watch.keepsAwake(); }));
  EXPECT_EQ(desktop.inhibited, "sleep:idle");
  EXPECT_FALSE(desktop.released());
  say("done", false);
  ASSERT_TRUE(eventually([&] { return desktop.released(); }));
  EXPECT_TRUE(noticed("is done."));
  EXPECT_TRUE(eventually([&] { return desktop.notified.size() == 1; }));
  EXPECT_EQ(desktop.notified.value(0).toStdString().find("Train"), 0u) << desktop.notified.value(0).toStdString();
}

TEST_F(RunWatchTest, AFailureIsAProblemThatLeadsToItsRun) {
  const QDBusConnection bus(QStringLiteral("window"));
  RunWatch watch(session, bus, bus);
  begin();
  say("running", true);
  ASSERT_TRUE(eventually([&] { return watch.keepsAwake(); }));
  say("failed", false, "The disk is full.");
  ASSERT_TRUE(eventually([&] { return session.notices().unseen() == 1; }));
  EXPECT_EQ(session.notices().at(0).place, Place::run("r1"));
  EXPECT_TRUE(noticed("failed: The disk is full."));
}

TEST_F(RunWatchTest, WithoutLogindItSaysOnceThatTheMachineMaySleep) {
  const QDBusConnection none(QStringLiteral("no such bus"));
  RunWatch watch(session, none, none);
  begin();
  say("running", true);
  ASSERT_TRUE(eventually([&] { return noticed("may go to sleep"); }));
  EXPECT_FALSE(watch.keepsAwake());
  const int before = session.notices().rowCount();
  say("done", false);
  ASSERT_TRUE(eventually([&] { return noticed("is done."); }));
  say("running", true);
  ASSERT_TRUE(eventually([&] { return session.runs().runningCount() == 1; }));
  EXPECT_EQ(session.notices().rowCount(), before + 1);
}

}  // namespace
}  // namespace strata
