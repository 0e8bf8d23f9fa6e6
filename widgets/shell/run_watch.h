#pragma once
// While runs are alive: keeps this machine awake, and says when one ends, in the window's notices and, where the window
// is not in front, on the desktop. An engine elsewhere keeps its own machine awake or not.
//
//   RunWatch watch(session, QDBusConnection::systemBus(), QDBusConnection::sessionBus());
// Nothing here waits for D-Bus: org.freedesktop.login1.Manager.Inhibit, org.freedesktop.Notifications.Notify.

#include <QDBusConnection>
#include <QDBusUnixFileDescriptor>
#include <QObject>
#include <map>
#include <string>

#include "widgets/session/session.h"

namespace strata {

class RunWatch : public QObject {
  Q_OBJECT

 public:
  RunWatch(Session& session, const QDBusConnection& system, const QDBusConnection& desktop, QObject* parent = nullptr);

  bool keepsAwake() const { return m_lock.isValid(); }

 Q_SIGNALS:
  void keepsAwakeChanged();

 private:
  void follow();
  void tell(const protocol::JobInfo& job);
  void notify(const QString& title, const QString& text);
  void stayAwake(bool awake);
  void sayThatItMaySleep();

  Session& m_session;
  QDBusConnection m_system, m_desktop;
  std::map<std::string, std::string> m_alive;  // runs that were alive when last looked at, and their states
  QDBusUnixFileDescriptor m_lock;              // the machine stays awake while it is open
  bool m_wanted = false, m_asked = false, m_said = false;
};

}  // namespace strata
