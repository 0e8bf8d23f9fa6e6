#include "widgets/evaluation/sample_detail.h"

#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSplitter>
#include <QTextBlock>
#include <QVBoxLayout>

#include "widgets/evaluation/evaluation_words.h"
#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/scrolled.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr qsizetype kMostText = 20'000;  // characters of an answer or a question that are laid out
constexpr qsizetype kMostContext = 200'000;
constexpr int kMostMarks = 100;

QStringList textsOf(const std::vector<std::string>& texts) {
  QStringList all;
  for (const std::string& text : texts) all << QString::fromStdString(text);
  return all;
}

/// As the sample project's own questions are put: in a chat it is the template that begins the answer.
QString promptOf(const protocol::ReadSample::Answer& sample) {
  constexpr QLatin1String kAnswerBegins("\nAnswer:");
  const QString prompt = QString::fromStdString(sample.prompt);
  if (prompt.endsWith(kAnswerBegins)) return prompt.chopped(kAnswerBegins.size());
  if (!prompt.isEmpty()) return prompt;
  const QString question = QString::fromStdString(sample.text);
  if (sample.context.empty()) return question;
  return QStringLiteral("Context: %1\nQuestion: %2").arg(QString::fromStdString(sample.context), question);
}

}  // namespace

SampleDetail::SampleDetail(Session& session, Comparison& comparison, QWidget* parent)
    : QWidget(parent), m_session(session), m_comparison(comparison) {
  named(this, "sampleDetail", tr("The chosen question"));
  auto* split = named(new QSplitter(Qt::Horizontal), "sampleSplitter");
  split->setChildrenCollapsible(false);
  split->addWidget(buildQuestion());
  auto* inside = new QWidget;
  auto* answers = new QVBoxLayout(inside);
  answers->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapRelated);
  answers->setSpacing(kGapRelated);
  for (const Which which : {Which::a, Which::b}) answers->addWidget(buildAnswer(which));
  m_note = named(new QLineEdit, "sampleNote", tr("Note"));
  m_note->setPlaceholderText(tr("Note"));
  m_note->setWhatsThis(tr("Kept with the question, for all evaluations of the same data. Enter stores it."));
  m_note->setToolTip(m_note->whatsThis());
  m_noteProblem = named(new Label({}, TextRole::body, Tone::bad), "noteProblem");
  m_noteProblem->setWordWrap(true);
  m_noteProblem->hide();
  m_open = named(makeButton(tr("Open in chat")), "openInChat");
  m_open->setToolTip(tr("Puts both models and maps on the sides, and the question into a new chat"));
  answers->addWidget(m_note);
  answers->addWidget(m_noteProblem);
  answers->addWidget(m_open, 0, Qt::AlignLeft);
  answers->addStretch(1);
  split->addWidget(named(scrolled(inside), "answersScroll", tr("Answers")));
  m_state = named(new StatePane(split), "sampleDetailState");
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_state);
  connect(m_note, &QLineEdit::editingFinished, this, &SampleDetail::saveNote);
  connect(m_open, &Button::clicked, this, &SampleDetail::openInChat);
  followTheme(this, [this] { showContext(); });
  show(nullptr);
}

QWidget* SampleDetail::buildQuestion() {
  auto* whole = new QWidget;
  auto* column = new QVBoxLayout(whole);
  column->setContentsMargins(0, kGapRelated, kGapGroups, kGapRelated);
  column->setSpacing(kGapRelated);
  m_question = named(new Label({}, TextRole::strong), "sampleQuestion");
  m_expected = named(bodyLabel({}), "sampleExpected");
  for (Label* label : {m_question, m_expected}) {
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  }
  m_context = named(new QPlainTextEdit, "sampleContext", tr("Passage"));
  m_context->setReadOnly(true);
  m_context->setTabChangesFocus(true);
  m_context->setFrameShape(QFrame::NoFrame);
  m_context->setWhatsThis(tr("The passage that the question was asked with; the expected answer is underlined in it."));
  column->addWidget(m_question);
  column->addWidget(m_expected);
  column->addWidget(m_context, 1);
  return whole;
}

QWidget* SampleDetail::buildAnswer(Which which) {
  const bool isA = which == Which::a;
  Answer& one = m_answers[isA ? 0 : 1];
  one.sign = new Label({});
  one.verdict = named(new Label({}, TextRole::strong), isA ? "verdictA" : "verdictB");
  one.text = named(bodyLabel({}), isA ? "answerA" : "answerB");
  one.text->setTextFormat(Qt::RichText);
  one.text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  auto* head = new QHBoxLayout;
  head->setSpacing(kGapRelated);
  head->addWidget(new SideBadge(isA ? BadgeSide::a : BadgeSide::b));
  head->addWidget(one.sign);
  head->addWidget(one.verdict, 1);
  one.whole = new QWidget;
  auto* column = new QVBoxLayout(one.whole);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapInside);
  column->addLayout(head);
  column->addWidget(one.text);
  return one.whole;
}

