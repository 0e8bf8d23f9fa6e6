#include "widgets/shell/run_popup.h"

#include <QHBoxLayout>
#include <QLineEdit>
#include <QPlainTextEdit>

#include "widgets/style/controls.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kNameWidth = 360;
constexpr int kNoteRows = 4;

}  // namespace

RunPopup::RunPopup(Session& session, const protocol::JobInfo& run, QWidget* parent)
    : Popup(parent), m_session(session), m_id(run.id), m_given(QString::fromStdString(run.name)) {
  setAttribute(Qt::WA_DeleteOnClose);
  named(this, "run-popup", tr("Name, tags and note of the run"));
  QStringList tags;
  for (const std::string& tag : run.tags) tags << QString::fromStdString(tag);
  m_name = named(new QLineEdit(m_given, this), "run-name");
  m_name->setMinimumWidth(scaled(kNameWidth));
  m_tags = named(new QLineEdit(tags.join(", "), this), "run-tags");
  m_note = named(new QPlainTextEdit(QString::fromStdString(run.note), this), "run-note");
  m_note->setTabChangesFocus(true);
  m_note->setFixedHeight(kNoteRows * metrics().compactRow);
  m_save = named(makeButton(tr("Save"), ButtonKind::accent, this), "run-save", tr("Save name, tags and note"));
  m_nameField = new Field(tr("Name"), m_name, tr("Empty: the one that it was made with."), this);
  content()->addWidget(m_nameField);
  content()->addWidget(new Field(tr("Tags"), m_tags, tr("Separated by commas."), this));
  content()->addWidget(new Field(tr("Note"), m_note, {}, this));
  auto* row = new QHBoxLayout;
  row->addStretch();
  row->addWidget(m_save);
  content()->addLayout(row);
  connect(m_save, &QPushButton::clicked, this, &RunPopup::save);
  for (QLineEdit* line : {m_name, m_tags}) connect(line, &QLineEdit::returnPressed, this, &RunPopup::save);
  connect(m_name, &QLineEdit::textEdited, this, [this] { m_nameField->setProblem({}); });
  m_name->selectAll();
  setFocusProxy(m_name);
}

void RunPopup::save() {
  protocol::AnnotateJob::Params note;
  note.id = m_id;
  if (m_name->text() != m_given) note.name = m_name->text().trimmed().toStdString();
  note.note = m_note->toPlainText().trimmed().toStdString();
  note.tags.emplace();
  const QStringList tags = m_tags->text().split(',');
  for (const QString& tag : tags) {
    if (!tag.trimmed().isEmpty()) note.tags->push_back(tag.trimmed().toStdString());
  }
  m_save->setEnabled(false);
  m_session.runs().annotate(note, this, [this](const QString& problem) {
    if (problem.isEmpty()) return static_cast<void>(close());
    m_save->setEnabled(true);
    m_nameField->setProblem(problem);
  });
}

}  // namespace strata
