#include "widgets/shell/upload_bar.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QProgressBar>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kProgressSteps = 1000;
constexpr int kBarWidth = 160;

}  // namespace

UploadBar::UploadBar(Session& session, QWidget* parent) : QWidget(parent), m_session(session), m_upload(session) {
  named(this, "upload-bar", tr("Upload"));
  m_sentence = named(bodyLabel({}, this), "upload-sentence");
  m_bar = named(new QProgressBar(this), "upload-progress", tr("Progress of the upload"));
  m_bar->setTextVisible(false);
  m_bar->setRange(0, kProgressSteps);
  m_amount = named(new Label({}, TextRole::mono, Tone::second, this), "upload-amount");
  m_start = named(makeButton({}, ButtonKind::plain, this), "upload-start");
  m_start->setIcon(icon("upload"));
  m_stop = named(makeButton({}, ButtonKind::quiet, this), "upload-stop");
  auto* row = new QHBoxLayout(this);
  row->setSpacing(kGapRelated);
  row->addWidget(m_sentence, 1);
  row->addWidget(m_bar);
  row->addWidget(m_amount);
  row->addWidget(m_start);
  row->addWidget(m_stop);
  connect(m_start, &QPushButton::clicked, this, &UploadBar::start);
  connect(m_stop, &QPushButton::clicked, this, [this] { dismiss(); });
  connect(&m_upload, &Upload::progressed, this, &UploadBar::refresh);
  m_upload.onFinished([this](const Result<QString>& path) { finished(path); });
  connect(&session, &Session::projectChanged, this, &UploadBar::refresh);
  connect(&session.engine(), &EngineClient::stateChanged, this, &UploadBar::refresh);
  followTheme(this, [this, row] {
    row->setContentsMargins(kGapGroups + metrics().icon + kGapRelated, kGapRelated, kGapGroups, kGapRelated);
    m_bar->setFixedWidth(scaled(kBarWidth));
    update();
  });
  hide();
}

void UploadBar::offer(const QString& path, std::function<void(const QString& path)> then) {
  if (m_upload.running()) {
    return m_session.announce(tr("%1 is still uploading. Drop this again when it is done.").arg(m_offered.name));
  }
  m_offered = {};
  m_offered.name = QFileInfo(path).fileName();
  m_then = std::move(then);
  m_problem.clear();
  m_replaces = false;
  show();
  look(path, [this](const LocalFiles& files) { offered(files); });
}

void UploadBar::look(const QString& path, std::function<void(const LocalFiles&)> then) {
  m_looking = true;
  refresh();
  m_reader.run<LocalFiles>(
      this, [path] { return filesToUpload(path); },
      [this, number = ++m_looks, then = std::move(then)](const LocalFiles& files) {
        if (number != m_looks || !m_looking) return;
        m_looking = false;
        then(files);
      });
}

void UploadBar::offered(const LocalFiles& files) {
  m_offered = files;
  if (files.files.isEmpty()) m_problem = tr("%1 holds no file that could be sent.").arg(files.name);
  refresh();
  lookForOther();
  m_session.announce(m_sentence->text());
  (m_offered.files.isEmpty() ? m_stop : m_start)->setFocus(Qt::OtherFocusReason);
}

void UploadBar::lookForOther() {
  if (!m_session.project()) return;
  const std::string uploads = m_session.project()->folder + "/uploads";
  m_session.engine().call<protocol::ListFolder>(
      {uploads}, this, [this, name = m_offered.name](const Result<protocol::ListFolder::Answer>& answer) {
        if (!answer || name != m_offered.name) return;  // there is no such folder before the first upload
        for (const protocol::FolderEntry& entry : answer->entries) {
          m_replaces = m_replaces || QString::fromStdString(entry.name) == name;
        }
        refresh();
      });
}

bool UploadBar::dismiss() {
  if (isHidden()) return false;
  if (m_upload.running()) {
    m_upload.stop();
  } else {
    m_looking = false;
    hide();
  }
  return true;
}

void UploadBar::start() {
  m_problem.clear();
  m_stop->setFocus(Qt::OtherFocusReason);
  // It may have changed since it was offered.
  look(m_offered.path, [this](const LocalFiles& files) {
    m_offered = files;
    m_upload.start(files);
    refresh();
  });
}

