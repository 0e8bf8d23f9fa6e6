#include "widgets/models/template_preview.h"

#include <QCryptographicHash>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QShortcut>
#include <QVBoxLayout>

#include "widgets/style/controls.h"
#include "widgets/style/flow_layout.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kLinesShown = 14;
constexpr int kStoreMilliseconds = 300;
constexpr int kDraftMost = 1 << 20;
constexpr int kKeyDigits = 16;

/// What a model without a template is begun with: ChatML, as the engine's built-in one writes it.
const QString kBeginning = QStringLiteral(
    "{%- for message in messages %}\n{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + "
    "'<|im_end|>\\n' }}\n{%- endfor %}\n{%- if add_generation_prompt %}\n{{- '<|im_start|>assistant\\n' }}\n{%- endif "
    "%}\n");

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

QString originOf(const protocol::ModelCard& card) {
  const QString origin = QFileInfo(text(card.templateOrigin)).fileName();  // a path would not wrap
  if (!card.problem.empty()) return text(card.problem);
  if (card.templateEdited) return TemplatePreview::tr("This project's own, in place of the one that the model brings.");
  if (!card.templateText.empty()) return TemplatePreview::tr("Found in %1.").arg(origin);
  return origin.isEmpty() ? TemplatePreview::tr("The model brings none; the built-in one, ChatML, is used.")
                          : TemplatePreview::tr("The model brings none; %1 is used.").arg(origin);
}

}  // namespace

TemplatePreview::TemplatePreview(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_origin(bodyLabel(QString(), this)),
      m_problem(new Label(QString(), TextRole::body, Tone::bad, this)),
      m_done(bodyLabel(QString())),
      m_edit(makeButton(tr("Edit"), ButtonKind::link, this)),
      m_toggle(makeButton(QString(), ButtonKind::link, this)),
      m_save(makeButton(QString())),
      m_takeBack(makeButton(tr("Discard changes"), ButtonKind::quiet)),
      m_own(makeButton(tr("Use the model's own again"), ButtonKind::link, this)),
      m_undoButton(makeButton(tr("Undo"), ButtonKind::link)),
      m_source(new QPlainTextEdit(this)),
      m_actions(new QWidget(this)),
      m_offer(new QWidget(this)) {
  m_source->setWhatsThis(tr("The Jinja template that turns a conversation into the prompt of this model."));
  setObjectName("templatePreview");
  setAccessibleName(tr("Chat template"));
  build();
  connect(m_toggle, &QPushButton::toggled, this, &TemplatePreview::setOpen);
  connect(m_edit, &QPushButton::clicked, this, &TemplatePreview::edit);
  connect(m_save, &QPushButton::clicked, this, &TemplatePreview::save);
  connect(m_takeBack, &QPushButton::clicked, this, &TemplatePreview::takeBack);
  connect(m_own, &QPushButton::clicked, this, &TemplatePreview::useOwn);
  connect(m_undoButton, &QPushButton::clicked, this, [this] {
    const auto undo = m_undo;  // it may offer something else, and so replace itself
    if (undo) undo();
  });
  auto* keys = new QShortcut(QKeySequence("Ctrl+S"), m_source);
  keys->setContext(Qt::WidgetShortcut);
  connect(keys, &QShortcut::activated, this, &TemplatePreview::save);
  m_storing.setSingleShot(true);
  m_storing.setInterval(kStoreMilliseconds);
  connect(&m_storing, &QTimer::timeout, this, &TemplatePreview::storeDraft);
  connect(m_source, &QPlainTextEdit::textChanged, this, [this] {
    if (!m_editing) return;
    m_storing.start();
    refresh();
  });
  connect(&session.engine(), &EngineClient::stateChanged, this, &TemplatePreview::refresh);
  setOpen(false);
  offer({}, {});
  say({});
}

TemplatePreview::~TemplatePreview() {
  if (m_storing.isActive()) storeDraft();
}

void TemplatePreview::build() {
  m_origin->setObjectName("templateOrigin");
  m_problem->setObjectName("templateProblem");
  m_problem->setWordWrap(true);
  m_done->setObjectName("templateDone");
  m_edit->setObjectName("templateEdit");
  m_edit->setIcon(icon("pencil", Ink::accent));
  m_edit->setAccessibleName(tr("Edit the chat template for this project"));
  m_toggle->setObjectName("templateToggle");
  m_toggle->setCheckable(true);
  m_save->setObjectName("templateSave");
  m_takeBack->setObjectName("templateTakeBack");
  m_own->setObjectName("templateOwn");
  m_own->setToolTip(tr("Chats, training and evaluation in this project use the model's own template"));
  m_undoButton->setObjectName("templateUndo");
  m_source->setObjectName("templateSource");
  m_source->setAccessibleName(tr("Source of the chat template"));
  m_source->setTabChangesFocus(true);
  m_source->setFrameShape(QFrame::NoFrame);
  m_source->setLineWrapMode(QPlainTextEdit::NoWrap);
  followTheme(this, [this] {
    m_source->setFont(fontOf(TextRole::mono));
    m_source->setFixedHeight(kLinesShown * m_source->fontMetrics().lineSpacing() + 2 * kGapRelated);
  });

  const auto row = [](QWidget* widget = nullptr) {
    auto* layout = new QHBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGapRelated);
    return layout;
  };
  new FlowLayout(kGapRelated, kGapInside, m_actions);
  m_actions->layout()->addWidget(m_save);
  m_actions->layout()->addWidget(m_takeBack);
  QHBoxLayout* offered = row(m_offer);
  offered->addWidget(m_done, 1);
  offered->addWidget(m_undoButton, 0, Qt::AlignTop);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapInside);
  layout->addWidget(new FoldingRow(sectionLabel(tr("Chat template")), rowOf({m_edit, m_toggle}), this));
  layout->addWidget(m_origin);
  layout->addWidget(m_own, 0, Qt::AlignLeft);
  layout->addWidget(m_offer);
  layout->addWidget(m_source);
  layout->addWidget(m_problem);
  layout->addWidget(m_actions);
}

