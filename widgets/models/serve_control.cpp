#include "widgets/models/serve_control.h"

#include <QClipboard>
#include <QGridLayout>
#include <QGuiApplication>
#include <algorithm>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {

ServeControl::ServeControl(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_switch(new Switch(tr("Serve"), parent)),
      m_count(captionLabel(QString(), this)) {
  setObjectName("serveControl");
  setAccessibleName(tr("Serving over HTTP"));
  m_switch->setObjectName("serveSwitch");
  m_switch->setAccessibleName(tr("Serve the model over HTTP"));
  m_switch->setToolTip(tr("Answers requests of OpenAI's form, to this machine alone"));
  m_count->setObjectName("serveCount");

  auto* grid = new QGridLayout(this);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setHorizontalSpacing(kGapGroups);
  grid->setVerticalSpacing(kGapInside);
  int row = 0;
  const auto add = [&](const QString& name, const char* objectName) {
    auto* value = new ElidedLabel(QString(), TextRole::mono, Tone::normal, this);
    value->setObjectName(objectName);
    value->setElideMode(Qt::ElideMiddle);
    auto* copy = makeIconButton("copy", tr("Copy: %1").arg(name), {}, this);
    copy->setObjectName(QString(objectName) + "Copy");
    connect(copy, &QPushButton::clicked, this, [value] { QGuiApplication::clipboard()->setText(value->text()); });
    grid->addWidget(new Label(name, TextRole::body, Tone::second, this), row, 0);
    grid->addWidget(value, row, 1);
    grid->addWidget(copy, row, 2);
    ++row;
    return value;
  };
  m_url = add(tr("Address"), "serveUrl");
  m_token = add(tr("Token"), "serveToken");
  m_model = add(tr("Model"), "serveModel");
  grid->addWidget(m_count, row, 1);
  grid->setColumnStretch(1, 1);

  connect(m_switch, &QCheckBox::clicked, this, &ServeControl::turn);
  m_session.engine().on<protocol::ServeChanged>(this, [this](const protocol::ServeChanged& state) {
    // While a start is under way its answer tells which name is new.
    if (!m_asking) take(state);
  });
  connect(&m_session.engine(), &EngineClient::stateChanged, this, [this] {
    // The server lives in the engine and ends with it.
    if (!m_session.engine().ready()) take({});
  });
  refresh();
}

void ServeControl::setModel(const protocol::ModelRef& ref) {
  m_ref = ref;
  refresh();
}

std::string ServeControl::servedName() const {
  const auto serves = [&](const std::string& name) {
    return std::find(m_state.models.begin(), m_state.models.end(), name) != m_state.models.end();
  };
  if (!m_state.on) return {};
  for (const auto& [ref, name] : m_started) {
    if (ref == m_ref) return serves(name) ? name : std::string();
  }
  const std::string name = Session::shortName(m_ref).toStdString();
  return serves(name) ? name : std::string();
}

/// The server gives a model a name unlike the others: it is the one that was not there before.
void ServeControl::noteStarted(const protocol::ModelRef& ref, const protocol::ServeState& state) {
  std::erase_if(m_started, [&](const auto& known) { return known.first == ref; });
  for (const std::string& name : state.models) {
    if (std::find(m_state.models.begin(), m_state.models.end(), name) == m_state.models.end()) {
      m_started.emplace_back(ref, name);
      return;
    }
  }
}

void ServeControl::turn(bool on) {
  m_asking = true;
  const protocol::ModelRef ref = m_ref;
  const auto answered = [this, on, ref](const Result<protocol::ServeState>& answer) {
    m_asking = false;
    if (!answer) {
      if (answer.error().code != ErrorCode::cancelled) Q_EMIT failed(answer.error());
      return refresh();
    }
    if (!answer->problem.empty()) Q_EMIT failed(Error{ErrorCode::io, answer->problem, ""});
    if (on) noteStarted(ref, *answer);
    take(*answer);
  };
  if (on) {
    protocol::StartServing::Params params;
    params.models = {ref};
    m_session.engine().call<protocol::StartServing>(params, this, answered);
  } else {
    m_session.engine().call<protocol::StopServing>({servedName()}, this, answered);
  }
  refresh();
}

void ServeControl::take(const protocol::ServeState& state) {
  m_state = state;
  refresh();
}

void ServeControl::refresh() {
  const std::string name = servedName();
  const bool on = !name.empty();
  m_switch->setEnabled(!m_asking && !m_ref.model.empty());
  if (!m_asking) m_switch->setChecked(on);
  setVisible(on);
  if (!on) return;
  m_url->setText(QString::fromStdString(m_state.url));
  m_token->setText(QString::fromStdString(m_state.token));
  m_model->setText(QString::fromStdString(name));
  m_count->setText(tr("%1 answered, %2 being answered. NAME@MAP names a map: %3@retention:.5")
                       .arg(formatCount(m_state.requests), formatCount(m_state.active), m_model->text()));
}

}  // namespace strata