void UploadBar::finished(const Result<QString>& path) {
  if (path) {
    hide();
    m_session.announce(tr("%1 is now in the project: %2").arg(m_offered.name, *path));
    const auto then = std::exchange(m_then, {});
    return then(*path);
  }
  const bool stopped = path.error().code == ErrorCode::cancelled;
  const QString sent = formatBytes(m_upload.sent()), all = formatBytes(m_offered.bytes);
  m_problem =
      stopped ? tr("Stopped after %1 of %2 of %3.").arg(sent, all, m_offered.name)
              : tr("%1 is not in the project: %2").arg(m_offered.name, QString::fromStdString(path.error().message));
  refresh();
  m_session.announce(m_problem);
}

QString UploadBar::question() const {
  QString sentence =
      tr("%1 is on this machine, and the engine runs on %2. Upload %3 to the project?")
          .arg(m_offered.name, QString::fromStdString(m_session.engine().engine().host), formatBytes(m_offered.bytes));
  if (m_offered.folder) sentence += ' ' + tr("Files: %1.").arg(formatCount(m_offered.files.size()));
  if (m_offered.foldersLeftOut > 0) {
    sentence += ' ' + tr("Folders inside it are left out: %1.").arg(formatCount(m_offered.foldersLeftOut));
  }
  if (m_replaces) sentence += ' ' + tr("One of this name was uploaded before: it is replaced.");
  return sentence;
}

void UploadBar::refresh() {
  if (isHidden()) return;
  const EngineClient& engine = m_session.engine();
  const bool running = m_upload.running(), ready = engine.ready() && m_session.project();
  const QString size = formatBytes(m_offered.bytes);
  if (running) {
    m_sentence->setText(ready ? tr("Sending %1 to %2").arg(m_offered.name, QString::fromStdString(engine.engine().host))
                              : tr("Sending %1 waits for the engine").arg(m_offered.name));
  } else if (m_looking) {
    m_sentence->setText(tr("Reading the list of files of %1").arg(m_offered.name));
  } else if (!m_problem.isEmpty()) {
    m_sentence->setText(m_problem);
  } else {
    m_sentence->setText(question());
  }
  m_sentence->setTone(!running && !m_problem.isEmpty() ? Tone::bad : Tone::normal);
  const double part =
      m_offered.bytes > 0 ? static_cast<double>(m_upload.sent()) / static_cast<double>(m_offered.bytes) : 0;
  m_bar->setVisible(running);
  m_bar->setValue(static_cast<int>(part * kProgressSteps));
  m_amount->setVisible(running);
  m_amount->setText(formatBytesOf(m_upload.sent(), m_offered.bytes));
  m_start->setVisible(!running && !m_looking && !m_offered.files.isEmpty());
  m_start->setEnabled(ready);
  m_start->setText(!ready                ? tr("Upload waits for the engine")
                   : m_problem.isEmpty() ? tr("Upload")
                                         : tr("Upload again"));
  m_start->setAccessibleName(tr("Upload %1, %2").arg(m_offered.name, size));
  m_stop->setText(running ? tr("Stop") : m_problem.isEmpty() ? tr("Not now") : tr("Close"));
  m_stop->setAccessibleName(running ? tr("Stop the upload") : tr("Close the offer to upload"));
  update();
}

void UploadBar::paintEvent(QPaintEvent*) {
  const Colors& c = colors();
  const bool failed = !m_upload.running() && !m_problem.isEmpty();
  QPainter painter(this);
  painter.fillRect(rect(), failed ? mixed(c.bad, c.surface, c.dark ? 0.16 : 0.08) : c.raised);
  painter.fillRect(QRect(0, 0, kSelectionEdge, height()), failed ? c.bad : c.accent);
  painter.fillRect(QRect(0, height() - 1, width(), 1), c.line);
  const int size = metrics().icon;
  const QIcon sign = failed ? icon("exclamation-triangle", Ink::bad) : icon("upload", Ink::accent);
  sign.paint(&painter, kGapGroups, (height() - size) / 2, size, size);
}

}  // namespace strata
