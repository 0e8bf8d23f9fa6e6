#include "widgets/chat/blocks.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QPainter>
#include <QTextBlock>

#include "widgets/chat/safe_text.h"
#include "widgets/style/controls.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr qsizetype kQuestionCut = 150;         // characters of a question that is cut
constexpr int kQuestionLines = 3;               // or so many lines
constexpr qsizetype kQuestionMost = 16 * 1024;  // of a whole one; the rest is counted

QString cutQuestion(const QString& question) {
  qsizetype end = 0;
  for (int line = 0; line < kQuestionLines && end >= 0; ++line) {
    const qsizetype next = question.indexOf('\n', end);
    if (next < 0) {
      end = question.size();
      break;
    }
    end = next + 1;
  }
  const qsizetype cut = cutBefore(question, std::min(end, kQuestionCut));
  return cut >= question.size() ? question : question.left(cut).trimmed() + QStringLiteral(" …");
}

}  // namespace

QuestionBlock::QuestionBlock(const QString& question, int turn, bool whole, QWidget* parent)
    : Block(parent), m_question(safeText(question)), m_whole(whole) {
  setObjectName(QString("question%1").arg(turn + 1));
  m_text = new TextView(this);
  m_text->setObjectName(objectName() + "Text");
  m_text->setAccessibleName(tr("Question %1").arg(turn + 1));
  m_more = makeButton({}, ButtonKind::link, this);
  m_more->setCompact(true);
  m_more->setObjectName(objectName() + "More");
  connect(m_more, &QPushButton::clicked, this, [this] {
    m_whole = !m_whole;
    fill();
    Q_EMIT wholeChanged(m_whole);
    Q_EMIT resized();
  });
  m_actions = new QWidget(this);
  auto* row = new QHBoxLayout(m_actions);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  Button* edit = makeIconButton("pencil", tr("Edit question %1 and ask again").arg(turn + 1), {}, m_actions);
  edit->setObjectName(objectName() + "Edit");
  Button* branch =
      makeIconButton("signpost-split", tr("New chat with all up to question %1").arg(turn + 1), {}, m_actions);
  branch->setObjectName(objectName() + "Branch");
  for (Button* button : {edit, branch}) {
    button->setCompact(true);
    row->addWidget(button);
  }
  connect(edit, &QPushButton::clicked, this, &QuestionBlock::editWanted);
  connect(branch, &QPushButton::clicked, this, &QuestionBlock::branchWanted);
  fill();
}

void QuestionBlock::fill() {
  const QString cut = cutQuestion(m_question);
  QString shown = m_whole ? m_question.left(cutBefore(m_question, kQuestionMost)) : cut;
  if (m_whole && shown.size() < m_question.size()) {
    shown += tr("\n… and %n more characters", nullptr, static_cast<int>(m_question.size() - shown.size()));
  }
  std::vector<TextBlock> blocks = plainBlocks(shown);
  for (TextBlock& block : blocks) block.continues = true;
  m_text->show(Piece{blocks, false});
  m_more->setText(m_whole ? tr("Show less") : tr("Show all"));
  m_more->setVisible(cut.size() != m_question.size());
  m_more->setAccessibleName(m_more->text());
}

int QuestionBlock::arrange(int width) {
  const QSize actions = m_actions->sizeHint();
  const int text = std::max(1, width - 2 * kGapRelated - actions.width() - kGapInside);
  const int height = m_text->heightFor(text);
  m_text->setGeometry(kGapRelated, kGapRelated, text, height);
  m_actions->setGeometry(width - actions.width() - kGapInside, kGapInside, actions.width(), actions.height());
  int bottom = std::max(kGapRelated + height, kGapInside + actions.height() - kGapInside);
  if (!m_more->isHidden()) {
    // Its words under the question's: a link has room of its own at its sides.
    m_more->setGeometry(QRect(QPoint(kGapRelated - kGapInside, bottom), m_more->sizeHint()));
    bottom += m_more->sizeHint().height();
  }
  return bottom + kGapRelated;
}

