#include "widgets/style/state_bar.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QPainter>

#include "widgets/style/button.h"
#include "widgets/style/icons.h"
#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata {

StateBar::StateBar(QWidget* parent)
    : QWidget(parent),
      m_sentence(bodyLabel({}, this)),
      m_action(makeButton({}, ButtonKind::plain, this)),
      m_copy(makeButton(tr("Copy details"), ButtonKind::quiet, this)) {
  setObjectName(QStringLiteral("stateBar"));
  m_sentence->setObjectName(QStringLiteral("stateSentence"));
  m_action->setObjectName(QStringLiteral("stateAction"));
  m_copy->setObjectName(QStringLiteral("stateCopy"));
  m_sentence->setTextInteractionFlags(Qt::TextSelectableByMouse);
  auto* row = new QHBoxLayout(this);
  row->setSpacing(kGapRelated);
  row->addWidget(m_sentence, 1);
  row->addWidget(m_action, 0, Qt::AlignTop);
  row->addWidget(m_copy, 0, Qt::AlignTop);
  followTheme(this, [row] {
    row->setContentsMargins(kGapGroups + metrics().icon + kGapRelated, kGapRelated, kGapGroups, kGapRelated);
  });
  connect(m_action, &Button::clicked, this, [this] {
    const auto action = m_onAction;  // it may show another state, and so replace itself
    if (action) action();
  });
  connect(m_copy, &Button::clicked, this, [this] { QApplication::clipboard()->setText(m_details); });
}

void StateBar::showError(const Error& error, const QString& actionText, std::function<void()> onAction) {
  m_failed = true;
  const QString message = QString::fromStdString(error.message);
  const QString place = QString::fromStdString(error.context);
  m_details = QStringLiteral("%1\n%2: %3").arg(message, QLatin1String(toString(error.code)), place);
  m_copy->show();
  arrange(message, actionText, std::move(onAction));
}

void StateBar::showStale(const QString& from, const QString& actionText, std::function<void()> onAction) {
  m_failed = false;
  m_copy->hide();
  arrange(from, actionText, std::move(onAction));
}

void StateBar::arrange(const QString& sentence, const QString& actionText, std::function<void()> onAction) {
  m_sentence->setText(sentence);
  m_action->setText(actionText);
  m_action->updateGeometry();
  m_action->setVisible(!actionText.isEmpty() && onAction != nullptr);
  m_onAction = std::move(onAction);
  setAccessibleName(sentence);
  update();
}

void StateBar::paintEvent(QPaintEvent*) {
  const Colors& c = colors();
  QPainter painter(this);
  painter.fillRect(rect(), m_failed ? mixed(c.bad, c.surface, c.dark ? 0.16 : 0.08) : c.raised);
  painter.fillRect(QRect(0, 0, kSelectionEdge, height()), m_failed ? c.bad : c.edge);
  painter.fillRect(QRect(0, height() - 1, width(), 1), c.line);
  const int size = metrics().icon;
  // At the first line of the sentence, which is centred in its label.
  const QFontMetrics measure = m_sentence->fontMetrics();
  const QRect wrapped = measure.boundingRect(m_sentence->rect(), Qt::TextWordWrap, m_sentence->text());
  const int first = m_sentence->y() + (m_sentence->height() - wrapped.height()) / 2;
  const int top = first + (measure.height() - size) / 2;
  const QIcon sign = m_failed ? icon(QStringLiteral("exclamation-triangle"), Ink::bad)
                              : icon(QStringLiteral("clock-history"), Ink::second);
  sign.paint(&painter, kGapGroups, top, size, size);
}

}  // namespace strata
