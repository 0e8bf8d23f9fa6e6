#include "widgets/data/row_preview.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QTextCursor>
#include <QTextEdit>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/data/data_check.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

/// A row of a very long context is shown up to here.
constexpr qsizetype kMostCharacters = 20'000;
constexpr double kTint = 0.22;

QTextCharFormat formatFor(bool trained) {
  QTextCharFormat format;
  format.setForeground(colors().text);
  if (trained) {
    format.setBackground(mixed(colors().accent, colors().surface, kTint));
    format.setFontUnderline(true);
    format.setUnderlineColor(colors().accent);
  }
  return format;
}

}  // namespace

RowPreview::RowPreview(DataCheck& check, QWidget* parent)
    : QWidget(parent),
      m_check(check),
      m_counts(new Label(QString(), TextRole::body, Tone::second, this)),
      m_legend(captionLabel(QString(), this)),
      m_previous(makeIconButton("chevron-left", tr("Previous row"), "PgUp", this)),
      m_next(makeIconButton("chevron-right", tr("Next row"), "PgDown", this)),
      m_text(new QTextEdit(this)) {
  setObjectName("rowPreview");
  setAccessibleName(tr("A row as the model reads it"));
  m_counts->setObjectName("previewCounts");
  m_legend->setObjectName("previewLegend");
  m_previous->setObjectName("previewPrevious");
  m_next->setObjectName("previewNext");
  m_text->setObjectName("previewText");
  m_text->setAccessibleName(tr("The rendered row, with what is trained on underlined"));
  m_text->setReadOnly(true);
  m_text->setTabChangesFocus(true);
  m_text->setFrameShape(QFrame::NoFrame);
  m_text->setUndoRedoEnabled(false);
  m_text->document()->setDocumentMargin(kGapRelated);
  m_text->installEventFilter(this);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapInside);
  layout->addWidget(
      new FoldingRow(sectionLabel(tr("What the model reads")), rowOf({m_counts, m_previous, m_next}), this));
  layout->addWidget(m_text, 1);
  layout->addWidget(m_legend);
  connect(m_previous, &QPushButton::clicked, this, [this] { go(m_row - 1); });
  connect(m_next, &QPushButton::clicked, this, [this] { go(m_row + 1); });
  connect(&check, &DataCheck::rowsChanged, this, &RowPreview::refresh);
  followTheme(this, [this] {
    m_text->setFont(fontOf(TextRole::mono));
    refresh();
  });
}

void RowPreview::restart() {
  m_row = 0;
  refresh();
}

void RowPreview::go(std::int64_t row) {
  const std::int64_t rows = m_check.answer() ? m_check.answer()->rows : 0;
  m_row = std::clamp<std::int64_t>(row, 0, std::max<std::int64_t>(0, rows - 1));
  refresh();
}

bool RowPreview::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::KeyPress) {
    const int key = static_cast<QKeyEvent*>(event)->key();
    if (key == Qt::Key_PageDown || key == Qt::Key_PageUp) {
      go(m_row + (key == Qt::Key_PageDown ? 1 : -1));
      return true;
    }
  }
  return QWidget::eventFilter(watched, event);
}

void RowPreview::refresh() {
  const std::int64_t rows = m_check.answer() ? m_check.answer()->rows : 0;
  const bool tokens = m_check.answer() && m_check.answer()->hasTokens;
  const protocol::PreviewRow* row = m_check.row(m_row);
  m_previous->setEnabled(row != nullptr && m_row > 0);
  m_next->setEnabled(row != nullptr && m_row + 1 < rows);
  m_legend->setText({});
  if (row == nullptr) {
    m_counts->setText({});
    m_text->clear();
    m_text->setPlaceholderText(!tokens              ? tr("Choose a model: its template and tokenizer make the rows.")
                               : m_check.fetching() ? tr("Reading row %1").arg(formatCount(m_row + 1))
                                                    : tr("There is no row to show."));
    return;
  }
  m_counts->setText(tr("Row %1 of %2").arg(formatCount(m_row + 1), formatCount(rows)));
  m_legend->setText(row->trained > 0 ? tr("Tinted and underlined: counts in the loss.")
                                     : tr("Nothing in this row counts in the loss."));
  fill();
}

/// The row and as many after it as the pane has room for.
void RowPreview::fill() {
  m_text->clear();
  m_filledHeight = m_text->viewport()->height();
  QTextCursor cursor(m_text->document());
  qsizetype room = kMostCharacters;
  for (std::int64_t number = m_row; room > 0; ++number) {
    const protocol::PreviewRow* row = m_check.known(number);
    if (row == nullptr) break;
    if (number > m_row && m_text->document()->size().height() >= m_filledHeight) break;
    QTextCharFormat heading = formatFor(false);
    heading.setForeground(colors().second);
    heading.setFont(fontOf(TextRole::caption));
    if (number > m_row) cursor.insertText("\n\n", heading);
    cursor.insertText(tr("Row %1: %2 token(s), %3 trained on", nullptr, pluralOf(row->tokens))
                          .arg(formatCount(number + 1), formatCount(row->tokens), formatCount(row->trained)),
                      heading);
    cursor.insertText("\n", formatFor(false));
    room = insertParts(cursor, *row, room);
  }
  m_text->moveCursor(QTextCursor::Start);
}

/// Answers how many characters may still follow.
qsizetype RowPreview::insertParts(QTextCursor& cursor, const protocol::PreviewRow& row, qsizetype room) {
  for (const protocol::TextPart& part : row.parts) {
    const QString text = QString::fromStdString(part.text);
    cursor.insertText(text.left(room), formatFor(part.trained));
    if (text.size() > room) {
      cursor.insertText("\n" + tr("… the row goes on; its first %1 character(s) are shown.", nullptr, kMostCharacters)
                                   .arg(formatCount(kMostCharacters)),
                        formatFor(false));
      return 0;
    }
    room -= text.size();
  }
  return room;
}

void RowPreview::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  if (m_check.known(m_row) != nullptr && m_text->viewport()->height() > m_filledHeight) fill();
}

}  // namespace strata
