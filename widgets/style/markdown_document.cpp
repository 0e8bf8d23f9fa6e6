#include "widgets/style/markdown_document.h"

#include <QFontDatabase>
#include <QTextBlock>
#include <QTextDocument>
#include <QTextTable>
#include <vector>

#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kDocumentMargin = 16;

bool isCodeBlock(const QTextBlock& block) {
  const QTextBlockFormat format = block.blockFormat();
  return format.hasProperty(QTextFormat::BlockCodeFence) || format.hasProperty(QTextFormat::BlockCodeLanguage) ||
         format.nonBreakableLines();
}

struct Piece {
  int position, length;
  QTextCharFormat format;
};

/// Only the window's fonts and sizes.
void styleBlocks(QTextDocument& document, Links links) {
  const QString fixed = QFontDatabase::systemFont(QFontDatabase::FixedFont).family();
  std::vector<bool> code;  // before the formats change
  for (QTextBlock block = document.begin(); block.isValid(); block = block.next()) code.push_back(isCodeBlock(block));
  code.push_back(false);
  QTextCursor cursor(&document);
  std::size_t number = 0;
  for (QTextBlock block = document.begin(); block.isValid(); block = block.next(), ++number) {
    const int level = block.blockFormat().headingLevel();
    const bool isCode = code[number], codeGoesOn = isCode && code[number + 1];
    QTextBlockFormat format = block.blockFormat();
    format.setTopMargin(level > 0 ? kGapGroups : 0);
    format.setBottomMargin(codeGoesOn ? 0 : kGapRelated);
    format.setNonBreakableLines(false);
    if (isCode) format.setBackground(colors().raised);
    cursor.setPosition(block.position());
    cursor.setBlockFormat(format);
    std::vector<Piece> pieces;  // formats that become equal make fragments one
    for (auto at = block.begin(); !at.atEnd(); ++at) {
      pieces.push_back({at.fragment().position(), at.fragment().length(), at.fragment().charFormat()});
    }
    for (const Piece& piece : pieces) {
      QTextCharFormat text = piece.format;
      if (text.isImageFormat()) continue;
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
      const bool isLink = links == Links::shown && text.isAnchor();
      text.setForeground(isLink ? colors().accent : colors().text);
      text.setFontUnderline(isLink);
      cursor.setPosition(piece.position);
      cursor.setPosition(piece.position + piece.length, QTextCursor::KeepAnchor);
      cursor.setCharFormat(text);
      cursor.clearSelection();
    }
  }
}

void styleTables(QTextDocument& document) {
  const QList<QTextFrame*> frames = document.rootFrame()->childFrames();
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
      if (table->rows() < 2) continue;
      // Qt itself aligns the body alone.
      QTextBlockFormat aligned;
      aligned.setAlignment(table->cellAt(1, column).firstCursorPosition().blockFormat().alignment());
      head.firstCursorPosition().mergeBlockFormat(aligned);
    }
  }
}

}  // namespace

void setMarkdown(QTextDocument& document, const QString& markdown, Links links) {
  document.setDefaultFont(fonts().body);
  document.setMarkdown(
      markdown, static_cast<QTextDocument::MarkdownFeatures>(static_cast<int>(QTextDocument::MarkdownDialectGitHub) |
                                                             static_cast<int>(QTextDocument::MarkdownNoHTML)));
  document.setDocumentMargin(kDocumentMargin);
  styleBlocks(document, links);
  styleTables(document);
}

}  // namespace strata
