#pragma once
// Everything a training run is told. Stored with the run; resume may change only micro-batch, threads and evaluation
// cadence.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/config/visit.h"

namespace strata {

struct TrainConfig {
  std::string model;             // checkpoint folder, or RUN
  std::string init;              // folder with config.json and tokenizer files: train from random weights
  std::string chatTemplate;      // a file in place of the model's own template
  std::string data;              // a data file or a folder of them: core/data/records.h
  std::optional<double> pCross;  // default: the sampler's (.5; strategy and cla 1)
  std::string sampler = "uniform";
  int pCrossWarmup = 0;   // steps over which p_cross rises from 0
  std::string routings;   // JSON [step][group][L], replayed instead of the sampler
  int routingGroups = 0;  // 0: one per micro-batch when the run is created; then stored and fixed
  int steps = 100;
  int batch = 8;         // S, sequences a step
  int microBatch = 0;    // sequences a forward; 0: the whole batch, or a routing group of it
  int length = 256;      // tokens a sequence
  int packWindow = 256;  // rows that best-fit packing chooses from; 1: next-fit, as runs of version 0.4
  double lr = 1e-4;
  std::string schedule = "cosine";    // cosine | linear | constant
  int warmup = 0;                     // steps of linear learning-rate warm-up
  double minLrRatio = 0.1;            // the schedule ends at lr x this
  std::optional<double> weightDecay;  // on parameters with two or more dimensions; default .1, for a LoRA 0
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double clip = 1.0;  // global gradient norm; 0: no clipping
  std::uint64_t seed = 1;
  std::string dtype = "float32";    // compute: float32 | bfloat16 (master weights stay float32)
  int lora = 0;                     // rank; 0: full fine-tune
  std::optional<double> loraAlpha;  // default 2 x rank
  double loraDropout = 0;
  std::string loraTargets = "all-linear";
  bool distill = false;
  double distillLambda = 0.5;
  double distillTau = 1.0;
  double distillMu = 0.5;
  bool checkpointing = false;  // recompute activations
  bool trainOnPrompt = false;
  std::map<std::string, std::string>
      columns;                   // what a record's keys stand for: {"prompt": "q", "completion": "a.text"}
  double questionFirst = 0;      // probability, drawn per row, that a question stands before its passages
  bool permutePassages = false;  // a question's passages in an order drawn per row
  std::string evalData;          // held-out data
  double split = 0;              // share of data's groups (articles, else rows) held out as evalData
  std::string evalMaps = "full";
  int evalEvery = 0;          // steps; 0: never
  int evalRows = 64;          // rows of evalData at most
  int earlyStopPatience = 0;  // evaluations without improvement; 0: off
  std::string earlyStopMap;   // the map watched; default: the first of evalMaps
  int saveEvery = 0;          // steps; 0: not by steps
  double saveMinutes = 10;    // since the last checkpoint; 0: not by time
  int threads = 0;            // 0: all cores
  std::string device = "cpu";