void SampleDetail::show(const protocol::ListSamples::Sample* sample) {
  if (sample == nullptr) {
    ++m_asked;
    m_sample.reset();
    m_read.reset();
    return m_state->setEmpty(tr("Choose a question to see its passage and both answers."));
  }
  const bool isSame = m_sample && m_sample->id == sample->id;
  m_sample = *sample;
  fill();
  if (isSame && m_read) return;
  m_read.reset();
  m_open->setEnabled(false);
  m_context->clear();
  read();
}

void SampleDetail::read() {
  m_session.engine().call<protocol::ReadSample>(
      {m_comparison.side(Which::a).run, m_sample->id}, this,
      [this, asked = ++m_asked](const Result<protocol::ReadSample::Answer>& answer) {
        if (asked != m_asked || !m_sample) return;
        if (!answer) return m_state->setFailed(answer.error(), tr("Try again"), [this] { read(); });
        m_read = *answer;
        m_state->setWorking();
        m_open->setEnabled(true);
        if (!m_note->hasFocus()) m_note->setText(QString::fromStdString(m_read->note));
        fill();
        showContext();
      });
}

void SampleDetail::fill() {
  m_state->setWorking();
  m_question->setText(QString::fromStdString(m_sample->text).left(kMostText));
  QStringList expected = m_read ? textsOf(m_read->references) : QStringList();
  expected.removeDuplicates();
  if (expected.isEmpty() && !m_sample->expected.empty()) expected << QString::fromStdString(m_sample->expected);
  m_expected->setText(!m_sample->answerable && expected.isEmpty()
                          ? tr("Expected: no answer; the passage does not hold one.")
                          : tr("Expected: %1").arg(expected.join(tr(" or "))));
  const Comparison::Results* results = m_comparison.results(Which::a);
  const std::string exact = results != nullptr ? results->exact : std::string();
  for (const Which which : {Which::a, Which::b}) {
    Answer& one = m_answers[which == Which::a ? 0 : 1];
    const auto& scores = which == Which::a ? m_sample->scoresA : m_sample->scoresB;
    const std::string& text = which == Which::a ? m_sample->answerA : m_sample->answerB;
    one.whole->setVisible(which == Which::a || !m_comparison.side(Which::b).run.empty());
    const QIcon sign = verdictIcon(verdictOf(scores, exact));
    one.sign->setVisible(!sign.isNull());
    one.sign->setPixmap(sign.pixmap(metrics().icon));
    one.verdict->setText(verdictText(scores, exact));
    one.verdict->setAccessibleName(which == Which::a ? tr("A is %1").arg(one.verdict->text())
                                                     : tr("B is %1").arg(one.verdict->text()));
    const QString answer = QString::fromStdString(text).left(kMostText);
    one.text->setText(answer.trimmed().isEmpty() ? tr("<i>says nothing</i>")
                                                 : markedAnswer(answer.trimmed(), expected));
    one.text->setAccessibleName(answer.left(400));
  }
  if (!m_note->hasFocus()) m_note->setText(QString::fromStdString(m_sample->note));
}

/// The passage, with the expected answers underlined where it says them.
void SampleDetail::showContext() {
  if (!m_read) return;
  const QString context = QString::fromStdString(m_read->context);
  m_context->setVisible(!context.isEmpty());
  if (m_context->toPlainText() != context.left(kMostContext)) m_context->setPlainText(context.left(kMostContext));
  QList<QTextEdit::ExtraSelection> marks;
  QTextCharFormat format;
  format.setFontWeight(QFont::DemiBold);
  format.setFontUnderline(true);
  for (const std::string& reference : m_read->references) {
    const QString words = QString::fromStdString(reference);
    if (words.trimmed().isEmpty()) continue;
    QTextCursor at(m_context->document());
    while (marks.size() < kMostMarks) {
      at = m_context->document()->find(words, at, QTextDocument::FindWholeWords);
      if (at.isNull()) break;
      marks.append({at, format});
    }
  }
  m_context->setExtraSelections(marks);
}

void SampleDetail::saveNote() {
  const std::string note = m_note->text().trimmed().toStdString();
  if (!m_sample || note == m_sample->note) return;
  const std::string id = m_sample->id;
  m_session.engine().call<protocol::AnnotateSample>(
      {m_comparison.side(Which::a).run, id, note}, this, [this, id, note](const Result<protocol::Nothing>& answer) {
        m_noteProblem->setVisible(!answer);
        if (!answer) return m_noteProblem->setText(QString::fromStdString(answer.error().message));
        if (m_sample && m_sample->id == id) m_sample->note = note;
        if (m_read && m_sample && m_sample->id == id) m_read->note = note;
        Q_EMIT noted(QString::fromStdString(id), QString::fromStdString(note));
      });
}

void SampleDetail::openInChat() {
  if (!m_read) return;
  for (const Which which : {Which::a, Which::b}) {
    if (const auto side = m_comparison.sideOf(which)) m_session.setSide(which, *side);
  }
  m_session.openInChat({promptOf(*m_read), m_read->stop, m_read->references});
}

}  // namespace strata
