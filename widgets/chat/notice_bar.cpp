#include "widgets/chat/notice_bar.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <utility>

#include "widgets/style/controls.h"
#include "widgets/style/theme.h"

namespace strata {

NoticeBar::NoticeBar(QWidget* parent) : Pane(Ground::raised, parent) {
  setObjectName("chatNotice");
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(kGapGroups, kGapInside, kGapRelated, kGapInside);
  row->setSpacing(kGapRelated);
  m_sentence = new ElidedLabel({}, TextRole::body, Tone::normal, this);
  m_sentence->setObjectName("chatNoticeText");
  row->addWidget(m_sentence, 1);
  m_action = makeButton({}, ButtonKind::link, this);
  m_action->setCompact(true);
  m_action->setObjectName("chatNoticeAction");
  row->addWidget(m_action);
  Button* close = makeIconButton("x-lg", tr("Close this message"), {}, this);
  close->setCompact(true);
  close->setObjectName("chatNoticeClose");
  row->addWidget(close);
  connect(close, &QPushButton::clicked, this, &QWidget::hide);
  connect(m_action, &QPushButton::clicked, this, [this] {
    hide();
    if (const auto action = std::exchange(m_onAction, {})) action();
  });
  hide();
}

void NoticeBar::show(const QString& sentence, const QString& action, std::function<void()> onAction) {
  m_sentence->setText(sentence);
  m_action->setText(action);
  m_action->setVisible(!action.isEmpty());
  m_onAction = std::move(onAction);
  setAccessibleName(sentence);
  QWidget::show();
  QAccessibleEvent alert(this, QAccessible::Alert);
  QAccessible::updateAccessibility(&alert);
}

QString NoticeBar::sentence() const {
  return m_sentence->text();
}

}  // namespace strata
