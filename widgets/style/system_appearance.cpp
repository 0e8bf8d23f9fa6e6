#include "widgets/style/system_appearance.h"

#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>

namespace strata {
namespace {

const auto kService = QStringLiteral("org.freedesktop.portal.Desktop");
const auto kPath = QStringLiteral("/org/freedesktop/portal/desktop");
const auto kInterface = QStringLiteral("org.freedesktop.portal.Settings");
const auto kGroup = QStringLiteral("org.freedesktop.appearance");

}  // namespace

SystemAppearance::SystemAppearance(const QDBusConnection& bus, QObject* parent) : QObject(parent), m_bus(bus) {
  if (!m_bus.isConnected()) return;
  // QtDBus finds a slot by the names of its parameters' types, and so has to have heard of them.
  qRegisterMetaType<QDBusVariant>();
  // From any sender: the portal may start, or start anew, after us.
  m_bus.connect({}, kPath, kInterface, QStringLiteral("SettingChanged"), this,
                SLOT(settingChanged(QString, QString, QDBusVariant)));
  ask(QStringLiteral("color-scheme"));
  ask(QStringLiteral("contrast"));
}

void SystemAppearance::ask(const QString& key) {
  QDBusMessage read = QDBusMessage::createMethodCall(kService, kPath, kInterface, QStringLiteral("Read"));
  read << kGroup << key;
  auto* watcher = new QDBusPendingCallWatcher(m_bus.asyncCall(read, 2000), this);
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
