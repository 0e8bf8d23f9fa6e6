#include "widgets/chat/blocks.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QPainter>
#include <algorithm>

#include "widgets/chat/safe_text.h"
#include "widgets/style/controls.h"
#include "widgets/style/theme.h"

namespace strata {
TurnLine::TurnLine(const QString& title, int turn, bool shown, QWidget* parent) : Block(parent), m_shown(shown) {
  setObjectName(QString("question%1").arg(turn + 1));
  const QString number = tr("Question %1").arg(turn + 1);
  setAccessibleName(number);
  m_text = new ElidedLabel(title.isEmpty() ? number : tr("%1: %2").arg(number, title), TextRole::caption, Tone::second,
                           this);
  m_text->setObjectName(objectName() + "Text");
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
  connect(edit, &QPushButton::clicked, this, &TurnLine::editWanted);
  connect(branch, &QPushButton::clicked, this, &TurnLine::branchWanted);
  m_text->setVisible(shown);
  m_actions->setVisible(shown);
}

int TurnLine::heightFor(int) {
  return m_shown ? m_actions->sizeHint().height() + kGapRelated : 0;
}

void TurnLine::resizeEvent(QResizeEvent* event) {
  Block::resizeEvent(event);
  const QSize actions = m_actions->sizeHint();
  m_actions->setGeometry(width() - actions.width(), 0, actions.width(), actions.height());
  m_text->setGeometry(0, 0, std::max(0, width() - actions.width() - kGapRelated), actions.height());
}

void TurnLine::paintEvent(QPaintEvent*) {
  if (!m_shown) return;
  QPainter painter(this);
  painter.fillRect(0, height() - kGapInside - 1, width(), 1, colors().line);
}

PiecesBlock::PiecesBlock(const std::vector<Piece>& pieces, const QString& name, bool goesOn, QWidget* parent)
    : Block(parent), m_name(name), m_goesOn(goesOn) {
  fill(pieces);
}

void PiecesBlock::fill(const std::vector<Piece>& pieces) {
  m_begin = m_end = 0;
  for (const Piece& piece : pieces) {
    for (const TextBlock& block : piece.blocks) {
      for (const Span& span : block.spans) {
        if (span.source < 0) continue;
        if (m_end == 0) m_begin = span.source;
        m_end = std::max(m_end, span.source + span.text.size());
      }
    }
  }
  const auto hasBar = [](const Piece& piece) {
    return piece.code && !(!piece.blocks.empty() && piece.blocks.front().continues);
  };
  const auto languageOf = [](const Piece& piece) {
    return piece.blocks.empty() ? QString() : piece.blocks.front().language;
  };
  bool same = m_parts.size() == pieces.size();
  for (std::size_t i = 0; same && i < pieces.size(); ++i) {
    same = (m_parts[i].bar != nullptr) == hasBar(pieces[i]) && m_parts[i].language == languageOf(pieces[i]);
  }
  if (!same) {
    for (const Part& part : m_parts) {
      for (QWidget* widget : {static_cast<QWidget*>(part.view), part.bar}) {
        if (widget == nullptr) continue;
        widget->hide();
        widget->deleteLater();
      }
    }
    m_parts.clear();
    m_views.clear();
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool continues = !pieces[i].blocks.empty() && pieces[i].blocks.front().continues;
    if (same) {
      m_parts[i].continues = continues;
      m_parts[i].view->show(pieces[i]);
      continue;
    }
    auto* view = new TextView(this);
    view->setAccessibleName(m_name);
    view->setObjectName(QString("answerText%1").arg(m_views.size() + 1));
    view->show(pieces[i]);
    connect(view, &TextView::hovered, this, &PiecesBlock::hovered);
    m_parts.push_back({view, hasBar(pieces[i]) ? makeBar(pieces[i], view) : nullptr, languageOf(pieces[i]), continues});
    m_views.push_back(view);
  }
}

void PiecesBlock::show(const std::vector<Piece>& pieces) {
  const int before = heightFor(width());
  fill(pieces);
  for (const Part& part : m_parts) {
    part.view->QWidget::show();
    if (part.bar != nullptr) part.bar->show();
  }
  if (heightFor(width()) != before) Q_EMIT resized();
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
