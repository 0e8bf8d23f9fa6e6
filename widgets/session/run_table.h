#pragma once
// The project's runs, the newest first, and its trash: one row a run, kept up to date by what the engine tells of them.

#include <QString>
#include <functional>
#include <vector>

#include "core/protocol/messages.h"
#include "widgets/client/engine_client.h"
#include "widgets/session/rows.h"

namespace strata {

class RunTable : public Rows<protocol::JobInfo> {
  Q_OBJECT

 public:
  enum Column { kName, kState, kDone, kLeft, kCreated, kColumns };
  static constexpr int kIdRole = Qt::UserRole;
  static constexpr int kTagsRole = Qt::UserRole + 1;  // QStringList
  static constexpr int kNoteRole = Qt::UserRole + 2;

  explicit RunTable(EngineClient& engine, QObject* parent = nullptr);

  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : kColumns; }
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  /// The newest of those that are alive; nullptr: none is.
  const protocol::JobInfo* running() const;
  int runningCount() const;
  /// What is in the project's trash, whoever moved it there, the newest first.
  const std::vector<protocol::JobInfo>& trash() const { return m_trash; }
  /// What this window moved there last and is still there; nullptr: nothing.
  const protocol::JobInfo* lastTrashed() const;

  void stop(const std::string& id);
  /// Whether the stop was asked for and the job has not ended yet.
  bool stopping(const std::string& id) const;
  /// In the queue, before another that waits ("": to its end).
  void moveInQueue(const std::string& id, const std::string& before);
  void pauseQueue(bool paused);
  bool queuePaused() const { return m_queuePaused; }
  /// The runs that wait, the next one first.
  std::vector<const protocol::JobInfo*> waiting() const;
  void moveToTrash(const std::string& id);
  void restore(const std::string& id);
  /// Of the trash, for good.
  void deleteTrashed(const std::string& id);
  /// Names a run, tags it or writes a note of it; `done` gets why that was refused, or an empty text.
  void annotate(const protocol::AnnotateJob::Params& note, QObject* context,
                std::function<void(const QString& problem)> done);
  /// Asks the engine for the project's runs and its trash.
  void refresh();
  void refreshTrash();
  /// Another project's runs are not known yet.
  void forget();

  /// "LoRA of base, p 0.5" or, of a run without a name, "Train: base on train.txt"; "running", "42 %", "3 min left".
  static QString title(const protocol::JobInfo& job);
  static QString stateText(const protocol::JobInfo& job);
  static QString percentText(const protocol::JobInfo& job);
  static QString timeLeftText(double seconds);

 Q_SIGNALS:
  void changed();
  /// A run began, ended, or came or went: lists of models are out of date.
  void statesChanged();
  /// Something asked for could not be done: one sentence.
  void failed(const QString& sentence);

 protected:
  std::string keyOf(const protocol::JobInfo& row) const override { return row.id; }

 private:
  void merge(const std::vector<protocol::JobInfo>& jobs);
  void take(const protocol::JobInfo& job);
  void remove(const std::string& id, const char* how, std::function<void()> done);
  /// All of the project's runs or of its trash, page by page.
  void list(bool trash, std::function<void(std::vector<protocol::JobInfo>)> done,
            std::vector<protocol::JobInfo> before = {});
  void forgetTrashed(const std::string& id);
  QString text(const protocol::JobInfo& job, int column) const;

  EngineClient& m_engine;
  std::vector<protocol::JobInfo> m_trash;
  std::vector<std::string> m_stopping;
  std::vector<std::string> m_trashedHere;  // the last one first
  bool m_queuePaused = false;
  bool m_known = false;  // a list has come since the project was opened
};

}  // namespace strata
