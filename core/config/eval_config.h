#pragma once
// Everything an evaluation is told; stored with its run.

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/choices.h"

namespace strata {

inline constexpr std::array kTaskChoices = {
    Choice{"", "Not chosen"},
    Choice{"squad", "SQuAD: short answers"},
    Choice{"hotpotqa", "HotpotQA: several passages"},
    Choice{"triviaqa", "TriviaQA: trivia"},
    Choice{"msmarco", "MS MARCO: long answers"},
    Choice{"nll", "Text: negative log-likelihood"},
};
inline constexpr std::array kEvalDTypeChoices = {Choice{"", "As stored"}, Choice{"float32", "float32, exact"},
                                                 Choice{"bfloat16", "bfloat16, rounded"}};

struct EvalConfig {
  std::string model;              // checkpoint folder, RUN, or a project's name for a model
  std::string adapter;            // LoRA folder; empty: none
  std::string task;               // nll | squad | hotpotqa | triviaqa | msmarco
  std::string data;               // questions in the task's form, or text or JSONL (nll)
  std::vector<std::string> maps;  // empty: the model's own
  int limit = 0;                  // the first questions, documents or rows; 0: all
  std::string dtype;              // float32 | bfloat16; empty: as stored
  std::string device = "cpu";
  std::int64_t context = 0;  // 0: the model's
  int threads = 0;           // 0: all cores

  template <class V>
  void visit(V& v) {
    constexpr auto kWhat = "Model and data", kHow = "Evaluation", kRest = "More";
    v("model", model,
      Meta{.label = "Model",
           .group = kWhat,
           .path = true,
           .positional = true,
           .why = "The weights to evaluate: a checkpoint folder, a run, or a model of the project.",
           .help = "checkpoint folder, run, or a project's name for a model"});
    v("data", data,
      Meta{.label = "Evaluation data",
           .group = kWhat,
           .path = true,
           .why = "The questions or texts that the scores come from; use rows the model was not trained on.",
           .help = "questions in the task's official form or as rows, or text or JSONL (nll)"});
    v("adapter", adapter,
      Meta{.label = "LoRA adapter",
           .group = kWhat,
           .path = true,
           .why = "Evaluates the model with this adapter on top; leave it empty to evaluate the model alone.",
           .help = "LoRA adapter in PEFT's form"});
    v("task", task,
      Meta{.label = "Task",
           .group = kHow,
           .choices = kTaskChoices,
           .why = "Decides how questions are asked and how answers are scored.",
           .help = "what is asked and how it is scored"});
    v("maps", maps,
      Meta{.label = "Sharing maps",
           .group = kHow,
           .open = "the model's own",
           .why = "Each map is evaluated on the same rows, so that their scores can be compared in pairs.",
           .help = "maps to evaluate under, separated by ';' or repeated (default: the model's own)"});
    v("limit", limit,
      Meta{.label = "Sample size",
           .group = kHow,
           .unit = "rows",
           .range = {0, 1e9},
           .why = "Fewer rows are faster and give wider intervals; 0 takes all rows.",
           .help = "only the first questions, documents or rows (default: all)"});
    v("dtype", dtype,
      Meta{.label = "Precision",
           .group = kRest,
           .choices = kEvalDTypeChoices,
           .why = "bfloat16 takes half the memory of float32 and rounds more.",
           .help = "precision of the weights (default: as stored)"});
    v("device", device,
      Meta{.label = "Device",
           .group = kRest,
           .choices = kDeviceChoices,
           .why = "A GPU is much faster where there is one.",
           .help = "device to compute on"});
    v("context", context,
      Meta{.label = "Context length",
           .group = kRest,
           .unit = "tokens",
           .range = {0, 1e12},
           .why = "A shorter context takes less memory and cuts long inputs off; 0 takes the model's own.",
           .help = "tokens that one sequence may hold (default: the model's)"});
    v("threads", threads,
      Meta{.label = "CPU threads",
           .group = kRest,
           .unit = "threads",
           .range = {0, 4096},
           .why = "Fewer threads leave room for other work; 0 uses all cores.",
           .help = "CPU threads (default: all cores)"});
  }
};

/// The Ranges and choices, a task, and model and data given.
Result<void> checkEvalConfig(const EvalConfig& config);

}  // namespace strata
