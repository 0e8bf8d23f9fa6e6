#pragma once
// Long work that is a process of its own (design.md section 4): it outlives engine and window.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/engine_messages.h"

namespace strata::protocol {

struct Score {
  std::string name;
  double value = 0;
  template <class V>
  void visit(V& v) {
    v("name", name, "");
    v("value", value, "");
  }
  bool operator==(const Score&) const = default;
};

struct JobInfo {
  std::string id, kind, state, created, message, parent, title;
  bool alive = false;
  std::int64_t step = 0, steps = 0;
  double secondsLeft = -1;
  std::optional<double> loss;
  std::string model, data, task, method, sampler;
  std::optional<double> pCross;
  std::vector<Score> best;
  double seconds = -1;
  std::string sweep;
  std::int64_t place = 0;
  std::string name, note;
  std::vector<std::string> tags;
  template <class V>
  void visit(V& v) {
    v("id", id, "of the run");
    v("kind", kind, "train, eval, search or sensitivity");
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
    v("model", model, "what it trains or evaluates, as it was told");
    v("data", data, "likewise");
    v("task", task, "of an evaluation");
    v("method", method, "of a training run: full, or LoRA r=16");
    v("sampler", sampler, "of a training run: what draws the routings");
    v("p_cross", pCross, "of a training run: the probability that a layer borrows; null: the sampler's");
    v("best", best, "the best value of each score under a map: nll/full (the least), f1/stride:2 (the most)");
    v("seconds", seconds, "that it has taken, over all its resumes; -1: unknown");
    v("sweep", sweep, "id of the sweep that it was started in; empty: none");
    v("place", place, "in the queue: 1 starts next; 0: it does not wait there");
    v("name", name, "what people call it: of its model and method, or as they named it");
    v("note", note, "what they wrote of it");
    v("tags", tags, "likewise");
  }
  bool operator==(const JobInfo&) const = default;
};

struct ListJobs {
  static constexpr const char* kName = "jobs/list";
  static constexpr const char* kHelp = "the project's runs, the newest first; also those that another process started";
  struct Params {
    bool trash = false;
    std::int64_t from = 0, count = 400;
    std::string kind;
    template <class V>
    void visit(V& v) {
      v("trash", trash, "those in the trash instead");
      v("from", from, "runs to leave out; 0 also looks for what has changed", Range{0, 1e9});
      v("count", count, "at most", Range{1, 400});
      v("kind", kind, "only runs of this kind");
    }
  };
  struct Answer {
    std::vector<JobInfo> jobs;
    std::int64_t total = 0;
    bool queuePaused = false;
    template <class V>
    void visit(V& v) {
      v("jobs", jobs, "the newest first");
      v("total", total, "that there are");
      v("queue_paused", queuePaused, "whether runs that wait are kept from starting (jobs/pause_queue)");
    }
  };
};

struct StartJob {
  static constexpr const char* kName = "jobs/start";
  static constexpr const char* kHelp =
      "starts a job in the project; answers once it holds its lock or has failed. Training waits in the queue while "
      "other training lives or waits, or the queue is paused";
  struct Params {
    std::string kind;
    Json config;
    std::vector<double> pCross;
    std::vector<Json> configs;
    std::string resume, extend;
    template <class V>
    void visit(V& v) {
      v("kind", kind, "train, eval, search or sensitivity");
      v("config", config, "the options of the command of that name (strata train, …) by their names");
      v("p_cross", pCross, "a sweep of training: a run for each, otherwise as config says");
      v("configs", configs, "a sweep of training: a run for each, these options going over config");
      v("resume", resume, "id of a run to go on with");
      v("extend", extend, "id of a run to start from");
    }
  };
  struct Answer {
    JobInfo job;
    std::vector<JobInfo> jobs;
    template <class V>
    void visit(V& v) {
      v("job", job, "as it stands; of a sweep the first");
      v("jobs", jobs, "all that were made, in order; of a sweep with its id");
    }
  };
};

struct StopJob {
  static constexpr const char* kName = "jobs/stop";
  static constexpr const char* kHelp =
      "asks a job to finish its step, write a checkpoint and leave; harder after 30 s and two steps' time. One that "
      "waits in the queue leaves it and is stopped";
  struct Params {
    std::string id;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
    }
  };
  using Answer = Nothing;
};

