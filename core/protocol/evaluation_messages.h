#pragma once
// What evaluations of the project found, alone and in pairs, and the reports made of them. They are started by
// jobs/start, as jobs of the kind eval.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/describe.h"
#include "core/protocol/chat_messages.h"
#include "core/protocol/job_messages.h"

namespace strata::protocol {

/// A score with its interval.
struct IntervalScore {
  std::string metric;
  double value = 0, low = 0, high = 0;
  std::int64_t n = 0;
  template <class V>
  void visit(V& v) {
    v("metric", metric, "f1, em, acc, nll, …");
    v("value", value, "0 to 1; of nll nats per token");
    v("low", low, "end of the 95 % interval");
    v("high", high, "likewise");
    v("n", n, "questions, documents or rows that it is the mean of");
  }
  bool operator==(const IntervalScore&) const = default;
};

/// One side of a comparison: an evaluation under one of its maps.
struct EvaluatedSide {
  std::string run, map;
  template <class V>
  void visit(V& v) {
    v("run", run, "id of the evaluation");
    v("map", map, "as maps in eval/results; empty: the only one");
  }
  bool operator==(const EvaluatedSide&) const = default;
};

struct ReadEvaluation {
  static constexpr const char* kName = "eval/results";
  static constexpr const char* kHelp = "the scores of an evaluation, also while it runs";
  struct Params {
    std::string run;
    template <class V>
    void visit(V& v) {
      v("run", run, "its id");
    }
  };
  struct Map {
    std::string map, src;
    double retention = 1;
    std::int64_t kvBytesPerToken = 0, n = 0;
    std::vector<IntervalScore> scores;
    template <class V>
    void visit(V& v) {
      v("map", map, "as the evaluation was told");
      v("src", src, "the map as text; empty: not known before the evaluation ends");
      v("retention", retention, "owners / layers, likewise; 0: not known yet");
      v("kv_bytes_per_token", kvBytesPerToken, "likewise");
      v("n", n, "questions, documents or rows scored so far");
      v("scores", scores, "the task's main score first");
    }
  };
  struct Answer {
    std::string state, message, task, metric, exact, model, adapter, data;
    std::int64_t done = 0, all = 0;
    double secondsLeft = -1;
    std::vector<Map> maps;
    template <class V>
    void visit(V& v) {
      v("state", state, "of the run, as in jobs/list");
      v("message", message, "why it failed or stopped");
      v("task", task, "");
      v("metric", metric, "the task's main score");
      v("exact", exact, "the score that says right or wrong; empty: the task has none");
      v("model", model, "as it was told");
      v("adapter", adapter, "likewise");
      v("data", data, "likewise");
      v("done", done, "questions under all maps");
      v("all", all, "likewise; 0: unknown");
      v("seconds_left", secondsLeft, "-1: unknown");
      v("maps", maps, "in the order that it was told");
    }
  };
};

struct CompareEvaluations {
  static constexpr const char* kName = "eval/compare";
  static constexpr const char* kHelp = "two sides, question by question (as strata compare)";
  struct Params {
    EvaluatedSide a;
    std::vector<EvaluatedSide> b;
    std::string metric;
    template <class V>
    void visit(V& v) {
      v("a", a, "what is compared with");
      v("b", b, "each is compared with a; with several, p is adjusted by Holm's method");
      v("metric", metric, "empty: the task's main score");
    }
  };
  struct Pair {
    EvaluatedSide b;
    std::int64_t n = 0, clusters = 0, inAAlone = 0, inBAlone = 0;
    double meanA = 0, meanB = 0, difference = 0, low = 0, high = 0;
    std::int64_t onlyA = 0, onlyB = 0;
    std::optional<double> p, adjustedP;
    double detectable = 0;
    std::string hint;
    template <class V>
    void visit(V& v) {
      v("b", b, "");
      v("n", n, "questions that both sides answered");
      v("clusters", clusters, "articles or passages that they are of");
      v("in_a_alone", inAAlone, "questions left out: b has no answer");
      v("in_b_alone", inBAlone, "likewise");
      v("mean_a", meanA, "");
      v("mean_b", meanB, "");
      v("difference", difference, "mean_b - mean_a");
      v("low", low, "end of its 95 % interval, by the paired bootstrap over clusters");
      v("high", high, "likewise");
      v("only_a", onlyA, "questions that a alone has right");
      v("only_b", onlyB, "likewise");
      v("p", p, "McNemar's exact test, two-sided; null: the task has no right and wrong");
      v("adjusted_p", adjustedP, "by Holm's method over all of b");
      v("detectable", detectable, "a smaller difference would mostly not show in such a sample");
      v("hint", hint, "the same as a sentence");
    }
  };
  struct Answer {
    std::string metric;
    std::vector<Pair> pairs;
    template <class V>
    void visit(V& v) {
      v("metric", metric, "");
      v("pairs", pairs, "one for each of b");
    }
  };
};

struct ListSamples {
  static constexpr const char* kName = "eval/samples";
  static constexpr const char* kHelp = "the questions of an evaluation with the answers of one or two sides";
  struct Params {
    EvaluatedSide a, b;
    std::string filter, search;
    std::int64_t from = 0, count = 100;
    template <class V>
    void visit(V& v) {
      v("a", a, "");
      v("b", b, "empty: only a");
      v("filter", filter,
        "only_a, only_b (that side alone is right), both_right, both_wrong or unanswerable; empty: all");
      v("search", search, "words that question or answers hold, in any case");
      v("from", from, "samples to leave out", Range{0, 1e9});
      v("count", count, "at most", Range{1, 1000});
    }
  };
  struct Sample {
    std::string id, text, expected, answerA, answerB;
    std::vector<Score> scoresA, scoresB;
    bool answerable = true;
    std::string note;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the question; of a text its number");
      v("text", text, "what was asked");
      v("expected", expected, "the answer in the data's words");
      v("answer_a", answerA, "");
      v("answer_b", answerB, "");
      v("scores_a", scoresA, "");
      v("scores_b", scoresB, "");
      v("answerable", answerable, "whether the data say that there is an answer");
      v("note", note, "what people wrote of it");
    }
  };
  struct Answer {
    std::vector<Sample> samples;
    std::int64_t total = 0, next = 0;
    std::int64_t all = 0, onlyA = 0, onlyB = 0, bothRight = 0, bothWrong = 0, unanswerable = 0;
    template <class V>
    void visit(V& v) {
      v("samples", samples, "in the order of their ids; long answers make a page shorter");
      v("total", total, "that filter and search let through");
      v("next", next, "sample to ask for next; 0: these are the last");
      v("all", all, "questions that both sides answered");
      v("only_a", onlyA, "of them, whatever the filter");
      v("only_b", onlyB, "likewise");
      v("both_right", bothRight, "likewise");
      v("both_wrong", bothWrong, "likewise");
      v("unanswerable", unanswerable, "likewise");
    }
  };
};

