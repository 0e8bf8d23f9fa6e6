#include "widgets/style/field.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/style/icons.h"
#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

// The sign beside a problem: a colour alone would not say it.
class Sign : public QWidget {
 public:
  using QWidget::QWidget;
  QSize sizeHint() const override { return {scaled(12), fonts().caption.pixelSize() + kGapInside}; }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    const int size = scaled(12);
    icon(QStringLiteral("exclamation-circle"), Ink::bad).paint(&painter, 0, (height() - size) / 2, size, size);
  }
};

/// As high as the text below needs where the field is as wide as it may be: a wider place does not make it lower.
class FieldLayout : public QVBoxLayout {
 public:
  using QVBoxLayout::QVBoxLayout;
  int heightForWidth(int width) const override { return QVBoxLayout::heightForWidth(atMost(width)); }
  int minimumHeightForWidth(int width) const override { return QVBoxLayout::minimumHeightForWidth(atMost(width)); }

 private:
  int atMost(int width) const { return std::min(width, parentWidget()->maximumWidth()); }
};

}  // namespace

Field::Field(const QString& label, QWidget* control, const QString& reason, QWidget* parent)
    : QWidget(parent),
      m_label(new Label(label, TextRole::body, Tone::normal, this)),
      m_head(new QHBoxLayout),
      m_control(control),
      m_below(captionLabel({}, this)),
      m_sign(new Sign(this)),
      m_reason(reason),
      m_ownHelp(!named()->whatsThis().isEmpty()) {
  auto* column = new FieldLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapInside);
  column->addLayout(m_head);
  m_head->addWidget(m_label, 1);
  column->addWidget(control);
  auto* below = new QHBoxLayout;
  below->setSpacing(kGapInside);
  below->addWidget(m_sign, 0, Qt::AlignTop);
  below->addWidget(m_below, 1);
  column->addLayout(below);
  column->addStretch(1);  // beside a higher field it stays at the top
  m_sign->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  m_label->setBuddy(named());
  if (named()->accessibleName().isEmpty()) named()->setAccessibleName(label);
  followTheme(this, [this] { setMaximumWidth(metrics().fieldWidth); });
  showBelow();
}

void Field::setLabel(const QString& label) {
  m_label->setText(label);
  named()->setAccessibleName(label);
}

QWidget* Field::named() const {
  return m_control->focusProxy() != nullptr ? m_control->focusProxy() : m_control;
}

void Field::setCorner(QWidget* corner) {
  QSizePolicy policy = corner->sizePolicy();
  policy.setRetainSizeWhenHidden(true);
  corner->setSizePolicy(policy);
  m_head->addWidget(corner);
}

void Field::setReason(const QString& reason) {
  m_reason = reason;
  showBelow();
}

void Field::setProblem(const QString& problem) {
  if (problem == m_problem) return;
  m_problem = problem;
  showBelow();
}

void Field::showBelow() {
  const QString& sentence = m_problem.isEmpty() ? m_reason : m_problem;
  m_below->setText(sentence);
  m_below->setTone(m_problem.isEmpty() ? Tone::second : Tone::bad);
  m_below->setVisible(!sentence.isEmpty());
  m_sign->setVisible(!m_problem.isEmpty());
  named()->setAccessibleDescription(sentence);
  if (!m_ownHelp) named()->setWhatsThis(m_reason.isEmpty() ? named()->toolTip() : m_reason);
}

}  // namespace strata