/// A draft belongs to a project's model, however that is opened.
QString TemplatePreview::draftKey() const {
  const std::string folder = m_session.project() ? m_session.project()->folder : std::string();
  const QByteArray whose = QByteArray::fromStdString(folder + '\n' + m_card.ref.model + '\n' + m_card.ref.adapter);
  return "models/template-" +
         QString::fromLatin1(QCryptographicHash::hash(whose, QCryptographicHash::Sha256).toHex().left(kKeyDigits));
}

void TemplatePreview::show(const protocol::ModelCard& card) {
  const bool same = card.ref.model == m_card.ref.model && card.ref.adapter == m_card.ref.adapter;
  if (!same && m_storing.isActive()) storeDraft();
  m_card = card;
  if (!same) {
    leaveEditing();
    offer({}, {});
    const QString draft = m_session.settings().value(draftKey()).toString();
    if (!draft.isEmpty() && draft != text(card.templateText) && canEdit()) beginEditing(draft);
  }
  if (!m_editing) {
    m_source->setPlainText(text(card.templateText));
    if (card.templateText.empty()) setOpen(false);
  }
  refresh();
}

bool TemplatePreview::canEdit() const {
  return !m_card.tokenizer.empty();
}

void TemplatePreview::edit() {
  if (!canEdit()) return;
  if (!m_editing) beginEditing(m_card.templateText.empty() ? kBeginning : text(m_card.templateText));
  m_source->setFocus(Qt::OtherFocusReason);
  Q_EMIT opened();
}

void TemplatePreview::beginEditing(const QString& draft) {
  offer({}, {});
  m_source->setPlainText(draft);
  m_editing = true;
  setOpen(true);
}

void TemplatePreview::leaveEditing() {
  m_editing = false;
  m_storing.stop();
  say({});
  m_source->setPlainText(text(m_card.templateText));
  setOpen(isOpen() && !m_card.templateText.empty());
}

/// A draft outlives the process.
void TemplatePreview::storeDraft() {
  m_storing.stop();
  const QString typed = m_source->toPlainText();
  if (!m_editing || typed == text(m_card.templateText)) {
    m_session.settings().remove(draftKey());
  } else {
    m_session.settings().setValue(draftKey(), typed.left(kDraftMost));
  }
}