struct ReadSample {
  static constexpr const char* kName = "eval/sample";
  static constexpr const char* kHelp = "one question of an evaluation, whole";
  struct Params {
    std::string run, id;
    template <class V>
    void visit(V& v) {
      v("run", run, "id of the evaluation");
      v("id", id, "of the question");
    }
  };
  struct Answer {
    std::string text, expected, context, cluster, prompt;
    std::vector<std::string> references, stop;
    bool answerable = true;
    std::string note;
    template <class V>
    void visit(V& v) {
      v("text", text, "what was asked");
      v("expected", expected, "the answer in the data's words");
      v("context", context, "the passages that it was asked with");
      v("cluster", cluster, "the article that it is of");
      v("prompt", prompt, "as the task puts it to a model; empty: not known");
      v("references", references, "the answers that count");
      v("stop", stop, "texts that end an answer to it, as in the evaluation");
      v("answerable", answerable, "whether the data say that there is an answer");
      v("note", note, "what people wrote of it");
    }
  };
};

struct AnnotateSample {
  static constexpr const char* kName = "eval/annotate";
  static constexpr const char* kHelp = "keeps what a person writes of a question, for all evaluations of the same data";
  struct Params {
    std::string run, id, note;
    template <class V>
    void visit(V& v) {
      v("run", run, "id of an evaluation that asked it");
      v("id", id, "of the question");
      v("note", note, "empty: none");
    }
  };
  using Answer = Nothing;
};

