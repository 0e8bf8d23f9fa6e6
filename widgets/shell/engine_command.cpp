#include "widgets/shell/engine_command.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QProcess>
#include <QStandardPaths>

namespace strata {

bool runsElsewhere(const QString& program) {
  static const QStringList kCarriers = {"ssh", "autossh", "docker", "podman", "kubectl", "srun"};
  return kCarriers.contains(QFileInfo(program).fileName());
}

EngineClient::Command localEngine() {
  const QString beside = QCoreApplication::applicationDirPath();
  QString program = QStandardPaths::findExecutable("strata", {beside});
  if (program.isEmpty()) program = QStandardPaths::findExecutable("strata");
  // Where there is none, starting it fails, and the client says so by this name.
  if (program.isEmpty()) program = "strata";
  return {program, {"engine"}, false};
}

EngineClient::Command engineCommand(const QStringList& words) {
  if (words.isEmpty()) return localEngine();
  return {words.first(), words.mid(1), runsElsewhere(words.first())};
}

EngineClient::Command engineCommand(const QString& text) {
  return engineCommand(QProcess::splitCommand(text));
}

QString commandText(const EngineClient::Command& command) {
  QStringList words = QStringList{command.program} + command.arguments;
  for (QString& word : words) {
    if (word.contains(' ') || word.isEmpty()) word = '"' + word.replace('"', "\"\"\"") + '"';
  }
  return words.join(' ');
}

}  // namespace strata
