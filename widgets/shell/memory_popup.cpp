#include "widgets/shell/memory_popup.h"

#include <QHBoxLayout>

#include "widgets/plots/memory_chart.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kWidth = 440;
constexpr int kCurveHeight = 144;

}  // namespace

MemoryPopup::MemoryPopup(Session& session, MemoryLog& log, QWidget* parent)
    : Popup(parent), m_session(session), m_log(log), m_curve(new MemoryChart(this)) {
  setAttribute(Qt::WA_DeleteOnClose);
  named(this, "memory-popup", tr("Memory"));
  content()->addWidget(sectionLabel(tr("Memory of the engine"), this));
  m_bar = named(new MemoryBar(this), "memory-popup-bar", tr("Memory in use"));
  m_bar->setLegendShown(true);
  m_bar->setMinimumWidth(scaled(kWidth));
  content()->addWidget(m_bar);
  m_resident = new Label({}, TextRole::caption, Tone::second, this);
  content()->addWidget(m_resident);
  content()->addSpacing(kGapRelated);
  m_curve->setMinimumHeight(scaled(kCurveHeight));
  content()->addWidget(m_curve);
  content()->addSpacing(kGapRelated);
  content()->addWidget(sectionLabel(tr("Open models"), this));
  m_models = new QVBoxLayout;
  m_models->setSpacing(kGapInside);
  content()->addLayout(m_models);
  m_problem = new Label({}, TextRole::body, Tone::bad, this);
  m_problem->setWordWrap(true);
  m_problem->hide();
  content()->addWidget(m_problem);
  connect(&log, &MemoryLog::changed, this, &MemoryPopup::showNow);
  for (const MemoryPoint& point : log.points()) m_curve->add(point.seconds, point.parts);
  connect(&session.engine(), &EngineClient::loadedChanged, this, &MemoryPopup::fillModels);
  showNow();
  fillModels();
}

void MemoryPopup::showNow() {
  m_bar->setParts(m_log.now());
  m_curve->setVisible(m_log.now().known());
  if (m_log.now().known()) m_curve->add(m_log.seconds(), m_log.now());
  m_resident->setText(m_log.now().known()
                          ? tr("The engine's process as a whole: %1 resident").arg(formatBytes(m_log.resident()))
                          : tr("No memory report yet."));
}

void MemoryPopup::fillModels() {
  while (QLayoutItem* item = m_models->takeAt(0)) {
    if (item->widget()) item->widget()->deleteLater();
    delete item;
  }
  for (const protocol::LoadedModel& model : m_session.engine().loaded()) {
    auto* line = new QWidget(this);
    auto* row = new QHBoxLayout(line);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(kGapRelated);
    const QString name = QString::fromStdString(model.name);
    row->addWidget(new ElidedLabel(name, TextRole::body, Tone::normal, line), 1);
    row->addWidget(new Label(formatBytes(model.weightBytes), TextRole::mono, Tone::normal, line));
    auto* unload = named(makeButton(tr("Unload"), ButtonKind::plain, line), "unload", tr("Unload %1").arg(name));
    unload->setCompact(true);
    row->addWidget(unload);
    connect(unload, &QPushButton::clicked, this, [this, ref = model.ref, unload] {
      unload->setEnabled(false);
      m_session.engine().call<protocol::UnloadModel>({ref}, this, [this](const Result<protocol::Nothing>& answer) {
        if (answer) return;
        m_problem->setText(QString::fromStdString(answer.error().message));
        m_problem->show();
        fillModels();
      });
    });
    m_models->addWidget(line);
  }
  if (m_session.engine().loaded().empty()) {
    m_models->addWidget(captionLabel(tr("None. A model is opened when it is first asked."), this));
  }
  adjustSize();
}

}  // namespace strata
