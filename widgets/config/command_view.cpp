#include "widgets/config/command_view.h"

#include <QAbstractTextDocumentLayout>
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QTextBlock>
#include <QtMath>
#include <algorithm>

#include "widgets/style/button.h"
#include "widgets/style/theme.h"

namespace strata {

CommandView::CommandView(QWidget* parent)
    : QWidget(parent),
      m_text(new QPlainTextEdit(this)),
      m_copy(makeIconButton(QStringLiteral("copy"), tr("Copy command line"), {}, this)) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kGapRelated);
  row->addWidget(m_text, 1);
  row->addWidget(m_copy, 0, Qt::AlignTop);
  m_text->setObjectName(QStringLiteral("command-line"));
  m_text->setReadOnly(true);
  m_text->setTabChangesFocus(true);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  m_text->setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
  m_text->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_text->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_text->setAccessibleName(tr("Command line"));
  m_text->setWhatsThis(tr("The command that does the same in a terminal. Options at their defaults are left out."));
  m_copy->setObjectName(QStringLiteral("copy-command"));
  connect(m_copy, &Button::clicked, this, [this] { QApplication::clipboard()->setText(command()); });
  m_text->viewport()->installEventFilter(this);
  followTheme(this, [this] {
    m_text->setFont(fonts().mono);
    fit();
  });
}

void CommandView::setCommand(const QString& command) {
  if (command == this->command()) return;
  m_text->setPlainText(command);
  fit();
}

void CommandView::setPurpose(const QString& name, const QString& copyName, const QString& help) {
  m_text->setAccessibleName(name);
  m_text->setWhatsThis(help);
  m_copy->setAccessibleName(copyName);
  m_copy->setToolTip(copyName);
}

void CommandView::fit() {
  const QTextDocument& document = *m_text->document();
  qreal lines = 0;
  for (QTextBlock block = document.firstBlock(); block.isValid(); block = block.next()) {
    lines += document.documentLayout()->blockBoundingRect(block).height();
  }
  const int frame = m_text->height() - m_text->viewport()->height();
  // The document's margin is above and below; one pixel more, as a part of one counts as a line that does not fit.
  const int needed = qCeil(lines + 2 * document.documentMargin()) + frame + 1;
  m_text->setFixedHeight(std::max(metrics().control, needed));
}

/// The text is wrapped anew once its own view has another width, which is after the layout has given it one.
bool CommandView::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_text->viewport() && event->type() == QEvent::Resize)
    QMetaObject::invokeMethod(this, &CommandView::fit, Qt::QueuedConnection);
  return QWidget::eventFilter(watched, event);
}

}  // namespace strata
