// The desktop's wishes, told by a portal of the test's own on a bus of its own.

#include "widgets/style/system_appearance.h"

#include <gtest/gtest.h>

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusVariant>
#include <QDBusVirtualObject>
#include <QProcess>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTest>

namespace strata {
namespace {

const auto kInterface = QStringLiteral("org.freedesktop.portal.Settings");
const auto kPath = QStringLiteral("/org/freedesktop/portal/desktop");

class Portal : public QDBusVirtualObject {
 public:
  uint scheme = 1;
  uint contrast = 0;

  QString introspect(const QString&) const override { return {}; }

  bool handleMessage(const QDBusMessage& message, const QDBusConnection& bus) override {
    if (message.member() != QLatin1String("Read")) return false;
    const uint value = message.arguments().at(1).toString() == QLatin1String("contrast") ? contrast : scheme;
    // Read answers a variant inside the variant.
    const QVariant inner = QVariant::fromValue(QDBusVariant(QVariant(value)));
    return bus.send(message.createReply(QVariant::fromValue(QDBusVariant(inner))));
  }
};

class SystemAppearanceTest : public testing::Test {
 protected:
  void SetUp() override {
    const QString program = QStandardPaths::findExecutable(QStringLiteral("dbus-daemon"));
    if (program.isEmpty()) GTEST_SKIP() << "There is no dbus-daemon; install dbus to run this test.";
    daemon.start(program, {"--session", "--nofork", "--print-address"});
    ASSERT_TRUE(daemon.waitForStarted());
    ASSERT_TRUE(daemon.waitForReadyRead(5000));
    const QString address = QString::fromUtf8(daemon.readLine()).trimmed();
    QDBusConnection server = QDBusConnection::connectToBus(address, QStringLiteral("portal"));
    ASSERT_TRUE(server.isConnected());
    ASSERT_TRUE(server.registerVirtualObject(kPath, &portal));
    ASSERT_TRUE(server.registerService(QStringLiteral("org.freedesktop.portal.Desktop")));
    QDBusConnection::connectToBus(address, QStringLiteral("window"));
  }

  void TearDown() override {
    QDBusConnection::disconnectFromBus(QStringLiteral("window"));
    QDBusConnection::disconnectFromBus(QStringLiteral("portal"));
    daemon.terminate();
    daemon.waitForFinished(5000);
  }

  void tell(const QString& group, const QString& key, uint value) {
    QDBusMessage signal = QDBusMessage::createSignal(kPath, kInterface, QStringLiteral("SettingChanged"));
    signal << group << key << QVariant::fromValue(QDBusVariant(QVariant(value)));
    QDBusConnection(QStringLiteral("portal")).send(signal);
  }

  QProcess daemon;
  Portal portal;
};

TEST_F(SystemAppearanceTest, IsAskedAtTheStartAndFollowedByItsSignal) {
  SystemAppearance system(QDBusConnection(QStringLiteral("window")));
  QSignalSpy schemes(&system, &SystemAppearance::schemeReported);
  QSignalSpy contrasts(&system, &SystemAppearance::contrastReported);
  ASSERT_TRUE(QTest::qWaitFor([&] { return schemes.count() == 1 && contrasts.count() == 1; }, 5000));
  EXPECT_TRUE(schemes[0][0].toBool());
  EXPECT_FALSE(contrasts[0][0].toBool());
  tell("org.freedesktop.appearance", "color-scheme", 2);
  ASSERT_TRUE(QTest::qWaitFor([&] { return schemes.count() == 2; }, 5000));
  EXPECT_FALSE(schemes[1][0].toBool());
  tell("org.gnome.desktop.interface", "color-scheme", 1);  // another group's key of that name
  tell("org.freedesktop.appearance", "contrast", 1);
  ASSERT_TRUE(QTest::qWaitFor([&] { return contrasts.count() == 2; }, 5000));
  EXPECT_TRUE(contrasts[1][0].toBool());
  EXPECT_EQ(schemes.count(), 2);
}

TEST(SystemAppearanceWithoutABus, SaysNothing) {
  SystemAppearance system(QDBusConnection(QStringLiteral("no such bus")));
  QSignalSpy schemes(&system, &SystemAppearance::schemeReported);
  QTest::qWait(20);
  EXPECT_EQ(schemes.count(), 0);
}

}  // namespace
}  // namespace strata
