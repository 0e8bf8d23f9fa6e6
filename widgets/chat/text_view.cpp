#include "widgets/chat/text_view.h"

#include <QAbstractTextDocumentLayout>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QMenu>
#include <QScrollBar>
#include <QTextBlock>
#include <QToolTip>
#include <algorithm>

#include "widgets/chat/safe_text.h"
#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

int s_resourcesAsked = 0;

}  // namespace

TextView::TextView(QWidget* parent) : QTextBrowser(parent) {
  setFrameShape(QFrame::NoFrame);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
  setOpenLinks(false);
  setUndoRedoEnabled(false);
  setTabChangesFocus(true);
  setMouseTracking(true);
  viewport()->setMouseTracking(true);
  viewport()->setAutoFillBackground(false);
  setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  document()->setDocumentMargin(0);
  followTheme(this, [this] { restyle(); });
}

QVariant TextView::loadResource(int, const QUrl&) {
  ++s_resourcesAsked;
  return {};
}

int TextView::resourcesAsked() {
  return s_resourcesAsked;
}

void TextView::doSetSource(const QUrl&, QTextDocument::ResourceType) {}

void TextView::restyle() {
  document()->setDefaultFont(fonts().body);
  setFont(fonts().body);
  if (m_plainSource >= 0) {
    const QString text = m_plain;
    startPlain(m_plainSource);
    appendPlain(text);
  } else {
    fill(m_piece);
  }
}

void TextView::show(const Piece& piece) {
  m_plainSource = -1;
  m_piece = piece;
  fill(piece);
}

void TextView::startPlain(qsizetype source) {
  m_plainSource = source;
  m_plain.clear();
  m_runs.clear();
  document()->clear();
}

void TextView::appendPlain(const QString& text) {
  QTextCursor cursor(document());
  cursor.movePosition(QTextCursor::End);
  m_plain += text;
  findEndless(text.size() < kLongWord ? m_plain.right(2 * kLongWord) : text);
  // Line ends become blocks, one character each: document and answer run side by side.
  m_runs = {{0, m_plainSource, static_cast<int>(m_plain.size())}};
  QTextCharFormat format;
  format.setFont(fitting(fonts().body));
  format.setForeground(colors().text);
  cursor.insertText(text, format);
}

/// Qt looks through the whole rest of a word for each of its lines, and HarfBuzz through what it might be joined to:
/// one without end is broken at any character and drawn letter by letter instead.
void TextView::findEndless(const QString& text) {
  int run = 0;
  for (const QChar unit : text) {
    run = unit.isSpace() ? 0 : run + 1;
    if (run < kLongWord) continue;
    if (!m_endless) setWordWrapMode(QTextOption::WrapAnywhere);
    m_endless = true;
    return;
  }
}

QFont TextView::fitting(const QFont& font) const {
  QFont fitted = font;
  if (m_endless) fitted.setStyleStrategy(QFont::PreferNoShaping);
  return fitted;
}

void TextView::fill(const Piece& piece) {
  document()->clear();
  m_runs.clear();
  for (const TextBlock& block : piece.blocks) {
    for (const Span& span : block.spans) findEndless(span.text);
  }
  QTextCursor whole(document());
  whole.beginEditBlock();  // one layout, not one a span
  bool first = true;
  for (const TextBlock& block : piece.blocks) {
    insertBlock(block, first);
    first = false;
  }
  whole.endEditBlock();
  applyMarks();
}

void TextView::insertBlock(const TextBlock& block, bool first) {
  QTextCursor cursor(document());
  cursor.movePosition(QTextCursor::End);
  QTextBlockFormat format;
  const bool tight = block.continues || block.kind == TextBlock::Kind::item || block.kind == TextBlock::Kind::tableRow;
  format.setTopMargin(first || tight ? 0 : kGapRelated);
  format.setLeftMargin(block.indent * kGapGroups);
  format.setLineHeight(scaled(kLineBody), QTextBlockFormat::MinimumHeight);
  if (block.quoted) format.setBackground(colors().raised);
  if (block.kind == TextBlock::Kind::rule) {
    format.setProperty(QTextFormat::BlockTrailingHorizontalRulerWidth, QVariant());
  }
  if (first) {
    cursor.setBlockFormat(format);
  } else {
    cursor.insertBlock(format);
  }
  if (block.kind == TextBlock::Kind::rule) insertSpan({QString(12, QChar(0x2014))}, block);
  if (!block.marker.isEmpty()) insertSpan({block.marker + ' '}, block);
  for (const Span& span : block.spans) insertSpan(span, block);
}

void TextView::insertSpan(const Span& span, const TextBlock& block) {
  QTextCursor cursor(document());
  cursor.movePosition(QTextCursor::End);
  QTextCharFormat format;
  const bool mono = span.code || block.kind == TextBlock::Kind::code;
  QFont font = mono ? fonts().mono : fonts().body;
  if (block.kind == TextBlock::Kind::heading) font = block.level <= 2 ? fonts().section : fonts().strong;
  if (span.bold) font.setWeight(fonts().strong.weight());
  font.setItalic(span.italic);
  font.setStrikeOut(span.strike);
  format.setFont(fitting(font));
  format.setForeground(span.target.isEmpty() ? colors().text : colors().accent);
  if (!span.target.isEmpty()) {
    format.setFontUnderline(true);
    format.setToolTip(tipOf(span.target));
    format.setProperty(QTextFormat::UserProperty, span.target);
  }
  if (span.code && block.kind != TextBlock::Kind::code) format.setBackground(colors().raised);
  QString text = span.text;
  if (block.kind == TextBlock::Kind::code && &span == &block.spans.back() && text.endsWith('\n')) text.chop(1);
  text.replace('\n', QChar::LineSeparator);
  if (span.source >= 0) m_runs.push_back({cursor.position(), span.source, static_cast<int>(text.size())});
  cursor.insertText(text, format);
}

