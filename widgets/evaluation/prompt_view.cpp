#include "widgets/evaluation/prompt_view.h"

#include <QPlainTextEdit>
#include <QSplitter>
#include <QVBoxLayout>

#include "core/config/eval_config.h"
#include "widgets/evaluation/evaluation_setup.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/named.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kTemplateMs = 400;
constexpr std::size_t kMostPrompt = 100'000;  // bytes that are laid out

}  // namespace

PromptView::PromptView(EvaluationSetup& setup, QWidget* parent) : QWidget(parent), m_setup(setup) {
  named(this, "evaluationPrompt", tr("Prompt"));
  m_template = named(new QPlainTextEdit, "promptTemplate", tr("Template of a question"));
  m_template->setWhatsThis(
      tr("Jinja with question, context, passages, choices, lettered_choices, no_answer and question_first."));
  m_template->setTabChangesFocus(true);
  m_prompt = named(new QPlainTextEdit, "promptShown", tr("The first question as the model would read it"));
  m_prompt->setReadOnly(true);
  m_prompt->setTabChangesFocus(true);
  m_prompt->setFrameShape(QFrame::NoFrame);
  m_reset =
      named(makeButton(tr("The task's own"), ButtonKind::link), "resetPrompt", tr("Back to the task's own template"));
  m_state = named(new StatePane(m_prompt), "promptState");
  const auto part = [](QWidget* head, QWidget* body) {
    auto* whole = new QWidget;
    auto* column = new QVBoxLayout(whole);
    column->setContentsMargins(0, 0, 0, kGapGroups);
    column->setSpacing(kGapRelated);
    column->addWidget(head);
    column->addWidget(body, 1);
    return whole;
  };
  auto* split = named(new QSplitter(Qt::Vertical), "promptSplitter");
  split->setChildrenCollapsible(false);
  split->addWidget(part(new FoldingRow(sectionLabel(tr("Template of a question")), m_reset), m_template));
  split->addWidget(part(sectionLabel(tr("As the model reads the first question")), m_state));
  split->setStretchFactor(0, 2);
  split->setStretchFactor(1, 3);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(split);
  followTheme(this, [this] {
    for (QPlainTextEdit* edit : {m_template, m_prompt}) edit->setFont(fontOf(TextRole::mono));
  });
  m_typing.setSingleShot(true);
  m_typing.setInterval(kTemplateMs);
  connect(m_template, &QPlainTextEdit::textChanged, &m_typing, qOverload<>(&QTimer::start));
  connect(&m_typing, &QTimer::timeout, this, [this] {
    const QString text = m_template->toPlainText();
    m_setup.setPromptTemplate(text == QString::fromUtf8(defaultPrompt(m_setup.task())) ? QString() : text);
  });
  connect(m_reset, &Button::clicked, this, [this] {
    m_setup.setPromptTemplate({});
    m_template->setFocus();
  });
  connect(&setup, &EvaluationSetup::changed, this, &PromptView::showTemplate);
  connect(&setup, &EvaluationSetup::planned, this, &PromptView::showPrompt);
  showTemplate();
  showPrompt();
}

void PromptView::showTemplate() {
  const QString own = m_setup.promptTemplate();
  const QString usual = QString::fromUtf8(defaultPrompt(m_setup.task()));
  const QString text = own.isEmpty() ? usual : own;
  m_template->setReadOnly(usual.isEmpty());
  m_template->setPlaceholderText(usual.isEmpty() ? tr("This task asks no questions.") : QString());
  m_reset->setVisible(!own.isEmpty());
  if (m_typing.isActive() || m_template->toPlainText() == text) return;  // what is being typed stays
  const QSignalBlocker blocker(m_template);
  m_template->setPlainText(text);
}

void PromptView::showPrompt() {
  const auto& plan = m_setup.plan();
  if (!m_setup.planProblem().isEmpty()) {
    return m_state->setFailed({ErrorCode::usage, m_setup.planProblem().toStdString(), ""});
  }
  if (!plan) return m_state->setEmpty(tr("The first question stands here once models and data are chosen."));
  if (plan->prompt.empty())
    return m_state->setEmpty(tr("This task asks no questions; the texts are read as they are."));
  const QString text = QString::fromStdString(plan->prompt.substr(0, kMostPrompt));
  if (m_prompt->toPlainText() != text) m_prompt->setPlainText(text);
  m_state->setWorking();
}

}  // namespace strata
