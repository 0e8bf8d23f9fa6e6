#pragma once
// Sends a file, or the files of a folder, of this machine to the project where the engine runs: a piece at a time, the
// next once the former is answered. Lives on the GUI thread, reads on another one, and never holds more than a piece.
//
//   Upload upload(session);
//   upload.onFinished([](const Result<QString>& path) { … });
//   upload.start(filesToUpload("/home/ada/train.jsonl"));

#include <QFile>
#include <QFileInfo>
#include <QObject>
#include <functional>
#include <memory>

#include "widgets/session/background.h"
#include "widgets/session/session.h"

namespace strata {

struct LocalFiles {
  QString path, name;
  bool folder = false;
  QList<QFileInfo> files;
  qint64 bytes = 0;
  int foldersLeftOut = 0;
};

/// A file, or the files of a folder, without hidden ones and without folders. Asks the disk.
LocalFiles filesToUpload(const QString& path);

class Upload : public QObject {
  Q_OBJECT

 public:
  explicit Upload(Session& session, QObject* parent = nullptr);

  /// Called with its path on the engine's machine, or why it is not there.
  void onFinished(std::function<void(const Result<QString>& path)> heard) { m_finished = std::move(heard); }
  /// From the first byte on.
  void start(const LocalFiles& what);
  /// It finishes with ErrorCode::cancelled.
  void stop();
  bool running() const { return m_running; }
  /// Bytes that the engine has.
  qint64 sent() const { return m_sent; }

 Q_SIGNALS:
  void progressed();

 private:
  struct Piece {
    std::string base64;
    qint64 bytes = 0, size = 0;  // of the piece, of the file
    QString problem;             // why it cannot be read
  };
  void openNext();
  void readPiece();
  void sendPiece(const Piece& piece);
  void answered(const Result<protocol::PutFile::Answer>& answer, qint64 bytes, bool last);
  void finish(const Result<QString>& path);
  void fail(ErrorCode code, const QString& sentence);

  Session& m_session;
  std::function<void(const Result<QString>&)> m_finished;
  LocalFiles m_what;
  std::shared_ptr<QFile> m_file;  // of the reading thread
  int m_at = 0;                   // of the files
  int m_start = 0;                // counts start(): an answer to an earlier one is late
  qint64 m_size = 0, m_offset = 0, m_sent = 0;
  std::string m_project;  // the folder of the one that it goes to
  EngineClient::Ticket m_ticket = 0;
  bool m_running = false;
  Background m_reader;
};

}  // namespace strata
