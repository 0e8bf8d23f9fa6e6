#include "widgets/shell/upload.h"

#include <QDir>
#include <utility>

namespace strata {
namespace {

constexpr qint64 kPiece = 1 << 20;

}  // namespace

LocalFiles filesToUpload(const QString& path) {
  const QFileInfo whole(QDir::cleanPath(path));
  LocalFiles what;
  what.path = whole.absoluteFilePath();
  what.name = whole.fileName();
  what.folder = whole.isDir();
  if (what.folder) {
    const QDir folder(what.path);
    what.files = folder.entryInfoList(QDir::Files, QDir::Name);
    what.foldersLeftOut = static_cast<int>(folder.entryList(QDir::Dirs | QDir::NoDotAndDotDot).size());
  } else if (whole.isFile()) {
    what.files = {whole};
  }
  for (const QFileInfo& file : what.files) what.bytes += file.size();
  return what;
}

Upload::Upload(Session& session, QObject* parent) : QObject(parent), m_session(session) {
  connect(&session, &Session::projectChanged, this, [this] {
    const auto& project = m_session.project();
    if (!m_running || !project || project->folder == m_project) return;
    fail(ErrorCode::busy, tr("Another project was opened while %1 was being sent.").arg(m_what.name));
  });
}

void Upload::start(const LocalFiles& what) {
  if (m_running) return;
  ++m_start;
  m_what = what;
  m_at = -1;
  m_sent = 0;
  m_project = m_session.project() ? m_session.project()->folder : std::string();
  m_running = true;
  openNext();
}

void Upload::stop() {
  if (m_running) fail(ErrorCode::cancelled, tr("Stopped."));
}

void Upload::openNext() {
  ++m_at;
  if (m_at >= m_what.files.size()) return fail(ErrorCode::notFound, tr("%1 holds no files.").arg(m_what.name));
  m_file = std::make_shared<QFile>(m_what.files[m_at].absoluteFilePath());
  m_offset = 0;
  readPiece();
}

void Upload::readPiece() {
  const auto read = [file = m_file, offset = m_offset, sizeBefore = m_size] {
    Piece piece;
    if (!file->isOpen() && !file->open(QIODevice::ReadOnly)) {
      piece.problem = tr("%1 cannot be read: %2.").arg(file->fileName(), file->errorString());
      return piece;
    }
    piece.size = offset == 0 ? file->size() : sizeBefore;
    const QByteArray bytes = file->read(std::min(kPiece, piece.size - offset));
    piece.bytes = bytes.size();
    if (file->error() != QFileDevice::NoError) {
      piece.problem = tr("%1 cannot be read: %2.").arg(file->fileName(), file->errorString());
    } else if (piece.bytes < std::min(kPiece, piece.size - offset)) {
      piece.problem = tr("%1 became shorter while it was being sent.").arg(file->fileName());
    }
    piece.base64 = bytes.toBase64().toStdString();
    return piece;
  };
  m_reader.run<Piece>(this, read, [this, start = m_start](const Piece& piece) {
    if (m_running && start == m_start) sendPiece(piece);
  });
}

void Upload::sendPiece(const Piece& piece) {
  if (!piece.problem.isEmpty()) return fail(ErrorCode::io, piece.problem);
  m_size = piece.size;
  const QString name = m_what.files[m_at].fileName();
  protocol::PutFile::Params params;
  params.name = (m_what.folder ? m_what.name + '/' + name : name).toStdString();
  params.offset = m_offset;
  params.data = piece.base64;
  params.last = m_offset + piece.bytes == m_size;
  m_ticket = m_session.engine().call<protocol::PutFile>(
      params, this, [this, bytes = piece.bytes, last = params.last, start = m_start](const auto& answer) {
        if (m_running && start == m_start) answered(answer, bytes, last);
      });
}

void Upload::answered(const Result<protocol::PutFile::Answer>& answer, qint64 bytes, bool last) {
  m_ticket = 0;
  if (!answer) return finish(tl::unexpected(answer.error()));
  m_sent += bytes;
  m_offset += bytes;
  Q_EMIT progressed();
  if (!m_running) return;  // whoever heard of it stopped it
  if (!last) return readPiece();
  if (m_at + 1 < m_what.files.size()) return openNext();
  const QString path = QString::fromStdString(answer->path);
  finish(m_what.folder ? path.section('/', 0, -2) : path);
}

void Upload::fail(ErrorCode code, const QString& sentence) {
  if (m_ticket != 0) m_session.engine().cancel(std::exchange(m_ticket, 0));
  finish(tl::unexpected(Error{code, sentence.toStdString(), m_what.path.toStdString()}));
}

void Upload::finish(const Result<QString>& path) {
  m_running = false;
  // Closed where it is read.
  m_reader.post([file = std::move(m_file)]() mutable { file.reset(); });
  if (m_finished) m_finished(path);
}

}  // namespace strata