  template <class V>
  void visit(V& v) {
    v("model", model, "checkpoint folder or run to start from");
    v("init", init, "folder with config.json and tokenizer files; start from random weights");
    v("chat-template", chatTemplate, "a Jinja file in place of the model's own chat template");
    v("data", data, "training data: a file of text, JSONL, JSON, CSV or Parquet, or a folder of them");
    v("p-cross", pCross, "probability that a layer borrows (default .5; strategy and cla 1)", Range{0, 1});
    v("sampler", sampler, "uniform | window:w | geometric:q | strategy[:r,...] | rd-cla:k | cla:k");
    v("p-cross-warmup", pCrossWarmup, "steps over which p_cross rises from 0", Range{0, 1e9});
    v("routings", routings, "JSON file [step][group][L] of routings to replay");
    v("routing-groups", routingGroups, "groups of sequences with one routing each (default: one per micro-batch)",
      Range{0, 1e6});
    v("steps", steps, "optimiser steps", Range{1, 1e9});
    v("batch", batch, "sequences a step", Range{1, 1e6});
    v("micro-batch", microBatch, "sequences a forward pass (default: the whole batch)", Range{0, 1e6});
    v("length", length, "tokens a sequence", Range{2, 1e7});
    v("pack-window", packWindow, "rows that a sequence's packing chooses from; 1: in order", Range{1, 1e5});
    v("lr", lr, "learning rate", Range{0, 10});
    v("schedule", schedule, "cosine | linear | constant");
    v("warmup", warmup, "steps of linear learning-rate warm-up", Range{0, 1e9});
    v("min-lr-ratio", minLrRatio, "the schedule ends at lr times this", Range{0, 1});
    v("weight-decay", weightDecay, "decay of parameters with two or more dimensions (default .1; LoRA 0)",
      Range{0, 10});
    v("beta1", beta1, "AdamW", Range{0, 0.9999999});
    v("beta2", beta2, "AdamW", Range{0, 0.9999999});
    v("epsilon", epsilon, "AdamW", Range{0, 1});
    v("clip", clip, "global gradient norm at most; 0: no clipping", Range{0, 1e9});
    v("seed", seed, "seed of routing, data order and initial weights");
    v("dtype", dtype, "float32 | bfloat16 (master weights stay float32)");
    v("lora", lora, "LoRA rank; 0: full fine-tune", Range{0, 65536});
    v("lora-alpha", loraAlpha, "LoRA alpha (default 2 x rank)", Range{0, 1e9});
    v("lora-dropout", loraDropout, "LoRA dropout", Range{0, 0.999});
    v("lora-targets", loraTargets, "all-linear or a list: q_proj,v_proj");
    v("distill", distill, "learn from the full map's own answers");
    v("distill-lambda", distillLambda, "share of the KL term", Range{0, 1});
    v("distill-tau", distillTau, "temperature", Range{1e-3, 1e3});
    v("distill-mu", distillMu, "weight of the full map's cross-entropy", Range{0, 1e3});
    v("checkpointing", checkpointing, "recompute activations in the backward pass");
    v("train-on-prompt", trainOnPrompt, "loss on prompts too");
    v("columns", columns, "what the records' keys stand for: prompt=q,completion=a.text");
    v("question-first", questionFirst, "probability that a question stands before its passages", Range{0, 1});
    v("permute-passages", permutePassages, "a question's passages in an order drawn per row");
    v("eval-data", evalData, "held-out data, in the same formats as the training data");
    v("split", split, "share of the data's groups (articles, else rows) held out for evaluation", Range{0, 0.9});
    v("eval-maps", evalMaps, "maps to evaluate while training");
    v("eval-every", evalEvery, "steps between evaluations; 0: never", Range{0, 1e9});
    v("eval-rows", evalRows, "rows of the held-out data at most", Range{1, 1e9});
    v("early-stop-patience", earlyStopPatience, "evaluations without improvement before stopping; 0: off",
      Range{0, 1e6});
    v("early-stop-map", earlyStopMap, "the map watched (default: the first)");
    v("save-every", saveEvery, "steps between checkpoints; 0: by time and at the end", Range{0, 1e9});
    v("save-minutes", saveMinutes, "minutes between checkpoints; 0: by steps and at the end", Range{0, 1e6});
    v("threads", threads, "CPU threads; 0: all cores", Range{0, 4096});
    v("device", device, "cpu | cuda[:n] | auto");
  }
};

/// Sequences a forward pass: microBatch, or where it is 0 the whole batch, cut where a routing group ends.
int effectiveMicroBatch(const TrainConfig& config);
/// Groups with one routing each: routingGroups, or where it is 0 one per micro-batch.
int effectiveRoutingGroups(const TrainConfig& config);
/// weightDecay, or where it is open .1 for a full fine-tune and 0 for a LoRA (PEFT trains without).
double effectiveWeightDecay(const TrainConfig& config);

/// The Ranges, and what they cannot say: known words, a sampler that parses and takes this p_cross, group and
/// micro-batch sizes that divide the batch, exactly one of model and init, data given.
Result<void> checkTrainConfig(const TrainConfig& config);

}  // namespace strata
