#include "widgets/chat/prompt_bar.h"

#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QTextBlock>
#include <QTextLayout>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/chat/asked_text.h"
#include "widgets/chat/safe_text.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr qsizetype kQuestionMost = 300;       // characters of a question that is not asked for whole: its end
constexpr qsizetype kPassageLine = 400;        // of a passage on one line
constexpr qsizetype kPassageMost = 16 * 1024;  // of a whole one; what is left out is counted
constexpr int kWholeLines = 8;

/// The middle is left out, so that the last line is always there.
QString cutMiddle(const QString& text) {
  if (text.size() <= kPassageMost) return text;
  const QString head = text.left(cutBefore(text, kPassageMost / 2));
  const QString tail = text.mid(cutBefore(text, text.size() - kPassageMost / 2));
  const qsizetype left = text.size() - head.size() - tail.size();
  return head + PromptBar::tr("\n… %1 more characters …\n").arg(formatCount(left)) + tail;
}

}  // namespace

PromptBar::PromptBar(QWidget* parent) : Pane(Ground::surface, parent) {
  setObjectName("promptBar");
  setAccessibleName(tr("Question"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapRelated);
  row->setSpacing(kGapRelated);
  auto* texts = new QWidget(this);
  auto* column = new QVBoxLayout(texts);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapInside);
  m_intro = bodyLabel(
      tr("A base model gives every layer a KV cache of its own: the keys and values of all tokens so far. A routed "
         "model "
         "was trained so that layers can read another layer's cache, and a map says which layer reads which. The fewer "
         "layers keep a cache, the less memory a chat takes; here you see what that costs."),
      texts);
  m_intro->setObjectName("chatIntro");
  m_number = captionLabel({}, texts);
  m_number->setObjectName("promptNumber");
  m_passageLine = new ElidedLabel({}, TextRole::body, Tone::second, texts);
  m_passageLine->setObjectName("promptPassageLine");
  m_passage = new QPlainTextEdit(texts);
  m_passage->setObjectName("promptPassage");
  m_passage->setAccessibleName(tr("The whole prompt"));
  m_passage->setWhatsThis(tr("What both sides are asked, as it was sent."));
  m_passage->setReadOnly(true);
  m_passage->setFrameShape(QFrame::NoFrame);
  m_passage->setTabChangesFocus(true);
  m_passage->document()->setDocumentMargin(0);
  m_passage->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_passage->installEventFilter(this);
  m_passage->setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
  m_question = new Label({}, TextRole::strong, Tone::normal, texts);
  m_question->setObjectName("promptQuestion");
  m_question->setWordWrap(true);
  m_question->setTextInteractionFlags(Qt::TextSelectableByMouse);
  m_expected = bodyLabel({}, texts);
  m_expected->setObjectName("promptExpected");
  m_expected->setTone(Tone::second);
  m_headline = new Label({}, TextRole::section, Tone::normal, texts);
  m_headline->setObjectName("chatHeadline");
  m_headline->setWordWrap(true);
  m_tight = new QWidget(texts);
  auto* line = new QHBoxLayout(m_tight);
  line->setContentsMargins(0, 0, 0, 0);
  line->setSpacing(kGapGroups);
  m_questionLine = new ElidedLabel({}, TextRole::strong, Tone::normal, m_tight);
  m_questionLine->setObjectName("promptQuestionLine");
  m_headlineLine = new ElidedLabel({}, TextRole::body, Tone::normal, m_tight);
  m_headlineLine->setObjectName("chatHeadlineLine");
  line->addWidget(m_questionLine);
  line->addWidget(m_headlineLine, 1);
  for (QWidget* part : std::initializer_list<QWidget*>{m_intro, m_number, m_passageLine, m_passage, m_question,
                                                       m_expected, m_headline, m_tight}) {
    column->addWidget(part);
  }
  row->addWidget(texts, 1);
  m_actions = new QWidget(this);
  auto* buttons = new QHBoxLayout(m_actions);
  buttons->setContentsMargins(0, 0, 0, 0);
  buttons->setSpacing(0);
  m_more = makeButton({}, ButtonKind::link, m_actions);
  m_more->setObjectName("promptMore");
  m_edit = makeIconButton("pencil", tr("Edit the question and ask again"), {}, m_actions);
  m_edit->setObjectName("promptEdit");
  m_branch = makeIconButton("signpost-split", tr("New chat with all up to this question"), {}, m_actions);
  m_branch->setObjectName("promptBranch");
  for (Button* button : {m_more, m_edit, m_branch}) {
    button->setCompact(true);
    buttons->addWidget(button);
  }
  row->addWidget(m_actions, 0, Qt::AlignTop);
  connect(m_more, &QPushButton::clicked, this, [this] {
    m_whole = !m_whole;
    fill();
  });
  connect(m_edit, &QPushButton::clicked, this, [this] { Q_EMIT editWanted(m_shown.turn); });
  connect(m_branch, &QPushButton::clicked, this, [this] { Q_EMIT branchWanted(m_shown.turn); });
  followTheme(this, [this] {
    m_passage->setMaximumWidth(metrics().textWidth);
    m_passage->setFont(fonts().body);
    fillPassage();
  });
  fill();
}

