#include "widgets/shell/engine_popup.h"

#include <QHBoxLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScrollBar>

#include "widgets/shell/engine_command.h"
#include "widgets/style/controls.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kWidth = 460;
constexpr int kLogLines = 8;

}  // namespace

QString engineStateText(const EngineClient& engine) {
  const QString host = engine.remote() ? QString::fromStdString(engine.engine().host) : QString();
  switch (engine.state()) {
    case EngineClient::State::off:
      return EnginePopup::tr("Engine off");
    case EngineClient::State::starting:
      return EnginePopup::tr("Engine starting");
    case EngineClient::State::ready:
      return host.isEmpty() ? EnginePopup::tr("Engine ready") : EnginePopup::tr("Engine ready on %1").arg(host);
    case EngineClient::State::restarting:
      return EnginePopup::tr("Engine restarting");
    case EngineClient::State::failed:
      return EnginePopup::tr("Engine cannot be started");
  }
  return {};
}

EnginePopup::EnginePopup(Session& session, QWidget* parent) : Popup(parent), m_session(session) {
  setAttribute(Qt::WA_DeleteOnClose);
  named(this, "engine-popup", tr("Engine"));
  m_state = named(sectionLabel({}, this), "engine-popup-state");
  m_details = captionLabel({}, this);
  m_details->setMinimumWidth(scaled(kWidth));
  m_restart = named(makeButton(tr("Restart"), ButtonKind::plain, this), "engine-restart", tr("Restart the engine"));
  m_logToggle = named(makeButton(tr("Show the log"), ButtonKind::quiet, this), "engine-log-toggle");
  m_logToggle->setCheckable(true);
  m_log = named(new QPlainTextEdit(this), "engine-log", tr("Log of the engine"));
  m_log->setReadOnly(true);
  m_log->setWhatsThis(tr("What the engine wrote, the newest last."));
  m_log->setFont(fontOf(TextRole::mono));
  m_log->setMinimumHeight(kLogLines * metrics().compactRow);
  m_log->hide();
  m_command = named(new QLineEdit(commandText(session.engine().command()), this), "engine-command");
  m_command->setFont(fontOf(TextRole::mono));
  auto* use = named(makeButton(tr("Start this one"), ButtonKind::plain, this), "engine-use-command");

  auto* row = new QHBoxLayout;
  row->setSpacing(kGapRelated);
  row->addWidget(m_restart);
  row->addWidget(m_logToggle);
  row->addStretch();
  content()->addWidget(m_state);
  content()->addWidget(m_details);
  content()->addLayout(row);
  content()->addWidget(m_log, 1);
  content()->addSpacing(kGapRelated);
  content()->addWidget(
      new Field(tr("Command"), m_command,
                tr("On another machine: ssh gpu-box strata engine. Empty: the strata of this machine."), this));
  content()->addWidget(use, 0, Qt::AlignLeft);

  connect(m_restart, &QPushButton::clicked, this, [this] { m_session.engine().restart(); });
  connect(m_logToggle, &QPushButton::toggled, this, [this](bool shown) {
    m_log->setVisible(shown);
    m_logToggle->setText(shown ? tr("Hide the log") : tr("Show the log"));
    showState();
    adjustSize();
  });
  const auto choose = [this] {
    m_session.useEngine(m_command->text().trimmed());
    close();
  };
  connect(use, &QPushButton::clicked, this, choose);
  connect(m_command, &QLineEdit::returnPressed, this, choose);
  connect(&session.engine(), &EngineClient::stateChanged, this, &EnginePopup::showState);
  showState();
}

void EnginePopup::showState() {
  const EngineClient& engine = m_session.engine();
  m_state->setText(engineStateText(engine));
  if (!engine.problem().isEmpty()) {
    m_details->setText(engine.problem());
  } else if (engine.ready()) {
    const auto& answer = engine.engine();
    m_details->setText(tr("Version %1 on %2. Threads: %3.")
                           .arg(QString::fromStdString(answer.version), QString::fromStdString(answer.host))
                           .arg(answer.threads));
  } else {
    m_details->setText(tr("Requests wait until the engine is ready."));
  }
  if (m_logToggle->isChecked()) {
    const QString log = engine.log();
    m_log->setPlainText(log.isEmpty() ? tr("The engine has written nothing.") : log);
    m_log->verticalScrollBar()->setValue(m_log->verticalScrollBar()->maximum());
  }
}

}  // namespace strata
