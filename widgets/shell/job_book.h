#pragma once
// The project's jobs as the engine tells of them: what the strip at the foot and the palette show.

#include <QObject>
#include <functional>
#include <vector>

#include "widgets/shell/workspace.h"

namespace strata {

class JobBook : public QObject {
  Q_OBJECT

 public:
  explicit JobBook(Workspace& workspace, QObject* parent = nullptr);

  /// The newest first.
  const std::vector<protocol::JobInfo>& jobs() const { return m_jobs; }
  const protocol::JobInfo* find(const std::string& id) const;
  /// The newest of those that are alive; nullptr: none is.
  const protocol::JobInfo* running() const;
  int runningCount() const;
  /// What lies in the project's trash, whoever moved it there, the newest first.
  const std::vector<protocol::JobInfo>& trash() const { return m_trash; }
  /// What this window moved there last and is still there; nullptr: nothing.
  const protocol::JobInfo* lastTrashed() const;

  void stop(const std::string& id);
  /// Whether the stop was asked for and the job has not left yet.
  bool stopping(const std::string& id) const;
  void moveToTrash(const std::string& id);
  void restore(const std::string& id);
  /// Of the trash, for good.
  void deleteTrashed(const std::string& id);
  void refresh();
  void refreshTrash();

  /// "train", "running", "42 %", "3 min left" for a person.
  static QString stateText(const protocol::JobInfo& job);
  static QString percentText(const protocol::JobInfo& job);
  static QString timeLeftText(double seconds);
  static QString title(const protocol::JobInfo& job);

 Q_SIGNALS:
  void changed();
  /// Something asked for could not be done: one sentence.
  void failed(const QString& sentence);

 private:
  void merge(const std::vector<protocol::JobInfo>& jobs);
  void remove(const std::string& id, const char* how, std::function<void()> done);
  void forgetTrashed(const std::string& id);

  Workspace& m_workspace;
  std::vector<protocol::JobInfo> m_jobs, m_trash;
  std::vector<std::string> m_stopping;
  std::vector<std::string> m_trashedHere;  // the last one first
};

}  // namespace strata