struct ReadEvaluationMatrix {
  static constexpr const char* kName = "eval/matrix";
  static constexpr const char* kHelp =
      "what the project's evaluations of one task and data measured: of each model and map the newest";
  struct Params {
    std::string task, data;
    template <class V>
    void visit(V& v) {
      v("task", task, "");
      v("data", data, "a name of the project or a path; empty: whatever the newest evaluation of the task had");
    }
  };
  struct Cell {
    std::string model, adapter, map, src, run;
    double retention = 1;
    std::int64_t limit = 0;
    IntervalScore score;
    template <class V>
    void visit(V& v) {
      v("model", model, "as the evaluation was told");
      v("adapter", adapter, "likewise");
      v("map", map, "likewise");
      v("src", src, "the map as text");
      v("run", run, "id of the evaluation");
      v("retention", retention, "owners / layers");
      v("limit", limit, "first rows of the data that it took; 0: all");
      v("score", score, "the task's main score");
    }
  };
  struct Answer {
    std::string metric, data;
    std::vector<Cell> cells;
    template <class V>
    void visit(V& v) {
      v("metric", metric, "the task's main score; empty: no evaluation of the task is done");
      v("data", data, "path");
      v("cells", cells, "");
    }
  };
};

struct PlanEvaluation {
  static constexpr const char* kName = "eval/plan";
  static constexpr const char* kHelp = "what an evaluation would take and could show, before it starts";
  struct Params {
    Json config;
    template <class V>
    void visit(V& v) {
      v("config", config, "the options of strata eval by their names");
    }
  };
  struct Answer {
    std::int64_t questions = 0, available = 0;
    double seconds = -1, detectable = 0;
    std::string prompt;
    template <class V>
    void visit(V& v) {
      v("questions", questions, "documents or rows that would be asked under each map");
      v("available", available, "that the data have");
      v("seconds", seconds, "for all maps, by the speed of the model's past evaluations of the task; -1: unknown");
      v("detectable", detectable,
        "a smaller paired difference would mostly not show; of nll 0: unknown before it is measured");
      v("prompt", prompt, "the first question as the model would read it; empty: the task asks none");
    }
  };
};

struct ReportFile {
  std::string name, title, created, conclusion;
  std::vector<std::string> formats;
  template <class V>
  void visit(V& v) {
    v("name", name, "of the files in reports/, without their endings");
    v("title", title, "");
    v("created", created, "of the newest run in it; ISO 8601, UTC");
    v("conclusion", conclusion, "its first sentences");
    v("formats", formats, "html, pdf, csv, json, md: those that are there");
  }
  bool operator==(const ReportFile&) const = default;
};

struct WriteReport {
  static constexpr const char* kName = "reports/write";
  static constexpr const char* kHelp = "makes a report of runs in the project's reports/ (as strata report)";
  struct Params {
    std::vector<std::string> runs, formats;
    std::string name, baseline, title, notes;
    template <class V>
    void visit(V& v) {
      v("runs", runs, "their ids");
      v("formats", formats, "html, pdf, csv, json, md; empty: all");
      v("name", name, "of the files; empty: by the runs");
      v("baseline", baseline, "RUN@MAP that the others are compared with; empty: the first full map");
      v("title", title, "empty: of the project");
      v("notes", notes, "Markdown shown below the conclusion; empty: none");
    }
  };
  using Answer = ReportFile;
};

struct ListReports {
  static constexpr const char* kName = "reports/list";
  static constexpr const char* kHelp = "the reports of the project, the newest first";
  using Params = Nothing;
  struct Answer {
    std::vector<ReportFile> reports;
    std::string folder;
    template <class V>
    void visit(V& v) {
      v("reports", reports, "");
      v("folder", folder, "that they lie in, on the engine's machine");
    }
  };
};

struct ReadReport {
  static constexpr const char* kName = "reports/read";
  static constexpr const char* kHelp = "a file of a report, in pages";
  struct Params {
    std::string name, format = "md";
    std::int64_t from = 0;
    template <class V>
    void visit(V& v) {
      v("name", name, "as reports/list tells it");
      v("format", format, "md, html, csv, json or pdf");
      v("from", from, "bytes to leave out", Range{0, 1e12});
    }
  };
  struct Answer {
    std::string bytes;
    std::int64_t size = 0, next = 0;
    template <class V>
    void visit(V& v) {
      v("bytes", bytes, "base64");
      v("size", size, "of the file");
      v("next", next, "byte to ask for next; 0: these are the last");
    }
  };
};

struct RemoveReport {
  static constexpr const char* kName = "reports/remove";
  static constexpr const char* kHelp = "moves a report's files to reports/trash, or back";
  struct Params {
    std::string name;
    bool restore = false;
    template <class V>
    void visit(V& v) {
      v("name", name, "as reports/list tells it");
      v("restore", restore, "takes it back from the trash");
    }
  };
  using Answer = Nothing;
};

}  // namespace strata::protocol
