#include "widgets/style/system_appearance.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>

namespace strata {
namespace {

const auto kService = QStringLiteral("org.freedesktop.portal.Desktop");
const auto kPath = QStringLiteral("/org/freedesktop/portal/desktop");
const auto kInterface = QStringLiteral("org.freedesktop.portal.Settings");
const auto kGroup = QStringLiteral("org.freedesktop.appearance");

}  // namespace

SystemAppearance::SystemAppearance(QObject* parent) : QObject(parent) {
  QDBusConnection bus = QDBusConnection::sessionBus();
  if (!bus.isConnected()) return;
  bus.connect(kService, kPath, kInterface, QStringLiteral("SettingChanged"), this,
              SLOT(settingChanged(QString, QString, QDBusVariant)));
  ask(QStringLiteral("color-scheme"));
  ask(QStringLiteral("contrast"));
}

void SystemAppearance::ask(const QString& key) {
  QDBusMessage read = QDBusMessage::createMethodCall(kService, kPath, kInterface, QStringLiteral("Read"));
  read << kGroup << key;
  auto* watcher = new QDBusPendingCallWatcher(QDBusConnection::sessionBus().asyncCall(read, 2000), this);
  connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, key](QDBusPendingCallWatcher* done) {
    done->deleteLater();
    const QDBusPendingReply<QDBusVariant> reply = *done;
    if (!reply.isError()) take(key, reply.value().variant());
  });
}

void SystemAppearance::settingChanged(const QString& group, const QString& key, const QDBusVariant& value) {
  if (group == kGroup) take(key, value.variant());
}

void SystemAppearance::take(const QString& key, QVariant value) {
  // Read wraps its answer in a variant of its own, the signal does not.
  while (value.canConvert<QDBusVariant>()) value = value.value<QDBusVariant>().variant();
  const uint number = value.toUInt();
  if (key == QLatin1String("color-scheme")) {
    Q_EMIT schemeReported(number == 1);  // 0: no preference, 1: dark, 2: light
  } else if (key == QLatin1String("contrast")) {
    Q_EMIT contrastReported(number == 1);
  }
}

}  // namespace strata
