#include "widgets/shell/folder_popup.h"

#include <QHBoxLayout>
#include <QLineEdit>
#include <QListWidget>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kWidth = 420;
constexpr int kRows = 10;

}  // namespace

bool isGgufName(const QString& path) {
  return path.endsWith(".gguf", Qt::CaseInsensitive);
}

FolderPopup::FolderPopup(Session& session, Purpose purpose, QWidget* parent)
    : Popup(parent), m_session(session), m_purpose(purpose) {
  setAttribute(Qt::WA_DeleteOnClose);
  named(this, "folder-popup", sentence());
  content()->addWidget(sectionLabel(sentence(), this));
  m_path = named(new QLineEdit(this), "folder-path", tr("Folder"));
  m_path->setFont(fontOf(TextRole::mono));
  m_path->setPlaceholderText(tr("A path, then Enter"));
  m_path->setWhatsThis(tr("A folder on the engine's machine. Enter lists its contents."));
  content()->addWidget(m_path);
  m_list = named(new QListWidget(this), "folder-list", tr("Folders here"));
  m_list->setMinimumWidth(scaled(kWidth));
  m_list->setMinimumHeight(kRows * metrics().compactRow);
  content()->addWidget(m_list, 1);
  m_problem = new Label({}, TextRole::body, Tone::bad, this);
  m_problem->setWordWrap(true);
  m_problem->hide();
  content()->addWidget(m_problem);
  if (purpose == Purpose::newProject) {
    m_name = named(new QLineEdit(this), "folder-name");
    content()->addWidget(
        new Field(tr("Name of the new project"), m_name, tr("A folder of this name is made here."), this));
    connect(m_name, &QLineEdit::returnPressed, this, &FolderPopup::choose);
  }
  m_use = named(makeButton(purpose == Purpose::newProject ? tr("Make the project here") : tr("Use this folder"),
                           ButtonKind::accent, this),
                "folder-use");
  auto* row = new QHBoxLayout;
  if (purpose == Purpose::model && session.engine().remote()) {
    auto* upload = named(makeButton(tr("Upload from this machine…"), ButtonKind::link, this), "folder-upload");
    row->addWidget(upload);
    connect(upload, &QPushButton::clicked, this, [this] {
      close();
      m_session.askForUpload(true);
    });
  }
  row->addStretch();
  row->addWidget(m_use);
  content()->addLayout(row);
  connect(m_use, &QPushButton::clicked, this, &FolderPopup::choose);
  connect(m_path, &QLineEdit::returnPressed, this, [this] {
    const QString path = m_path->text().trimmed();
    m_purpose == Purpose::model&& isGgufName(path) ? take(path) : go(path);
  });
  connect(m_list, &QListWidget::itemActivated, this, [this](QListWidgetItem* item) { activate(m_list->row(item)); });
  go(session.settings().value("folders/last").toString());
}

QString FolderPopup::sentence() const {
  switch (m_purpose) {
    case Purpose::model:
      return tr("Choose a model's folder or a .gguf file");
    case Purpose::project:
      return tr("Choose a project's folder");
    case Purpose::newProject:
      return tr("Where the new project is to be");
    case Purpose::folder:
      return tr("Choose a folder");
  }
  return {};
}

void FolderPopup::go(const QString& folder) {
  m_use->setEnabled(false);
  if (!m_session.engine().ready()) {
    m_problem->setText(tr("The list waits for the engine."));
    m_problem->show();
  }
  const int number = ++m_asked;
  m_session.engine().call<protocol::ListFolder>(
      {folder.toStdString()}, this, [this, number, folder](const Result<protocol::ListFolder::Answer>& answer) {
        if (number != m_asked) return;
        m_use->setEnabled(answer.has_value());
        m_problem->setVisible(!answer);
        if (answer) return fill(*answer);
        m_problem->setText(QString::fromStdString(answer.error().message));
        // The folder of last time may be gone: begin at home, once.
        if (m_list->count() == 0 && !folder.isEmpty()) go({});
      });
}

void FolderPopup::fill(const protocol::ListFolder::Answer& answer) {
  m_shown = answer;
  m_path->setText(QString::fromStdString(answer.path));
  m_list->clear();
  if (!answer.parent.empty()) m_list->addItem(new QListWidgetItem(icon("arrow-up", Ink::second), tr("One folder up")));
  for (const protocol::FolderEntry& entry : answer.entries) {
    const QString name = QString::fromStdString(entry.name);
    const bool gguf = m_purpose == Purpose::model && !entry.folder && isGgufName(name);
    if (!entry.folder && !gguf) continue;
    const QString what = gguf            ? "   " + formatBytes(entry.bytes)
                         : entry.model   ? tr("   model")
                         : entry.project ? tr("   project")
                                         : QString();
    const char* sign = entry.model || gguf ? "box-seam" : entry.project ? "folder2-open" : "folder";
    auto* item = new QListWidgetItem(icon(sign), name + what, m_list);
    item->setData(Qt::UserRole, QString::fromStdString(answer.path + "/" + entry.name));
    item->setData(Qt::UserRole + 1, gguf || (m_purpose == Purpose::model && entry.model) ||
                                        (m_purpose == Purpose::project && entry.project));
  }
  m_list->setCurrentRow(0);
}

/// What is looked for is taken; any other folder is gone into.
void FolderPopup::activate(int row) {
  const QListWidgetItem* item = m_list->item(row);
  const QString folder = item->data(Qt::UserRole).toString();
  if (folder.isEmpty()) return go(QString::fromStdString(m_shown.parent));
  if (!item->data(Qt::UserRole + 1).toBool()) return go(folder);
  m_session.settings().setValue("folders/last", QString::fromStdString(m_shown.path));
  take(folder);
}

void FolderPopup::take(const QString& path) {
  Q_EMIT chosen(path);
  close();
}

void FolderPopup::choose() {
  QString folder = QString::fromStdString(m_shown.path);
  if (folder.isEmpty()) return;
  m_session.settings().setValue("folders/last", folder);
  if (m_name != nullptr) {
    const QString name = m_name->text().trimmed();
    if (name.isEmpty() || name.contains('/')) {
      m_problem->setText(tr("Give the new project a name without a slash."));
      m_problem->show();
      return;
    }
    folder += "/" + name;
  }
  take(folder);
}

}  // namespace strata
