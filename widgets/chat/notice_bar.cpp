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
  for (std::size_t i = 0; i < m_buttons.size(); ++i) {
    Button* button = m_buttons[i] = makeButton({}, ButtonKind::link, this);
    button->setCompact(true);
    button->setObjectName(i == 0 ? "chatNoticeAction" : "chatNoticeOther");
    row->addWidget(button);
    connect(button, &QPushButton::clicked, this, [this, i] {
      hide();
      const std::vector<Action> actions = std::exchange(m_actions, {});
      if (i < actions.size()) actions[i].act();
    });
  }
  Button* close = makeIconButton("x-lg", tr("Close this message"), {}, this);
  close->setCompact(true);
  close->setObjectName("chatNoticeClose");
  row->addWidget(close);
  connect(close, &QPushButton::clicked, this, &QWidget::hide);
  hide();
}

void NoticeBar::show(const QString& sentence, const QString& action, std::function<void()> onAction) {
  offer(sentence, action.isEmpty() ? std::vector<Action>() : std::vector<Action>{{action, std::move(onAction)}});
}

void NoticeBar::offer(const QString& sentence, const std::vector<Action>& actions) {
  m_sentence->setText(sentence);
  m_actions = actions;
  for (std::size_t i = 0; i < m_buttons.size(); ++i) {
    m_buttons[i]->setText(i < actions.size() ? actions[i].text : QString());
    m_buttons[i]->setVisible(i < actions.size());
  }
  setAccessibleName(sentence);
  QWidget::show();
  QAccessibleEvent alert(this, QAccessible::Alert);
  QAccessible::updateAccessibility(&alert);
}

QString NoticeBar::sentence() const {
  return m_sentence->text();
}

}  // namespace strata