int QuestionBlock::heightFor(int width) {
  return arrange(width) + kGapRelated;
}

void QuestionBlock::resizeEvent(QResizeEvent* event) {
  Block::resizeEvent(event);
  arrange(width());
}

void QuestionBlock::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(colors().raised);
  painter.drawRoundedRect(rect().adjusted(0, 0, 0, -kGapRelated), kRadius, kRadius);
}

PiecesBlock::PiecesBlock(const std::vector<Piece>& pieces, const QString& name, bool goesOn, QWidget* parent)
    : Block(parent), m_goesOn(goesOn) {
  for (const Piece& piece : pieces) {
    for (const TextBlock& block : piece.blocks) {
      for (const Span& span : block.spans) {
        if (span.source < 0) continue;
        if (m_end == 0) m_begin = span.source;
        m_end = std::max(m_end, span.source + span.text.size());
      }
    }
  }
  for (const Piece& piece : pieces) {
    auto* view = new TextView(this);
    view->setAccessibleName(name);
    view->setObjectName(QString("answerText%1").arg(m_views.size() + 1));
    view->show(piece);
    connect(view, &TextView::hovered, this, &PiecesBlock::hovered);
    const bool continues = !piece.blocks.empty() && piece.blocks.front().continues;
    m_parts.push_back({view, piece.code && !continues ? makeBar(piece, view) : nullptr, continues});
    m_views.push_back(view);
  }
}

QWidget* PiecesBlock::makeBar(const Piece& piece, TextView* view) {
  auto* bar = new Pane(Ground::raised, this);
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(kGapRelated, 0, 0, 0);
  const QString language = piece.blocks.front().language;
  row->addWidget(
      new ElidedLabel(language.isEmpty() ? tr("code") : safeText(language), TextRole::caption, Tone::second, bar));
  row->addStretch();
  Button* copy = makeIconButton("copy", tr("Copy this code"), {}, bar);
  copy->setCompact(true);
  copy->setObjectName(QString("copyCode%1").arg(m_views.size() + 1));
  connect(copy, &QPushButton::clicked, this, [view] { QGuiApplication::clipboard()->setText(view->toPlainText()); });
  row->addWidget(copy);
  return bar;
}

int PiecesBlock::arrange(int width) {
  int y = 0;
  for (const Part& part : m_parts) {
    if (y > 0 && !part.continues) y += kGapRelated;
    if (part.bar != nullptr) {
      const int bar = part.bar->sizeHint().height();
      part.bar->setGeometry(0, y, width, bar);
      y += bar + kGapInside;
    }
    const int height = part.view->heightFor(width);
    part.view->setGeometry(0, y, width, height);
    y += height;
  }
  return y;
}

int PiecesBlock::heightFor(int width) {
  return arrange(width) + (m_goesOn ? 0 : kGapRelated);
}

void PiecesBlock::resizeEvent(QResizeEvent* event) {
  Block::resizeEvent(event);
  if (event->oldSize().width() != width()) arrange(width());
}

void PiecesBlock::setMarks(const std::vector<Mark>& marks) {
  for (TextView* view : m_views) view->setMarks(marks);
}

StreamBlock::StreamBlock(const QString& text, qsizetype source, const QString& name, QWidget* parent) : Block(parent) {
  m_view = new TextView(this);
  m_view->setAccessibleName(name);
  m_view->setObjectName("answerStream");
  m_view->startPlain(source);
  m_view->appendPlain(text);
}

int StreamBlock::heightFor(int width) {
  m_height = m_view->heightFor(width);
  m_view->setGeometry(0, 0, width, m_height);
  return m_height;
}

void StreamBlock::append(const QString& text) {
  m_view->appendPlain(text);
  if (m_view->heightFor(width()) != m_height) Q_EMIT resized();
}

void StreamBlock::resizeEvent(QResizeEvent* event) {
  Block::resizeEvent(event);
  m_view->resize(width(), height());
}

}  // namespace strata
