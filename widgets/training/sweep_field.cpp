#include "widgets/training/sweep_field.h"

#include <QLineEdit>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/style/field.h"
#include "widgets/style/named.h"
#include "widgets/style/switch.h"
#include "widgets/style/tokens.h"

namespace strata {

SweepField::SweepField(QWidget* parent) : QWidget(parent) {
  m_switch = named(new Switch, "sweep", tr("Sweep over the routing probability"));
  m_switch->setText(tr("Sweep over the routing probability"));
  m_switch->setWhatsThis(tr("Queues a run for each probability; all see the same data in the same order."));
  m_line = named(new QLineEdit(QStringLiteral("0, 0.25, 0.5, 0.75")), "sweepValues");
  m_field = new Field(tr("Probabilities"), m_line,
                      tr("A run for each, one after the other, with the same data, order and seed."));
  m_field->hide();
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  column->addWidget(m_switch);
  column->addWidget(m_field);
  connect(m_switch, &Switch::toggled, this, [this](bool on) {
    m_field->setVisible(on);
    follow();
  });
  connect(m_line, &QLineEdit::textEdited, this, &SweepField::follow);
}

std::vector<double> SweepField::values() const {
  std::vector<double> values;
  if (!m_switch->isChecked()) return values;
  for (const QString& each : m_line->text().split(',')) {
    bool isNumber = false;
    const double value = each.trimmed().toDouble(&isNumber);
    if (!isNumber || !(value >= 0 && value <= 1)) return {};
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  return values;
}

QString SweepField::problem() const {
  if (!m_switch->isChecked() || !values().empty()) return {};
  return tr("Give probabilities from 0 to 1, separated by commas.");
}

void SweepField::follow() {
  m_field->setProblem(problem());
  Q_EMIT changed();
}

}  // namespace strata