void TemplatePreview::save() {
  if (!m_save->isEnabled()) return;
  const QString typed = m_source->toPlainText();
  send(typed, [this, typed] {
    m_card.templateText = typed.toStdString();
    m_card.templateEdited = true;
    if (m_source->toPlainText() == typed) leaveEditing();
    storeDraft();
    m_session.announce(tr("The template is saved for this project."));
  });
}

void TemplatePreview::takeBack() {
  const QString typed = m_source->toPlainText();
  const bool different = typed != text(m_card.templateText);
  leaveEditing();
  storeDraft();
  if (different) {
    offer(tr("Changes discarded."), [this, typed] {
      beginEditing(typed);
      storeDraft();
    });
  }
  m_edit->setFocus(Qt::OtherFocusReason);
}

void TemplatePreview::useOwn() {
  const QString before = text(m_card.templateText);
  send({}, [this, before] {
    offer(tr("The model's own template is used again."), [this, before] { send(before, [this] { offer({}, {}); }); });
  });
}

void TemplatePreview::send(const QString& source, std::function<void()> done) {
  m_sending = true;
  say({});
  protocol::ModelRef ref;  // of the model, however it is opened
  ref.model = m_card.ref.model;
  ref.adapter = m_card.ref.adapter;
  m_session.engine().call<protocol::SetTemplate>(
      {ref, source.toStdString()}, this, [this, ref, done = std::move(done)](const Result<protocol::Nothing>& answer) {
        m_sending = false;
        const bool shown = ref.model == m_card.ref.model && ref.adapter == m_card.ref.adapter;
        if (!answer) {
          const QString why = text(answer.error().message);
          if (!shown) {
            m_session.announce(why);
          } else {
            say(why);
            Q_EMIT opened();
          }
          return refresh();
        }
        if (shown) done();
        refresh();
        Q_EMIT changed();
      });
  refresh();
}

void TemplatePreview::offer(const QString& sentence, std::function<void()> undo) {
  m_done->setText(sentence);
  m_undo = std::move(undo);
  m_offer->setVisible(!sentence.isEmpty());
}

void TemplatePreview::say(const QString& problem) {
  m_problem->setText(problem);
  m_problem->setVisible(!problem.isEmpty());
  m_source->setAccessibleDescription(problem);
}

void TemplatePreview::refresh() {
  const bool ready = m_session.engine().ready(), source = !m_card.templateText.empty();
  const QString typed = m_source->toPlainText();
  m_origin->setText(m_editing ? tr("Saved, it is this project's own: the model's files stay as they are.")
                              : originOf(m_card));
  m_origin->setToolTip(m_editing ? QString() : tipOf(text(m_card.templateOrigin)));
  m_origin->setTone(m_editing || m_card.problem.empty() ? Tone::second : Tone::warn);
  m_source->setReadOnly(!m_editing);
  m_edit->setVisible(canEdit() && !m_editing);
  m_toggle->setVisible(source && !m_editing);
  m_actions->setVisible(m_editing);
  m_save->setText(!ready ? tr("Save waits for the engine") : m_sending ? tr("Saving") : tr("Save for this project"));
  m_save->setEnabled(ready && m_editing && !m_sending && !typed.trimmed().isEmpty() &&
                     typed != text(m_card.templateText));
  m_save->setToolTip(typed.trimmed().isEmpty() ? tr("A template without text would write nothing")
                                               : tr("For chats, training and evaluation in this project (Ctrl+S)"));
  m_own->setVisible(m_card.templateEdited && !m_editing);
  m_own->setEnabled(ready && !m_sending);
  m_undoButton->setEnabled(!m_sending);
}

void TemplatePreview::setOpen(bool open) {
  m_source->setVisible(open);
  m_toggle->setChecked(open);
  m_toggle->setText(open ? tr("Fold") : tr("Show the source"));
  m_toggle->setIcon(icon(open ? "chevron-up" : "chevron-down", Ink::accent));
  m_toggle->setAccessibleName(open ? tr("Fold the chat template") : tr("Show the chat template's source"));
  refresh();
}

bool TemplatePreview::isOpen() const {
  return m_toggle->isChecked();
}

}  // namespace strata