struct MoveJob {
  static constexpr const char* kName = "jobs/move";
  static constexpr const char* kHelp = "moves a run that waits in the queue";
  struct Params {
    std::string id, before;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
      v("before", before, "id of the waiting run that it is to start before; empty: to the end");
    }
  };
  using Answer = Nothing;
};

struct PauseQueue {
  static constexpr const char* kName = "jobs/pause_queue";
  static constexpr const char* kHelp =
      "keeps runs that wait from starting, or lets them start; what runs goes on. Stored with the project";
  struct Params {
    bool paused = true;
    template <class V>
    void visit(V& v) {
      v("paused", paused, "false: let them start");
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

struct AnnotateJob {
  static constexpr const char* kName = "jobs/annotate";
  static constexpr const char* kHelp =
      "names a run, tags it or writes a note of it, also in the trash; what is left out stays";
  struct Params {
    std::string id;
    std::optional<std::string> name, note;
    std::optional<std::vector<std::string>> tags;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
      v("name", name, "at most 100 characters, that no other run has; empty: the one that it was made with");
      v("note", note, "at most 10,000 characters");
      v("tags", tags, "all of them; at most 20, of at most 40 characters");
    }
  };
  using Answer = JobInfo;
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

struct ReadJobConfig {
  static constexpr const char* kName = "jobs/config";
  static constexpr const char* kHelp = "what a run was told";
  struct Params {
    std::string id;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
    }
  };
  struct Answer {
    std::string kind;
    Json config;
    std::string command;
    template <class V>
    void visit(V& v) {
      v("kind", kind, "as in jobs/list");
      v("config", config, "the options by their names; those that an older Strata did not store as it had them");
      v("command", command, "the command line that makes such a run; empty where none does");
    }
  };
};

struct ExportJob {
  static constexpr const char* kName = "jobs/export";
  static constexpr const char* kHelp = "writes a run's metrics for other programs, on the engine's machine";
  struct Params {
    std::string id, format = "csv", path;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
      v("format", format, "csv: a file; tensorboard: a folder with an event file");
      v("path", path, "relative to the project's folder; empty: in its folder exports, by the run's id");
    }
  };
  struct Answer {
    std::string path;
    std::int64_t points = 0;
    template <class V>
    void visit(V& v) {
      v("path", path, "what was written");
      v("points", points, "of all metrics");
    }
  };
};

/// Buckets of a metric, an element each; the columns are base64 of little-endian float64.
struct SeriesBuckets {
  std::string name, x, step, tokens, seconds, min, max, last, count;
  template <class V>
  void visit(V& v) {
    v("name", name, "of the metric");
    v("x", x, "of each bucket's last point, on the axis asked for (column)");
    v("step", step, "of each bucket's last point (column)");
    v("tokens", tokens, "likewise, trained until then; empty in a run of version 0.4 (column)");
    v("seconds", seconds, "likewise, of the run's wall clock (column)");
    v("min", min, "of its points that are numbers; NaN: none is (column)");
    v("max", max, "likewise (column)");
    v("last", last, "value of its last point (column)");
    v("count", count, "of its points (column)");
  }
};

struct ReadSeries {
  static constexpr const char* kName = "jobs/series";
  static constexpr const char* kHelp =
      "a stretch of a run's metrics in buckets of consecutive points: of as few as fit, a power of two, the same "
      "wherever the stretch begins; the outermost may reach past it. A column is base64 of little-endian float64";
  struct Params {
    std::string id;
    std::vector<std::string> names;
    std::string x = "step";
    std::optional<double> from, to;
    std::int64_t buckets = 1000;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
      v("names", names, "of metrics; none: tell which there are");
      v("x", x, "step, tokens (trained) or seconds (of the run's wall clock)");
      v("from", from, "least x; null: all");
      v("to", to, "greatest x; null: all");
      v("buckets", buckets, "of a metric, at most", Range{1, 4096});
    }
  };
  struct Answer {
    std::vector<std::string> names;
    std::vector<SeriesBuckets> series;
    std::vector<std::string> left;
    template <class V>
    void visit(V& v) {
      v("names", names, "the run's metrics, where none were asked for");
      v("series", series, "in the order asked for");
      v("left", left, "metrics that did not fit into 256 KiB; ask for them again");
    }
  };
};

