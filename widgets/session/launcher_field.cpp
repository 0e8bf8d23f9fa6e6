#include "widgets/session/launcher_field.h"

#include <QLineEdit>

#include "widgets/session/session.h"
#include "widgets/style/named.h"

namespace strata {

LauncherField::LauncherField(Session& session, const char* name, QWidget* parent)
    : LauncherField(session, new QLineEdit, name, parent) {}

LauncherField::LauncherField(Session& session, QLineEdit* line, const char* name, QWidget* parent)
    : Field(tr("Launcher for training"), strata::named(line, name, tr("Launcher for training")),
            tr("A command that starts training several times, once for each device: mpirun or srun with its options. "
               "Kept for you on the engine's machine, not in the project. Empty: one process."),
            parent),
      m_session(session),
      m_line(line) {
  setObjectName(QString(name) + "Field");
  m_line->setPlaceholderText(QStringLiteral("mpirun -np 8"));
  connect(m_line, &QLineEdit::editingFinished, this, &LauncherField::store);
  connect(&m_session, &Session::projectChanged, this, &LauncherField::showStored);
  connect(&m_session.engine(), &EngineClient::stateChanged, this, &LauncherField::showStored);
  connect(&m_session, &Session::launcherChanged, this, &LauncherField::showStored);
  showStored();
}

void LauncherField::showStored() {
  const auto& project = m_session.project();
  m_line->setEnabled(project.has_value() && m_session.engine().ready());
  if (!m_line->hasFocus()) m_line->setText(project ? QString::fromStdString(project->launcher) : QString());
}

void LauncherField::store() {
  const std::string launcher = m_line->text().trimmed().toStdString();
  if (!m_session.project() || m_session.project()->launcher == launcher) return setProblem({});
  m_session.engine().call<protocol::SetLauncher>({launcher}, this, [this](const Result<protocol::ProjectInfo>& answer) {
    setProblem(answer ? QString() : QString::fromStdString(answer.error().message));
    if (answer) m_session.setProjectModels(*answer);
  });
}

}  // namespace strata
