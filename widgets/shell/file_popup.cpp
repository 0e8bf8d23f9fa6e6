#include "widgets/shell/file_popup.h"

#include <QHBoxLayout>
#include <QLineEdit>
#include <QListWidget>
#include <array>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kWidth = 480;
constexpr int kRows = 12;
constexpr int kPathRole = Qt::UserRole, kFolderRole = Qt::UserRole + 1;

}  // namespace

bool isDataName(const QString& name) {
  constexpr std::array kEndings = {".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".txt", ".text", ".md"};
  QString plain = name.toLower();
  for (const char* packed : {".gz", ".zst"}) {
    if (plain.endsWith(packed)) plain.chop(static_cast<int>(qstrlen(packed)));
  }
  return std::any_of(kEndings.begin(), kEndings.end(), [&](const char* ending) { return plain.endsWith(ending); });
}

FilePopup::FilePopup(Session& session, const QString& folder, QWidget* parent)
    : Popup(parent),
      m_session(session),
      m_path(new QLineEdit(this)),
      m_list(new QListWidget(this)),
      m_problem(new Label(QString(), TextRole::body, Tone::bad, this)),
      m_use(makeButton(tr("Use this folder"), ButtonKind::plain, this)) {
  setAttribute(Qt::WA_DeleteOnClose);
  setObjectName("filePopup");
  setAccessibleName(tr("Choose a data file or a folder of them"));
  m_path->setObjectName("filePath");
  m_path->setAccessibleName(tr("Path"));
  m_path->setFont(fontOf(TextRole::mono));
  m_path->setPlaceholderText(tr("A path, then Enter"));
  m_path->setWhatsThis(tr("A file or folder of the engine's machine. Enter opens it."));
  m_list->setObjectName("fileList");
  m_list->setAccessibleName(tr("Folders and data files here"));
  m_list->setMinimumSize(scaled(kWidth), kRows * metrics().compactRow);
  m_problem->setObjectName("fileProblem");
  m_problem->setWordWrap(true);
  m_problem->hide();
  m_use->setObjectName("fileUse");
  m_use->setToolTip(tr("All data files in it, read in the order of their names"));

  content()->addWidget(sectionLabel(tr("Choose a data file or a folder of them"), this));
  content()->addWidget(m_path);
  content()->addWidget(m_list, 1);
  content()->addWidget(m_problem);
  auto* row = new QHBoxLayout;
  row->addWidget(captionLabel(tr("JSONL, JSON, CSV, Parquet and text files are listed."), this), 1);
  if (session.engine().remote()) {
    auto* upload = makeButton(tr("Upload from this machine…"), ButtonKind::link, this);
    upload->setObjectName("fileUpload");
    row->addWidget(upload);
    connect(upload, &QPushButton::clicked, this, [this] {
      close();
      m_session.askForUpload(false);
    });
  }
  row->addWidget(m_use);
  content()->addLayout(row);
  connect(m_use, &QPushButton::clicked, this, [this] { take(QString::fromStdString(m_shown.path)); });
  connect(m_path, &QLineEdit::returnPressed, this, [this] {
    const QString path = m_path->text().trimmed();
    isDataName(path) ? take(path) : go(path);
  });
  connect(m_list, &QListWidget::itemActivated, this, [this](QListWidgetItem* item) { activate(m_list->row(item)); });
  connect(m_list, &QListWidget::itemClicked, this, [this](QListWidgetItem* item) {
    if (!item->data(kFolderRole).toBool()) activate(m_list->row(item));
  });
  go(folder);
}

void FilePopup::say(const QString& problem) {
  m_problem->setText(problem);
  m_problem->setVisible(!problem.isEmpty());
}

void FilePopup::go(const QString& folder) {
  m_use->setEnabled(false);
  say(m_session.engine().ready() ? QString() : tr("The list waits for the engine."));
  const int number = ++m_asked;
  m_session.engine().call<protocol::ListFolder>(
      {folder.toStdString()}, this, [this, number, folder](const Result<protocol::ListFolder::Answer>& answer) {
        if (number != m_asked) return;
        if (answer) return fill(*answer);
        // The folder of last time may be gone: begin at home, once.
        if (m_shown.path.empty() && !folder.isEmpty()) return go({});
        m_use->setEnabled(!m_shown.path.empty());
        say(QString::fromStdString(answer.error().message));
      });
}

void FilePopup::fill(const protocol::ListFolder::Answer& answer) {
  m_shown = answer;
  say({});
  m_use->setEnabled(true);
  m_path->setText(QString::fromStdString(answer.path));
  m_list->clear();
  const auto add = [&](const QString& name, const std::string& path, bool folder, const char* sign) {
    auto* item = new QListWidgetItem(icon(sign, Ink::second), name, m_list);
    item->setData(kPathRole, QString::fromStdString(path));
    item->setData(kFolderRole, folder);
  };
  if (!answer.parent.empty()) add(tr("One folder up"), answer.parent, true, "arrow-up");
  const std::string root = answer.path == "/" ? answer.path : answer.path + "/";
  for (const protocol::FolderEntry& entry : answer.entries) {
    const QString name = QString::fromStdString(entry.name);
    if (entry.folder) add(name, root + entry.name, true, "folder");
    if (!entry.folder && isDataName(name)) {
      add(tr("%1   %2").arg(name, formatBytes(entry.bytes)), root + entry.name, false, "file-earmark-text");
    }
  }
  m_list->setCurrentRow(0);
}

void FilePopup::activate(int row) {
  const QListWidgetItem* item = m_list->item(row);
  const QString path = item->data(kPathRole).toString();
  item->data(kFolderRole).toBool() ? go(path) : take(path);
}

void FilePopup::take(const QString& path) {
  if (path.isEmpty()) return;
  Q_EMIT chosen(path);
  close();
}

}  // namespace strata
