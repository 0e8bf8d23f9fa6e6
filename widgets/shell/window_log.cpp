#include "widgets/shell/window_log.h"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QMutex>

namespace strata {
namespace {

constexpr qint64 kLogBytes = 1 << 20;

const char* name(QtMsgType type) {
  switch (type) {
    case QtDebugMsg:
      return "debug";
    case QtInfoMsg:
      return "info";
    case QtWarningMsg:
      return "warning";
    case QtCriticalMsg:
      return "critical";
    case QtFatalMsg:
      return "fatal";
  }
  return "message";
}

void write(QtMsgType type, const QMessageLogContext&, const QString& message) {
  static QMutex mutex;
  const QMutexLocker locker(&mutex);
  const QByteArray line = QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs).toUtf8() + ' ' + name(type) +
                          ": " + message.toUtf8() + '\n';
  if (type != QtDebugMsg) fputs(line.constData(), stderr);
  // Opened anew for each message: they are rare, and nothing is left unwritten when the process dies.
  QFile file(windowLogPath());
  if (file.open(QIODevice::Append)) file.write(line);
}

}  // namespace

QString windowLogPath() {
  QString state = qEnvironmentVariable("XDG_STATE_HOME");
  if (state.isEmpty()) state = QDir::homePath() + "/.local/state";
  return state + "/strata/workbench.log";
}

void startWindowLog() {
  const QString path = windowLogPath();
  QDir().mkpath(QFileInfo(path).path());
  if (QFileInfo(path).size() > kLogBytes) {
    QFile::remove(path + ".1");
    QFile::rename(path, path + ".1");
  }
  qInstallMessageHandler(write);
}

}  // namespace strata