void PromptBar::show(const Shown& shown) {
  if (shown == m_shown) return;
  if (shown.turn != m_shown.turn || shown.prompt != m_shown.prompt) m_whole = false;
  m_shown = shown;
  fill();
}

void PromptBar::setLines(int lines) {
  if (lines == m_lines) return;
  m_lines = lines;
  fill();
}

void PromptBar::fill() {
  const bool asked = m_shown.turn >= 0;
  const AskedText parts = asked ? askedText(safeText(m_shown.prompt)) : AskedText();
  const bool cut = parts.question.size() > kQuestionMost;
  const bool tight = m_lines == 0;
  m_intro->setVisible(!asked && !tight);
  m_actions->setVisible(asked);
  m_number->setVisible(m_shown.of > 1 && !tight);
  m_number->setText(tr("Question %1 of %2").arg(m_shown.turn + 1).arg(m_shown.of));
  m_question->setVisible(asked && !tight);
  const qsizetype from = cut ? cutBefore(parts.question, parts.question.size() - kQuestionMost) : 0;
  m_question->setText(cut ? QStringLiteral("… ") + parts.question.mid(from).trimmed() : parts.question);
  m_tight->setVisible(tight);
  m_questionLine->setText(asked ? m_question->text() : m_intro->text());
  m_expected->setVisible(!m_shown.expected.isEmpty() && !tight);
  m_expected->setText(tr("Expected answer: %1").arg(m_shown.expected.join(tr(" or "))));
  m_headline->setVisible(!m_shown.headline.isEmpty() && !tight);
  m_headline->setText(m_shown.headline);
  m_headlineLine->setVisible(!m_shown.headline.isEmpty());
  m_headlineLine->setText(m_shown.headline);
  const bool more = !tight && (!parts.passage.isEmpty() || cut);
  m_more->setVisible(more);
  m_more->setText(m_whole ? tr("Show less") : tr("Show all"));
  m_more->setAccessibleName(m_whole ? tr("Show less of the prompt") : tr("Show the whole prompt"));
  const bool lines = m_whole || (m_lines > 1 && !parts.passage.isEmpty());
  m_passageLine->setVisible(more && !lines && !parts.passage.isEmpty());
  m_passageLine->setText(parts.passage.left(kPassageLine).simplified() +
                         (parts.passage.size() > kPassageLine ? QStringLiteral(" …") : QString()));
  m_passage->setVisible(more && lines);
  if (more && lines) {
    const QString all = m_whole && cut ? (parts.passage + "\n\n" + parts.question).trimmed() : parts.passage;
    const QString text = cutMiddle(all);
    if (m_passage->toPlainText() != text) m_passage->setPlainText(text);
    fillPassage();
  }
}

/// Another width breaks its lines elsewhere.
bool PromptBar::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_passage && event->type() == QEvent::Resize) QTimer::singleShot(0, this, &PromptBar::fillPassage);
  return Pane::eventFilter(watched, event);
}

/// As high as its text, up to a number of lines.
void PromptBar::fillPassage() {
  if (m_passage->isHidden()) return;
  const int most = m_whole ? std::max(kWholeLines, m_lines) : m_lines;
  int lines = 0;
  for (QTextBlock block = m_passage->document()->begin(); block.isValid() && lines < most; block = block.next()) {
    lines += std::max(1, block.layout()->lineCount());
  }
  m_passage->setVerticalScrollBarPolicy(lines < most ? Qt::ScrollBarAlwaysOff : Qt::ScrollBarAsNeeded);
  const int around = m_passage->height() - m_passage->viewport()->height();
  m_passage->setFixedHeight(std::clamp(lines, 1, most) * m_passage->fontMetrics().lineSpacing() + around + 1);
}

}  // namespace strata
