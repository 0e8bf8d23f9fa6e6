#pragma once
// The jobs of an open project: which runs there are, how far they are, and whether they live; started, stopped, moved
// to the trash; watched by a thread that sends jobs/changed and jobs/points.
//
//   JobBoard jobs({.project = folder, .program = "/usr/bin/strata"}, notify);
//   STRATA_TRY(const protocol::JobInfo job, jobs.start(params));
// Runs that other processes start show up too: locks and folders say what there is. Thread-safe.

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/config/train_config.h"
#include "core/project/run_index.h"
#include "core/project/run_notes.h"
#include "core/project/run_queue.h"
#include "core/project/run_reader.h"
#include "core/service/methods.h"

namespace strata {

class JobBoard {
 public:
  struct Options {
    std::filesystem::path project;      // folder
    std::filesystem::path program;      // the strata that jobs are started with
    std::chrono::seconds patience{30};  // without progress: then a stop becomes a TERM, and that a KILL (pressStops)
  };

  JobBoard(Options options, Notifier notify);
  ~JobBoard();

  /// A run whose files are as they were is not read again.
  Result<protocol::ListJobs::Answer> list(const protocol::ListJobs::Params& params);
  /// Of a run that the project has.
  Result<std::filesystem::path> runFolder(const std::string& id) const;
  /// Makes the runs. Training waits in the queue while other training lives, waits before it, or the queue is paused;
  /// the rest starts at once. The runs in order, as they stand once what could start has begun or failed.
  Result<std::vector<protocol::JobInfo>> start(const protocol::StartJob::Params& params);
  Result<void> move(const protocol::MoveJob::Params& params);
  Result<void> pauseQueue(bool paused);
  Result<void> stop(const std::string& id);
  Result<void> remove(const protocol::RemoveJob::Params& params);
  Result<protocol::JobInfo> annotate(const protocol::AnnotateJob::Params& params);
  /// Evaluations that are done, and searches that have begun, the newest first; only runs that have changed are read
  /// for it.
  std::vector<std::string> runsThatMeasured();
  /// What people call the runs, by their ids.
  std::map<std::string, std::string> names();
  Result<void> watch(const protocol::WatchJob::Params& params);

 private:
  using Clock = std::chrono::steady_clock;

  struct Entry {
    protocol::JobInfo info;
    std::filesystem::file_time_type stored;  // of run.json
    bool indexed = false;                    // the project's index has it as it is
    double stepSeconds = -1;
    std::optional<RunReader> reader;  // while it lives
    std::optional<std::chrono::system_clock::time_point> terminated;
  };
  struct Watch {
    std::int64_t fromStep = 0;
    std::optional<RunReader> reader;
  };

  std::filesystem::path folderOf(const std::string& id) const { return m_options.project / "runs" / id; }
  Result<std::vector<protocol::JobInfo>> listTrash() const;
  /// With what people wrote of it. m_entries, the index and listTrash() have it without.
  protocol::JobInfo annotated(protocol::JobInfo info) const;
  Result<void> checkNote(const std::string& id, const RunNote& note) const;
  void openQueue();
  /// Stores the queue as `edit` leaves it; all who wait then or did before are told of.
  Result<void> changeQueue(const std::function<void(RunQueue::Contents&)>& edit);
  /// In the queue, from 1; 0: it does not wait there.
  std::int64_t placeOf(const std::string& id) const;
  bool isWaiting(const std::string& id) const { return placeOf(id) > 0; }
  /// Starts the queue's next run where one may start; `lock` is let go meanwhile.
  void startNext(std::unique_lock<std::mutex>& lock);
  Result<RunInfo> startTraining(const std::string& id) const;
  void loop(const std::stop_token& ended);
  /// Reads what may have changed: all runs, or those that lived at the last look.
  void refresh(bool all);
  void refreshOne(const std::string& id);
  /// Keeps what is known of runs that have ended for the next engine.
  void storeIndex();
  void pressStops();
  /// Whether there is more to send.
  bool sendPoints();
  void sendChanged();

  Options m_options;
  Notifier m_notify;
  mutable std::mutex m_mutex;  // of everything below
  std::condition_variable_any m_wake;
  std::optional<RunIndex> m_index;         // nothing: it cannot be used
  std::optional<RunNotes> m_notebook;      // likewise
  std::map<std::string, RunNote> m_notes;  // what it holds, by id
  std::optional<RunQueue> m_queueFile;     // likewise
  RunQueue::Contents m_queue;              // what it holds
  bool m_queueTold = true;                 // whether the window knows of the pause
  std::string m_starting;                  // the run of the queue that is being started; it leaves once it has begun
  std::map<std::string, Entry> m_entries;  // by id
  std::vector<std::string> m_gone;         // ids that the index may still have
  std::map<std::string, Watch> m_watches;
  std::map<std::string, protocol::JobInfo> m_changed;
  std::filesystem::file_time_type m_runsChanged;
  bool m_woken = false;
  std::jthread m_thread;
};

/// The configuration that such a request means: over the defaults or the run that it extends, names and paths resolved
/// in the project. Its check is the caller's.
Result<TrainConfig> requestedTraining(const std::filesystem::path& project,
                                      const protocol::EstimateTraining::Params& params);

/// Checks what is asked for and makes the run in the state queued, or queues one again that stopped; of a sweep all its
/// runs. Their ids.
Result<std::vector<std::string>> queueJobs(const std::filesystem::path& project,
                                           const protocol::StartJob::Params& params);

}  // namespace strata
