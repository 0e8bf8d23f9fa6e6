#pragma once
// What the desktop asks for, from the settings portal (org.freedesktop.appearance) over D-Bus, read without waiting and
// followed by its signal. Where there is no portal nothing is reported.

#include <QObject>
#include <QVariant>

class QDBusPendingCallWatcher;
class QDBusVariant;

namespace strata {

class SystemAppearance : public QObject {
  Q_OBJECT

 public:
  explicit SystemAppearance(QObject* parent = nullptr);

 Q_SIGNALS:
  void schemeReported(bool dark);
  void contrastReported(bool high);

 private Q_SLOTS:
  void settingChanged(const QString& group, const QString& key, const QDBusVariant& value);

 private:
  void ask(const QString& key);
  void take(const QString& key, QVariant value);
};

}  // namespace strata
