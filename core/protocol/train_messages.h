#pragma once
// Before a training run: presets, predicted memory, and a measured step. Starting it is jobs/start (job_messages.h).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/engine_messages.h"

namespace strata::protocol {

struct TrainPreset {
  std::string name, title, description;
  Json config;
  template <class V>
  void visit(V& v) {
    v("name", name, "by which strata train takes it");
    v("title", title, "a few words, for a person");
    v("description", description, "one sentence: what it is for");
    v("config", config, "options of strata train by their names; those left out keep what they are");
  }
  bool operator==(const TrainPreset&) const = default;
};

struct ListTrainPresets {
  static constexpr const char* kName = "train/presets";
  static constexpr const char* kHelp = "the shipped configurations of training";
  using Params = Nothing;
  struct Answer {
    std::vector<TrainPreset> presets;
    template <class V>
    void visit(V& v) {
      v("presets", presets, "in the order to offer them");
    }
  };
};

/// Bytes; predicted or measured. Peaks of the parts come at different times, so that a measured total is less than
/// their sum.
struct TrainMemory {
  std::int64_t weights = 0, gradients = 0, optimizer = 0, activations = 0, logits = 0, process = 0, total = 0;
  template <class V>
  void visit(V& v) {
    v("weights", weights, "bytes: master weights, copies to compute with, a frozen model under a LoRA");
    v("gradients", gradients, "bytes");
    v("optimizer", optimizer, "bytes: the moments of AdamW");
    v("activations", activations, "bytes, without the logits");
    v("logits", logits, "bytes: a chunk of logits and its gradient; 0 where measured, they are in activations");
    v("process", process, "bytes: program, libraries, tokenizer, data and freed memory that is kept");
    v("total", total, "bytes at the highest moment");
  }
  bool operator==(const TrainMemory&) const = default;
};

/// Why a run would be refused.
struct TrainProblem {
  std::string field, problem;
  template <class V>
  void visit(V& v) {
    v("field", field, "the option that it is about, as in the configuration; empty: none alone");
    v("problem", problem, "one sentence");
  }
  bool operator==(const TrainProblem&) const = default;
};

struct EstimateTraining {
  static constexpr const char* kName = "train/estimate";
  static constexpr const char* kHelp =
      "predicted memory and disk of a training run, and why it would be refused; reads config.json and the headers of "
      "weight files, no data";
  struct Params {
    Json config;
    std::string extend;
    template <class V>
    void visit(V& v) {
      v("config", config, "the options of strata train by their names");
      v("extend", extend, "id of a run to start from; the options go over its own");
    }
  };
  struct Answer {
    TrainMemory memory;
    std::string device;
    std::int64_t available = 0, deviceTotal = 0;
    std::optional<bool> fits;
    std::int64_t checkpoint = 0, disk = 0, diskFree = 0;
    std::int64_t parameters = 0, trained = 0;
    int layers = 0, ranks = 1;
    std::vector<TrainProblem> problems;
    template <class V>
    void visit(V& v) {
      v("memory", memory, "predicted, of each rank; all 0 where the model cannot be read");
      v("ranks", ranks, "that the project's launcher starts; 0: it does not say, and memory is that of one process");
      v("device", device, "cpu or cuda:0: where it would train");
      v("available", available, "bytes free there; 0: unknown");
      v("device_total", deviceTotal, "bytes of it; 0: unknown");
      v("fits", fits,
        "whether the total (on a CPU: of all ranks) is at most what is free; null: one of them is unknown");
      v("checkpoint", checkpoint, "bytes of one checkpoint");
      v("disk", disk, "bytes of the run's folder: the last two checkpoints, one being written, and the best");
      v("disk_free", diskFree, "bytes free where the project is; 0: unknown");
      v("parameters", parameters, "of the model, without a LoRA");
      v("trained", trained, "parameters that are trained");
      v("layers", layers, "of the model; 0: it cannot be read");
      v("problems", problems, "none: jobs/start would take it, as far as can be told without reading the data");
    }
  };
};

struct ProbeTraining {
  static constexpr const char* kName = "train/probe";
  static constexpr const char* kHelp =
      "measures two steps of a training run, and an evaluation's batch, in a process of its own that leaves nothing "
      "behind; progress; can be cancelled";
  using Params = EstimateTraining::Params;
  struct Answer {
    double stepS = 0, tokensS = 0, padding = 0, evaluationS = 0, startS = 0, seconds = 0;
    std::int64_t steps = 0, sequences = 0;
    TrainMemory peak;
    template <class V>
    void visit(V& v) {
      v("step_s", stepS, "seconds of a step, the faster of the two");
      v("tokens_s", tokensS, "trained tokens a second");
      v("padding", padding, "share of the positions that hold no token: 0 to 1");
      v("evaluation_s", evaluationS, "seconds of one evaluation of all its maps; 0: none is asked for");
      v("start_s", startS, "seconds until the first step");
      v("seconds", seconds, "of the whole run, evaluations included, checkpoints not");
      v("steps", steps, "of the run; of epochs: as many as they make");
      v("sequences", sequences, "that an epoch makes");
      v("peak", peak, "measured; each part at its own highest moment");
    }
  };
};

}  // namespace strata::protocol
