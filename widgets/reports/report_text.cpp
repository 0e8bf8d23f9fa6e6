#include "widgets/reports/report_text.h"

#include <QRegularExpression>

#include "widgets/style/markdown_document.h"
#include "widgets/style/theme.h"

namespace strata {
ReportText::ReportText(QWidget* parent) : QTextBrowser(parent) {
  setFrameShape(QFrame::NoFrame);
  setOpenLinks(false);
  setOpenExternalLinks(false);
  setTabChangesFocus(true);
  followTheme(this, [this] { fill(); });
}

QVariant ReportText::loadResource(int type, const QUrl& name) {
  Q_UNUSED(type);
  Q_UNUSED(name);
  return QByteArray();
}

void ReportText::doSetSource(const QUrl& name, QTextDocument::ResourceType type) {
  Q_UNUSED(name);
  Q_UNUSED(type);
}

void ReportText::show(const QString& markdown) {
  static const QRegularExpression image(QStringLiteral("!\\[([^\\]]*)\\]\\([^)]*\\)"));
  m_markdown = QString(markdown).replace(image, QStringLiteral("\\1"));
  fill();
}

void ReportText::fill() {
  strata::setMarkdown(*document(), m_markdown);
  moveCursor(QTextCursor::Start);
}

}  // namespace strata
