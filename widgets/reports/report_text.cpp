#include "widgets/reports/report_text.h"

#include <QFontDatabase>
#include <QRegularExpression>
#include <QTextBlock>
#include <QTextDocument>
#include <QTextTable>
#include <vector>

#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kDocumentMargin = 16;

}  // namespace

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
  document()->setDefaultFont(fonts().body);
  document()->setMarkdown(
      m_markdown, static_cast<QTextDocument::MarkdownFeatures>(static_cast<int>(QTextDocument::MarkdownDialectGitHub) |
                                                               static_cast<int>(QTextDocument::MarkdownNoHTML)));
  document()->setDocumentMargin(kDocumentMargin);
  styleBlocks();
  styleTables();
  moveCursor(QTextCursor::Start);
}

/// Only the window's fonts and sizes.
void ReportText::styleBlocks() {
  const QString fixed = QFontDatabase::systemFont(QFontDatabase::FixedFont).family();
  QTextCursor cursor(document());
  for (QTextBlock block = document()->begin(); block.isValid(); block = block.next()) {
    const int level = block.blockFormat().headingLevel();
    const bool isCode = block.blockFormat().hasProperty(QTextFormat::BlockCodeFence) ||
                        block.blockFormat().hasProperty(QTextFormat::BlockCodeLanguage) ||
                        block.blockFormat().nonBreakableLines();
    QTextBlockFormat format = block.blockFormat();
    format.setTopMargin(level > 0 ? kGapGroups : 0);
    format.setBottomMargin(isCode ? 0 : kGapRelated);
    format.setNonBreakableLines(false);
    cursor.setPosition(block.position());
    cursor.setBlockFormat(format);
    std::vector<QTextFragment> fragments;
    for (auto at = block.begin(); !at.atEnd(); ++at) fragments.push_back(at.fragment());
    for (const QTextFragment& fragment : fragments) {
      QTextCharFormat text = fragment.charFormat();
      const bool isFixed = isCode || text.fontFamilies().toStringList().contains(fixed);
      QFont font = isFixed      ? fonts().mono
                   : level == 1 ? fonts().title
                   : level == 2 ? fonts().section
                   : level > 2  ? fonts().strong
                                : fonts().body;
      if (level == 0 && text.fontWeight() > QFont::Normal) font.setWeight(QFont::DemiBold);
      if (text.fontItalic()) font.setItalic(true);
      text.clearProperty(QTextFormat::FontSizeAdjustment);
      text.setFont(font);
      text.setForeground(colors().text);
      text.setFontUnderline(false);
      cursor.setPosition(fragment.position());
      cursor.setPosition(fragment.position() + fragment.length(), QTextCursor::KeepAnchor);
      cursor.setCharFormat(text);
      cursor.clearSelection();
    }
  }
}

void ReportText::styleTables() {
  const QList<QTextFrame*> frames = document()->rootFrame()->childFrames();
  for (QTextFrame* frame : frames) {
    auto* table = qobject_cast<QTextTable*>(frame);
    if (table == nullptr) continue;
    QTextTableFormat format = table->format();
    format.setBorder(0);
    format.setCellSpacing(0);
    format.setCellPadding(kGapInside);
    format.setTopMargin(kGapInside);
    format.setBottomMargin(kGapGroups);
    table->setFormat(format);
    for (int column = 0; column < table->columns(); ++column) {
      QTextTableCell head = table->cellAt(0, column);
      QTextCharFormat text = head.format();
      text.setBackground(colors().raised);
      head.setFormat(text);
    }
  }
}

}  // namespace strata