int TextView::heightFor(int width) {
  if (this->width() != width) resize(width, std::max(1, height()));
  if (document()->textWidth() != width) document()->setTextWidth(width);
  return static_cast<int>(document()->size().height() + 0.999);
}

void TextView::setMarks(const std::vector<Mark>& marks) {
  if (marks == m_marks) return;  // most of what is shown, when another token is chosen
  m_marks = marks;
  applyMarks();
}

void TextView::applyMarks() {
  QList<QTextEdit::ExtraSelection> selections;
  qsizetype first = -1;
  qsizetype last = -1;
  for (const Run& run : m_runs) {
    first = first < 0 ? run.source : std::min(first, run.source);
    last = std::max(last, run.source + run.length);
  }
  for (const Mark& mark : m_marks) {
    if (mark.begin >= last || mark.end <= first) continue;
    for (const Run& run : m_runs) {
      const qsizetype begin = std::max(mark.begin, run.source);
      const qsizetype end = std::min(mark.end, run.source + run.length);
      if (begin >= end) continue;
      QTextEdit::ExtraSelection selection;
      selection.cursor = QTextCursor(document());
      selection.cursor.setPosition(run.position + static_cast<int>(begin - run.source));
      selection.cursor.setPosition(run.position + static_cast<int>(end - run.source), QTextCursor::KeepAnchor);
      if (mark.heat >= 0) {
        const QColor ground = colors().heat[static_cast<std::size_t>(std::min(4, mark.heat))];
        selection.format.setBackground(ground);
        const bool lightText = contrast(colors().surface, ground) > contrast(colors().text, ground);
        selection.format.setForeground(lightText ? colors().surface : colors().text);
      }
      if (mark.first) {
        selection.format.setFontUnderline(true);
        selection.format.setUnderlineStyle(QTextCharFormat::DashUnderline);
        selection.format.setUnderlineColor(colors().bad);
        if (mark.heat < 0) selection.format.setBackground(colors().heat[1]);
      }
      if (mark.chosen) {
        selection.format.setBackground(colors().accent);
        selection.format.setForeground(colors().onAccent);
      }
      selections.push_back(std::move(selection));
    }
  }
  setExtraSelections(selections);
}

qsizetype TextView::sourceAt(const QPoint& point) const {
  const int position = document()->documentLayout()->hitTest(point, Qt::ExactHit);
  for (const Run& run : m_runs) {
    if (position >= run.position && position < run.position + run.length) {
      return run.source + (position - run.position);
    }
  }
  return -1;
}

void TextView::mouseMoveEvent(QMouseEvent* event) {
  QTextBrowser::mouseMoveEvent(event);
  const qsizetype source = sourceAt(event->position().toPoint());
  Q_EMIT hovered(source);
  if (!m_tip || event->buttons() != Qt::NoButton) return;
  // At once, not after the usual rest: whoever goes along the tokens reads each.
  if (const QString tip = m_tip(source); !tip.isEmpty()) {
    QToolTip::showText(event->globalPosition().toPoint(), tipOf(tip), viewport());
  } else if (QToolTip::isVisible()) {
    QToolTip::hideText();
  }
}

bool TextView::viewportEvent(QEvent* event) {
  if (event->type() == QEvent::ToolTip && m_tip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const QString tip = m_tip(sourceAt(help->pos())); !tip.isEmpty()) {
      QToolTip::showText(help->globalPos(), tipOf(tip), viewport());
      return true;
    }
  }
  return QTextBrowser::viewportEvent(event);
}

void TextView::leaveEvent(QEvent* event) {
  QTextBrowser::leaveEvent(event);
  Q_EMIT left();
}

/// Keys that scroll belong to the list around.
void TextView::keyPressEvent(QKeyEvent* event) {
  const bool selects = event->modifiers().testFlag(Qt::ShiftModifier);
  switch (event->key()) {
    case Qt::Key_Up:
    case Qt::Key_Down:
    case Qt::Key_PageUp:
    case Qt::Key_PageDown:
    case Qt::Key_Home:
    case Qt::Key_End:
    case Qt::Key_Space:
      if (!selects) return event->ignore();
      break;
    default:
      break;
  }
  QTextBrowser::keyPressEvent(event);
}

void TextView::contextMenuEvent(QContextMenuEvent* event) {
  QMenu menu(this);
  const QString target = cursorForPosition(event->pos()).charFormat().property(QTextFormat::UserProperty).toString();
  QAction* copy = menu.addAction(tr("Copy"), this, &QTextEdit::copy);
  copy->setEnabled(textCursor().hasSelection());
  menu.addAction(tr("Select all"), this, &QTextEdit::selectAll);
  if (!target.isEmpty()) {
    menu.addAction(tr("Copy the link's address"), this, [target] { QGuiApplication::clipboard()->setText(target); });
  }
  menu.exec(event->globalPos());
}

void TextView::changeEvent(QEvent* event) {
  QTextBrowser::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) applyMarks();
}

}  // namespace strata
