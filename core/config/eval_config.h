#pragma once
// Everything an evaluation is told; stored with its run.

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/visit.h"

namespace strata {

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
    v("model", model, "checkpoint folder, run, or a project's name for a model");
    v("adapter", adapter, "LoRA adapter in PEFT's form");
    v("task", task, "squad | nll | hotpotqa | triviaqa | msmarco");
    v("data", data, "questions in the task's official form or as rows, or text or JSONL (nll)");
    v("maps", maps, "maps to evaluate under (default: the model's own)");
    v("limit", limit, "only the first questions, documents or rows; 0: all", Range{0, 1e9});
    v("dtype", dtype, "float32 | bfloat16 (default: as stored)");
    v("device", device, "cpu | cuda[:n] | auto");
    v("context", context, "tokens that one sequence may hold; 0: the model's", Range{0, 1e12});
    v("threads", threads, "CPU threads; 0: all cores", Range{0, 4096});
  }
};

/// The Ranges, a known task, and model and data given.
Result<void> checkEvalConfig(const EvalConfig& config);

}  // namespace strata