struct AnswerInfo {
  std::string question, answer;
  std::vector<Score> scores;
  std::string text, expected;
  std::int64_t step = 0;
  template <class V>
  void visit(V& v) {
    v("question", question, "its id in the data");
    v("answer", answer, "of the model");
    v("scores", scores, "em, f1, rouge_l, …: 0 … 1");
    v("text", text, "what is asked; empty of texts, and in runs that kept none");
    v("expected", expected, "the answer in the data's words");
    v("step", step, "of a training run: steps done when it was given");
  }
};

struct ReadAnswers {
  static constexpr const char* kName = "jobs/answers";
  static constexpr const char* kHelp =
      "a run's answers under a map, by the questions' ids; of training the newest of each question, a map's as soon as "
      "all of its questions were answered";
  struct Params {
    std::string id, map;
    std::int64_t from = 0, count = 100, fromStep = 0;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
      v("map", map, "empty: tell which there are");
      v("from", from, "answers to leave out", Range{0, 1e9});
      v("from_step", fromStep, "only those given at this step or later", Range{0, 1e15});
      v("count", count, "at most; fewer come where they are long", Range{1, 1000});
    }
  };
  struct Answer {
    std::vector<std::string> maps;
    std::vector<AnswerInfo> answers;
    std::int64_t total = 0;
    template <class V>
    void visit(V& v) {
      v("maps", maps, "with answers");
      v("answers", answers, "");
      v("total", total, "under this map, from that step on");
    }
  };
};

struct ReadBorrowed {
  static constexpr const char* kName = "jobs/borrowed";
  static constexpr const char* kHelp =
      "how often each layer read another one's keys and values in the steps that a training run has done, from its own "
      "draws. A step that was drawn again after it had failed counts with its first draw";
  struct Params {
    std::string id;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
    }
  };
  struct Answer {
    std::vector<double> share;
    std::int64_t steps = 0, counted = 0;
    bool replayed = false;
    template <class V>
    void visit(V& v) {
      v("share", share, "by layer: of its reads in training, those that went to another layer; 0 ... 1");
      v("steps", steps, "done");
      v("counted", counted, "of them; fewer than steps where those are many: then evenly spread");
      v("replayed", replayed, "whether the routings are those of a file");
    }
  };
};

struct RunEvent {
  std::int64_t step = 0;
  double time = 0;
  std::string kind, text;
  template <class V>
  void visit(V& v) {
    v("step", step, "steps done");
    v("time", time, "seconds since 1970, UTC");
    v("kind", kind, "checkpoint, skipped, redrawn, resumed, early_stop or alert");
    v("text", text, "for a person; empty where the kind says it all");
  }
  bool operator==(const RunEvent&) const = default;
};

struct ReadEvents {
  static constexpr const char* kName = "jobs/events";
  static constexpr const char* kHelp = "what happened in a run, the newest first";
  struct Params {
    std::string id;
    std::int64_t count = 500;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the run");
      v("count", count, "at most", Range{1, 1000});
    }
  };
  struct Answer {
    std::vector<RunEvent> events;
    std::int64_t total = 0;
    template <class V>
    void visit(V& v) {
      v("events", events, "the newest first");
      v("total", total, "that there are");
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
  bool queuePaused = false;
  template <class V>
  void visit(V& v) {
    v("jobs", jobs, "those that changed");
    v("queue_paused", queuePaused, "as in jobs/list");
  }
};

/// Points of a metric; the columns are base64 of little-endian float64.
struct PointColumns {
  std::string name, step, tokens, seconds, value;
  template <class V>
  void visit(V& v) {
    v("name", name, "loss, lr, grad_norm, tokens_s, nll/MAP, …");
    v("step", step, "steps done (column)");
    v("tokens", tokens, "trained until then (column)");
    v("seconds", seconds, "of the run's wall clock (column)");
    v("value", value, "NaN and infinite ones too (column)");
  }
};

struct JobPoints {
  static constexpr const char* kName = "jobs/points";
  static constexpr const char* kHelp =
      "new points of a watched run, at most 30 times a second. A column is base64 of little-endian float64";
  std::string id;
  std::vector<PointColumns> series;
  template <class V>
  void visit(V& v) {
    v("id", id, "of the run");
    v("series", series, "the points of a metric by step; those of a step that it had before replace them");
  }
};

}  // namespace strata::protocol
