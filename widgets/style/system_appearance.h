#pragma once
// What the desktop asks for, from the settings portal (org.freedesktop.appearance) over D-Bus, read without waiting and
// followed by its signal. Where there is no portal nothing is reported.

#include <QDBusConnection>
#include <QDBusVariant>
#include <QObject>
#include <QVariant>

namespace strata {

class SystemAppearance : public QObject {
  Q_OBJECT

 public:
  explicit SystemAppearance(const QDBusConnection& bus, QObject* parent = nullptr);

 Q_SIGNALS:
  void schemeReported(bool dark);
  void contrastReported(bool high);

 private Q_SLOTS:
  void settingChanged(const QString& group, const QString& key, const QDBusVariant& value);

 private:
  void ask(const QString& key);
  void take(const QString& key, QVariant value);
  QDBusConnection m_bus;
};

}  // namespace strata
