#pragma once
// Long work that is a process of its own (design.md section 4): it outlives engine and window.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/engine_messages.h"

namespace strata::protocol {

struct JobInfo {
  std::string id, kind, state, created, message, parent, title;
  bool alive = false;
  std::int64_t step = 0, steps = 0;
  double secondsLeft = -1;
  std::optional<double> loss;
  template <class V>
  void visit(V& v) {
    v("id", id, "of the run");
    v("kind", kind, "train or eval");
    v("state", state, "queued, running, paused, stopped, failed or done");
    v("created", created, "ISO 8601, UTC");
    v("message", message, "why it failed or stopped");
    v("parent", parent, "the run that it extends");
    v("title", title, "model and data, for a person");
    v("alive", alive, "whether a process holds its lock");
    v("step", step, "steps (train) or questions (eval) done");
    v("steps", steps, "in all; 0: unknown");
    v("seconds_left", secondsLeft, "-1: unknown");
    v("loss", loss, "the newest, of a training run");
  }
  bool operator==(const JobInfo&) const = default;
};

struct ListJobs {
  static constexpr const char* kName = "jobs/list";
  static constexpr const char* kHelp = "the project's runs, the newest first; also those that another process started";
  struct Params {
    bool trash = false;
    template <class V>
    void visit(V& v) {
      v("trash", trash, "those in the trash instead");
    }
  };
  struct Answer {
    std::vector<JobInfo> jobs;
    template <class V>
    void visit(V& v) {
      v("jobs", jobs, "the newest first");
    }
  };
};

struct StartJob {
  static constexpr const char* kName = "jobs/start";
  static constexpr const char* kHelp = "starts a job in the project; answers once it holds its lock or has failed";
  struct Params {
    std::string kind;
    Json config;
    std::string resume, extend;
    template <class V>
    void visit(V& v) {
      v("kind", kind, "train or eval");
      v("config", config, "the options of strata train or strata eval by their names");
      v("resume", resume, "id of a run to go on with");
      v("extend", extend, "id of a run to start from");
    }
  };
  struct Answer {
    JobInfo job;
    template <class V>
    void visit(V& v) {
      v("job", job, "as it stands");
    }
  };
};

struct StopJob {
  static constexpr const char* kName = "jobs/stop";
  static constexpr const char* kHelp =
      "asks a job to finish its step, write a checkpoint and leave; harder after 30 s and two steps' time";
  struct Params {
    std::string id;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
    }
  };
  using Answer = Nothing;
};

struct RemoveJob {
  static constexpr const char* kName = "jobs/remove";
  static constexpr const char* kHelp =
      "moves a run that is not alive to the project's trash, takes it back, or deletes it there for good";
  struct Params {
    std::string id, how = "trash";
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
      v("how", how, "trash, restore or delete");
    }
  };
  using Answer = Nothing;
};

struct ReadLog {
  static constexpr const char* kName = "jobs/log";
  static constexpr const char* kHelp = "a run's log from a byte on, at most 64 KiB";
  struct Params {
    std::string id;
    std::int64_t from = -1;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
      v("from", from, "byte; -1: the last 64 KiB");
    }
  };
  struct Answer {
    std::string text;
    std::int64_t next = 0;
    template <class V>
    void visit(V& v) {
      v("text", text, "of the log");
      v("next", next, "byte to go on from");
    }
  };
};

struct WatchJob {
  static constexpr const char* kName = "jobs/watch";
  static constexpr const char* kHelp = "sends jobs/points of a run from a step on, as they are written, or no longer";
  struct Params {
    std::string id;
    bool on = true;
    std::int64_t fromStep = 0;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
      v("on", on, "false: no longer");
      v("from_step", fromStep, "the first step wanted");
    }
  };
  using Answer = Nothing;
};

struct JobsChanged {
  static constexpr const char* kName = "jobs/changed";
  static constexpr const char* kHelp = "jobs whose state or progress changed, at most twice a second";
  std::vector<JobInfo> jobs;
  template <class V>
  void visit(V& v) {
    v("jobs", jobs, "those that changed");
  }
};

struct MetricPoint {
  std::int64_t step = 0;
  std::string name;
  double value = 0;
  template <class V>
  void visit(V& v) {
    v("step", step, "steps done");
    v("name", name, "loss, lr, grad_norm, tokens_s, nll/MAP, …");
    v("value", value, "");
  }
};

struct JobPoints {
  static constexpr const char* kName = "jobs/points";
  static constexpr const char* kHelp = "metrics of a watched run";
  std::string id;
  std::vector<MetricPoint> points;
  template <class V>
  void visit(V& v) {
    v("id", id, "of the run");
    v("points", points, "in the order they were written");
  }
};

}  // namespace strata::protocol
