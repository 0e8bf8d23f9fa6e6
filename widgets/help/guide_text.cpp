#include "widgets/help/guide_text.h"

#include <QAbstractTextDocumentLayout>
#include <QImage>
#include <QResizeEvent>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextTable>
#include <algorithm>

#include "widgets/style/markdown_document.h"
#include "widgets/style/theme.h"

namespace strata {

GuideText::GuideText(const Guide& guide, QWidget* parent) : QTextBrowser(parent), m_guide(guide) {
  setFrameShape(QFrame::NoFrame);
  setOpenLinks(false);
  setOpenExternalLinks(false);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);  // the width stays while a page is filled in
  followTheme(this, [this] { fill(); });
}

/// A picture of the guide in the theme's own version, as wide as there is room; never wider than it is.
QVariant GuideText::loadResource(int type, const QUrl& name) {
  if (type != QTextDocument::ImageResource || !name.isRelative()) return QByteArray();
  const QString file = m_guide.folder() + QLatin1Char('/') + name.path();
  QString dark = file;
  dark.replace(QStringLiteral(".png"), QStringLiteral("-dark.png"));
  QImage image;
  if (!colors().dark || !image.load(dark)) image.load(file);
  if (image.isNull()) return QByteArray();
  const qreal scale = devicePixelRatioF();
  const int room = viewport()->width() - 2 * static_cast<int>(document()->documentMargin());
  const int width = std::min(static_cast<int>(room * scale), image.width());
  if (width > 0 && width < image.width()) image = image.scaledToWidth(width, Qt::SmoothTransformation);
  image.setDevicePixelRatio(scale);
  return image;
}

void GuideText::doSetSource(const QUrl& name, QTextDocument::ResourceType type) {
  Q_UNUSED(name);
  Q_UNUSED(type);
}

void GuideText::show(const GuidePage& page, const QString& anchor) {
  m_markdown = page.markdown;
  fill();
  scrollToHeading(anchor);
}

void GuideText::fill() {
  if (m_filling) return;  // a document that is being replaced may resize its view
  m_filling = true;
  m_width = viewport()->width();
  strata::setMarkdown(*document(), m_markdown, Links::shown);
  // Lines of text stay readable in a wide window; tables and pictures take the room there is.
  const int spare = m_width - 2 * static_cast<int>(document()->documentMargin()) - scaled(metrics().textWidth);
  QTextCursor cursor(document());
  for (QTextBlock block = document()->begin(); spare > 0 && block.isValid(); block = block.next()) {
    cursor.setPosition(block.position());
    const bool isPicture = !block.begin().atEnd() && block.begin().fragment().charFormat().isImageFormat();
    if (isPicture || cursor.currentTable() != nullptr) continue;
    QTextBlockFormat format = block.blockFormat();
    format.setRightMargin(spare);
    cursor.setBlockFormat(format);
  }
  moveCursor(QTextCursor::Start);
  m_filling = false;
}

void GuideText::resizeEvent(QResizeEvent* event) {
  QTextBrowser::resizeEvent(event);
  if (viewport()->width() == m_width) return;
  const int range = verticalScrollBar()->maximum(), at = verticalScrollBar()->value();
  fill();
  if (range > 0) verticalScrollBar()->setValue(at * verticalScrollBar()->maximum() / range);
}

void GuideText::scrollToHeading(const QString& anchor) {
  verticalScrollBar()->setValue(0);
  if (anchor.isEmpty()) return;
  for (QTextBlock block = document()->begin(); block.isValid(); block = block.next()) {
    if (block.blockFormat().headingLevel() == 0 || Guide::anchorOf(block.text()) != anchor) continue;
    verticalScrollBar()->setValue(static_cast<int>(document()->documentLayout()->blockBoundingRect(block).top()));
    setTextCursor(QTextCursor(block));
    return;
  }
}

}  // namespace strata
