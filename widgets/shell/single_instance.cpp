#include "widgets/shell/single_instance.h"

#include <QCryptographicHash>
#include <QDir>
#include <QLocalSocket>
#include <QStandardPaths>
#include <QTimer>

namespace strata {
namespace {

constexpr int kAnswerMilliseconds = 1000;
constexpr const char* kToken = "XDG_ACTIVATION_TOKEN";
constexpr qint64 kMostBytes = 4096;

/// "raise TOKEN\n"; the token may be empty.
QByteArray request() {
  const QByteArray token = qgetenv(kToken);
  return "raise " + (token.contains('\n') ? QByteArray() : token) + '\n';
}

}  // namespace

SingleInstance::SingleInstance(const QString& folder, QObject* parent) : QObject(parent), m_folder(folder) {
  if (m_folder.isEmpty()) m_folder = QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation);
  if (m_folder.isEmpty()) m_folder = QDir::homePath() + "/.cache";
  QDir().mkpath(m_folder);
}

QString SingleInstance::path(const QString& key, const QString& ending) const {
  const QByteArray hash = QCryptographicHash::hash(key.toUtf8(), QCryptographicHash::Sha256).toHex().left(16);
  return m_folder + "/strata-" + QString::fromLatin1(hash) + ending;
}

bool SingleInstance::claim(const QString& key) {
  auto lock = std::make_unique<QLockFile>(path(key, ".lock"));
  if (m_lock && m_lock->fileName() == lock->fileName()) return true;
  lock->setStaleLockTime(0);  // only the death of its process makes a lock stale
  // A folder that cannot be written to must not keep the window shut: only a lock that is held does.
  if (!lock->tryLock(0) && lock->error() == QLockFile::LockFailedError) return false;
  m_lock = std::move(lock);
  m_server = std::make_unique<QLocalServer>();
  m_server->setSocketOptions(QLocalServer::UserAccessOption);
  QLocalServer::removeServer(path(key, ".socket"));  // left by a window that was killed: the lock is ours
  if (!m_server->listen(path(key, ".socket"))) {
    qWarning("A second window on this project cannot raise this one: %s", qPrintable(m_server->errorString()));
  }
  connect(m_server.get(), &QLocalServer::newConnection, this, [this] {
    while (QLocalSocket* caller = m_server->nextPendingConnection()) {
      connect(caller, &QLocalSocket::disconnected, caller, &QObject::deleteLater);
      connect(caller, &QLocalSocket::readyRead, this, [this, caller] { answer(*caller); });
      answer(*caller);
    }
  });
  return true;
}

void SingleInstance::answer(QLocalSocket& caller) {
  if (!caller.canReadLine()) {
    if (caller.bytesAvailable() > kMostBytes) caller.abort();
    return;
  }
  const QByteArray line = caller.readLine().trimmed();
  if (!line.startsWith("raise")) return caller.abort();
  caller.write("raised\n");
  caller.flush();
  caller.disconnectFromServer();
  const QByteArray token = line.mid(6);
  if (!token.isEmpty()) qputenv(kToken, token);
  Q_EMIT raised();
}

bool SingleInstance::raiseOther(const QString& key) const {
  QLocalSocket socket;
  socket.connectToServer(path(key, ".socket"));
  if (!socket.waitForConnected(kAnswerMilliseconds)) return false;
  socket.write(request());
  return socket.waitForReadyRead(kAnswerMilliseconds) && socket.readAll().startsWith("raised");
}

void SingleInstance::raiseOther(const QString& key, std::function<void(bool)> done) {
  auto* socket = new QLocalSocket(this);
  const auto end = [socket, done = std::move(done)](bool answered) {
    socket->disconnect();
    socket->deleteLater();
    done(answered);
  };
  connect(socket, &QLocalSocket::connected, socket, [socket] { socket->write(request()); });
  connect(socket, &QLocalSocket::readyRead, socket, [socket, end] { end(socket->readAll().startsWith("raised")); });
  connect(socket, &QLocalSocket::errorOccurred, socket, [end] { end(false); });
  QTimer::singleShot(kAnswerMilliseconds, socket, [end] { end(false); });
  socket->connectToServer(path(key, ".socket"));
}

}  // namespace strata
