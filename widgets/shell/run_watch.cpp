#include "widgets/shell/run_watch.h"

#include <QApplication>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QVariantMap>

namespace strata {
namespace {

constexpr int kTimeout = 5000;  // ms

}  // namespace

RunWatch::RunWatch(Session& session, const QDBusConnection& system, const QDBusConnection& desktop, QObject* parent)
    : QObject(parent), m_session(session), m_system(system), m_desktop(desktop) {
  connect(&session.runs(), &RunTable::changed, this, &RunWatch::follow);
  connect(&session, &Session::projectChanged, this, [this] {
    m_alive.clear();
    follow();
  });
  follow();
}

void RunWatch::follow() {
  std::map<std::string, std::string> alive;
  for (const protocol::JobInfo& job : m_session.runs().rows()) {
    if (job.alive) {
      alive[job.id] = job.state;
    } else if (m_alive.contains(job.id)) {
      tell(job);
    }
  }
  m_alive = std::move(alive);
  stayAwake(!m_alive.empty() && !m_session.engine().remote());
}

void RunWatch::tell(const protocol::JobInfo& job) {
  const QString name = RunTable::title(job);
  const Place place = Place::run(QString::fromStdString(job.id));
  const QString message = QString::fromStdString(job.message);
  if (job.state == "failed" || job.state == "paused") {
    const QString sentence =
        job.state == "failed" ? tr("%1 failed: %2").arg(name, message) : tr("%1 is paused: %2").arg(name, message);
    m_session.warn(sentence, place);
    return notify(job.state == "failed" ? tr("A run failed") : tr("A run is paused"), sentence);
  }
  const QString sentence = job.state == "done" ? tr("%1 is done.").arg(name) : tr("%1 was stopped.").arg(name);
  m_session.announce(sentence);
  if (job.state == "done") notify(tr("A run is done"), sentence);
}

/// Who looks at the window sees its own notice.
void RunWatch::notify(const QString& title, const QString& text) {
  if (QApplication::activeWindow() != nullptr || !m_desktop.isConnected()) return;
  QDBusMessage call = QDBusMessage::createMethodCall(
      QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("/org/freedesktop/Notifications"),
      QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("Notify"));
  call << QStringLiteral("Strata") << 0u << QStringLiteral("strata-workbench") << title << text.toHtmlEscaped()
       << QStringList() << QVariantMap{{QStringLiteral("desktop-entry"), QStringLiteral("strata-workbench")}} << -1;
  m_desktop.asyncCall(call, kTimeout);
}

void RunWatch::stayAwake(bool awake) {
  m_wanted = awake;
  if (!awake) {
    if (!m_lock.isValid()) return;
    m_lock = {};
    Q_EMIT keepsAwakeChanged();
    return;
  }
  if (m_lock.isValid() || m_asked) return;
  if (!m_system.isConnected()) return sayThatItMaySleep();
  m_asked = true;
  QDBusMessage call = QDBusMessage::createMethodCall(
      QStringLiteral("org.freedesktop.login1"), QStringLiteral("/org/freedesktop/login1"),
      QStringLiteral("org.freedesktop.login1.Manager"), QStringLiteral("Inhibit"));
  call << QStringLiteral("sleep:idle") << QStringLiteral("Strata") << tr("A model is being trained")
       << QStringLiteral("block");
  auto* watcher = new QDBusPendingCallWatcher(m_system.asyncCall(call, kTimeout), this);
  connect(watcher, &QDBusPendingCallWatcher::finished, this, [this](QDBusPendingCallWatcher* done) {
    done->deleteLater();
    m_asked = false;
    const QDBusPendingReply<QDBusUnixFileDescriptor> reply = *done;
    if (reply.isError() || !reply.value().isValid()) {
      return sayThatItMaySleep();
    }
    if (!m_wanted) return;  // the descriptor is closed with the reply
    m_lock = reply.value();
    Q_EMIT keepsAwakeChanged();
  });
}

/// Once: a machine without logind, or a container, would hear it at every run.
void RunWatch::sayThatItMaySleep() {
  if (m_said) return;
  m_said = true;
  m_session.announce(
      tr("This machine may go to sleep while the run is alive: the system did not agree to stay awake."));
}

}  // namespace strata
