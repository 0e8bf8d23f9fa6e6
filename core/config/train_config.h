#pragma once
// Everything a training run is told. Stored with the run; resume may change only micro-batch, threads and evaluation
// cadence.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/choices.h"

namespace strata {

inline constexpr std::array kSamplerChoices = {
    Choice{"uniform", "Any earlier layer alike"},
    Choice{"window:4", "Only the nearest layers", "window:w"},
    Choice{"geometric:0.5", "Near layers more often", "geometric:q"},
    Choice{"strategy", "Whole maps of several retentions"},
    Choice{"strategy:1,.5,.25", "Whole maps of these retentions", "strategy:r,..."},
    Choice{"rd-cla:2", "Every k-th layer, at random", "rd-cla:k"},
    Choice{"cla:2", "Every k-th layer, always", "cla:k"},
};
inline constexpr std::array kScheduleChoices = {Choice{"cosine", "Cosine"}, Choice{"linear", "Linear"},
                                                Choice{"constant", "Constant"}};
inline constexpr std::array kTrainDTypeChoices = {Choice{"float32", "float32, exact"},
                                                  Choice{"bfloat16", "bfloat16, rounded"}};
inline constexpr std::array kQuestionTaskChoices = {
    Choice{"", "As the data say"}, Choice{"squad", "SQuAD: short answers"},
    Choice{"hotpotqa", "HotpotQA: several passages"}, Choice{"triviaqa", "TriviaQA: trivia"},
    Choice{"msmarco", "MS MARCO: long answers"}};
inline constexpr std::array kEarlyStopMetricChoices = {
    Choice{"nll", "Held-out loss"}, Choice{"f1", "F1 of the answers"}, Choice{"em", "Exact match of the answers"}};
inline constexpr std::array kLoraTargetChoices = {Choice{"", "None"}, Choice{"all-linear", "All projections"},
                                                  Choice{"q_proj,v_proj", "Queries and values", "NAME,..."}};

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
  std::optional<double> epochs;  // passes over the data in place of steps; becomes steps once the data is read
  int batch = 8;                 // S, sequences a step
  int microBatch = 0;            // sequences a forward; 0: the whole batch, or a routing group of it
  int length = 256;              // tokens a sequence
  int packWindow = 256;          // rows that best-fit packing chooses from; 1: next-fit, as runs of version 0.4
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
  int evalEvery = 0;                    // steps; 0: never
  int evalRows = 64;                    // rows of evalData at most
  std::string evalQuestions;            // a file of questions that evaluations answer
  std::string evalTask;                 // squad | hotpotqa | triviaqa | msmarco; default: as the questions' file says
  int evalQuestionsLimit = 64;          // a sample drawn once by the seed; 0: all
  int earlyStopPatience = 0;            // evaluations without improvement; 0: off
  std::string earlyStopMap;             // the map watched; default: the first of evalMaps
  std::string earlyStopMetric = "nll";  // nll | f1 | em, under that map
  int saveEvery = 0;                    // steps; 0: not by steps
  double saveMinutes = 10;              // since the last checkpoint; 0: not by time
  int threads = 0;                      // 0: all cores
  std::string device = "cpu";

  template <class V>
  void visit(V& v) {
    constexpr auto kData = "Model and data", kMethod = "Method", kBudget = "Budget", kEvaluation = "Evaluation",
                   kRest = "More";
    v("model", model,
      Meta{.label = "Model",
           .group = kData,
           .path = true,
           .why = "Training starts from these weights: a checkpoint folder, or a run.",
           .help = "checkpoint folder or run to start from"});
    v("data", data,
      Meta{.label = "Training data",
           .group = kData,
           .path = true,
           .why = "The model learns from these texts, questions or chats.",
           .help = "training data: a file of text, JSONL, JSON, CSV or Parquet, or a folder of them"});
    v("split", split,
      Meta{.label = "Held-out share",
           .group = kData,
           .range = {0, 0.9},
           .why =
               "This share of the data is kept out of training, so that scores come from rows the model has not seen.",
           .help = "share of the data's groups (articles, else rows) held out for evaluation"});
    v("eval-data", evalData,
      Meta{.label = "Evaluation data",
           .group = kData,
           .path = true,
           .why = "Takes the held-out rows from a file of their own instead of the training data.",
           .help = "held-out data, in the same formats as the training data"});
    v("train-on-prompt", trainOnPrompt,
      Meta{.label = "Train on prompts",
           .group = kData,
           .why = "Usually only the answers are learned; switch this on to learn the prompts as well.",
           .help = "loss on prompts too"});
    v("init", init,
      Meta{.label = "Train from scratch",
           .group = kData,
           .more = true,
           .path = true,
           .why = "Starts from random weights in the shape of this folder's config.json, for experiments without a "
                  "trained model.",
           .help = "folder with config.json and tokenizer files; start from random weights"});
    v("chat-template", chatTemplate,
      Meta{.label = "Chat template",
           .group = kData,
           .more = true,
           .path = true,
           .why = "Replaces the model's own chat template, for models that have none or a wrong one.",
           .help = "a Jinja file in place of the model's own chat template"});
    v("columns", columns,
      Meta{.label = "Column mapping",
           .group = kData,
           .more = true,
           .open = "recognised from the data",
           .why = "Says which keys of a record are the prompt and the answer, where they are not recognised.",
           .help = "what the records' keys stand for: prompt=q,completion=a.text"});
    v("question-first", questionFirst,
      Meta{.label = "Question before passages",
           .group = kData,
           .range = {0, 1},
           .more = true,
           .why = "The chance that a row's question comes before its passages, so that the model learns both orders.",
           .help = "probability that a question stands before its passages"});
    v("permute-passages", permutePassages,
      Meta{.label = "Shuffle passages",
           .group = kData,
           .more = true,
           .why = "Draws a new order of the passages for each row, so that position does not give the answer away.",
           .help = "a question's passages in an order drawn per row"});
    v("pack-window", packWindow,
      Meta{.label = "Packing window",
           .group = kData,
           .unit = "rows",
           .range = {1, 1e5},
           .more = true,
           .why = "A larger window fills sequences better, so that fewer steps are spent on padding; 1 keeps the rows "
                  "in order.",
           .help = "rows that a sequence's packing chooses from; 1: in order"});
    v("lora", lora,
      Meta{.label = "LoRA rank",
           .group = kMethod,
           .range = {0, 65536},
           .why = "A LoRA trains small added matrices in much less memory; 0 trains all weights.",
           .help = "LoRA rank; 0: full fine-tune"});
    v("p-cross", pCross,
      Meta{.label = "Routing probability",
           .group = kMethod,
           .range = {0, 1},
           .open = "default .5; strategy and cla 1",
           .why = "How often a layer reads an earlier layer's cache while training; more routing prepares for smaller "
                  "caches.",
           .help = "probability that a layer borrows (default .5; strategy and cla 1)"});
    v("sampler", sampler,
      Meta{.label = "Routing sampler",
           .group = kMethod,
           .choices = kSamplerChoices,
           .why = "Decides which earlier layer a layer reads; uniform prepares for any sharing map.",
           .help = "how the layer that is read is drawn"});
    v("distill", distill,
      Meta{.label = "Distillation",
           .group = kMethod,
           .why = "The model with its full cache teaches the model with a shared one, besides the data.",
           .help = "learn from the full map's own answers"});
    v("p-cross-warmup", pCrossWarmup,
      Meta{.label = "Routing warm-up",
           .group = kMethod,
           .unit = "steps",
           .range = {0, 1e9},
           .more = true,
           .why = "Raises the routing probability slowly from 0, so that the first steps disturb the model less.",
           .help = "steps over which p_cross rises from 0"});
    v("routing-groups", routingGroups,
      Meta{.label = "Routing groups",
           .group = kMethod,
           .unit = "groups",
           .range = {0, 1e6},
           .more = true,
           .why = "Each group of a batch gets its own routing, so more groups show the model more of them per step; 0 "
                  "takes one per micro-batch.",
           .help = "groups of sequences with one routing each (default: one per micro-batch)"});
    v("routings", routings,
      Meta{.label = "Recorded routings",
           .group = kMethod,
           .more = true,
           .path = true,
           .why = "Replays the routings of a file in place of random ones, to repeat an experiment exactly.",
           .help = "JSON file [step][group][L] of routings to replay"});
    v("lora-alpha", loraAlpha,
      Meta{.label = "LoRA alpha",
           .group = kMethod,
           .range = {0, 1e9},
           .more = true,
           .open = "default 2 x rank",
           .why = "Scales what the LoRA adds to the weights; twice the rank is usual.",
           .help = "LoRA alpha (default 2 x rank)"});
    v("lora-dropout", loraDropout,
      Meta{.label = "LoRA dropout",
           .group = kMethod,
           .range = {0, 0.999},
           .more = true,
           .why = "Drops this share of the LoRA's inputs at random, against overfitting on little data.",
           .help = "LoRA dropout"});
    v("lora-targets", loraTargets,
      Meta{.label = "LoRA targets",
           .group = kMethod,
           .choices = kLoraTargetChoices,
           .more = true,
           .why = "The projections that get a LoRA; fewer of them take less memory and learn less.",
           .help = "projections that get a LoRA"});
    v("distill-lambda", distillLambda,
      Meta{.label = "Distillation share",
           .group = kMethod,
           .range = {0, 1},
           .more = true,
           .why = "How much the teacher's predictions count, against the words of the data.",
           .help = "share of the KL term"});
    v("distill-tau", distillTau,
      Meta{.label = "Distillation temperature",
           .group = kMethod,
           .range = {1e-3, 1e3},
           .more = true,
           .why = "Higher temperatures teach more about the less likely tokens.",
           .help = "temperature"});
    v("distill-mu", distillMu,
      Meta{.label = "Full-map weight",
           .group = kMethod,
           .range = {0, 1e3},
           .more = true,
           .why = "Keeps the model good with its full cache by training that too, with this weight.",
           .help = "weight of the full map's cross-entropy"});
    v("steps", steps,
      Meta{.label = "Training steps",
           .group = kBudget,
           .unit = "steps",
           .range = {1, 1e9},
           .why = "Each step updates the weights once; more steps learn more and take longer.",
           .help = "optimiser steps"});
    v("epochs", epochs,
      Meta{.label = "Epochs",
           .group = kBudget,
           .range = {1e-6, 1e6},
           .more = true,
           .open = "by steps",
           .why = "Trains on all of the data this many times, in place of a number of steps.",
           .help = "passes over the data, in place of steps: 1.5"});
    v("batch", batch,
      Meta{.label = "Batch size",
           .group = kBudget,
           .unit = "sequences",
           .range = {1, 1e6},
           .why = "Larger batches give steadier updates and make each step slower.",
           .help = "sequences a step"});
    v("length", length,
      Meta{.label = "Sequence length",
           .group = kBudget,
           .unit = "tokens",
           .range = {2, 1e7},
           .why = "Longer rows are cut off here; time and memory grow with the length.",
           .help = "tokens a sequence"});
    v("lr", lr,
      Meta{.label = "Learning rate",
           .group = kBudget,
           .range = {0, 10},
           .why = "The size of the updates: too large and training diverges, too small and it learns little.",
           .help = "learning rate"});
    v("dtype", dtype,
      Meta{.label = "Precision",
           .group = kBudget,
           .choices = kTrainDTypeChoices,
           .why = "bfloat16 saves memory and time, mostly on a GPU; the stored weights stay float32.",
           .help = "precision of the computation (master weights stay float32)"});
    v("micro-batch", microBatch,
      Meta{.label = "Micro-batch size",
           .group = kBudget,
           .unit = "sequences",
           .range = {0, 1e6},
           .more = true,
           .why = "Splits a batch into smaller passes that need less memory; 0 takes the whole batch at once.",
           .help = "sequences a forward pass (default: the whole batch)"});
    v("checkpointing", checkpointing,
      Meta{.label = "Activation checkpointing",
           .group = kBudget,
           .more = true,
           .why = "Saves memory by computing activations a second time, which makes steps slower.",
           .help = "recompute activations in the backward pass"});
    v("schedule", schedule,
      Meta{.label = "Learning rate schedule",
           .group = kBudget,
           .choices = kScheduleChoices,
           .more = true,
           .why = "Lowers the learning rate towards the end, so that training settles; cosine is usual.",
           .help = "learning rate over the run"});
    v("warmup", warmup,
      Meta{.label = "Learning rate warm-up",
           .group = kBudget,
           .unit = "steps",
           .range = {0, 1e9},
           .more = true,
           .why = "Raises the learning rate slowly at first, against early divergence.",
           .help = "steps of linear learning-rate warm-up"});
    v("min-lr-ratio", minLrRatio,
      Meta{.label = "Final rate share",
           .group = kBudget,
           .range = {0, 1},
           .more = true,
           .why = "The schedule ends at this share of the learning rate.",
           .help = "the schedule ends at lr times this"});
    v("weight-decay", weightDecay,
      Meta{.label = "Weight decay",
           .group = kBudget,
           .range = {0, 10},
           .more = true,
           .open = "default .1; LoRA 0",
           .why = "Pulls weights towards zero, against overfitting.",
           .help = "decay of parameters with two or more dimensions (default .1; LoRA 0)"});
    v("clip", clip,
      Meta{.label = "Gradient clipping",
           .group = kBudget,
           .range = {0, 1e9},
           .more = true,
           .why = "Limits the norm of the gradient, so that one bad batch does no harm; 0 turns it off.",
           .help = "global gradient norm at most; 0: no clipping"});
    v("beta1", beta1,
      Meta{.label = "AdamW beta 1",
           .group = kBudget,
           .range = {0, 0.9999999},
           .more = true,
           .why = "How long the optimiser remembers gradients; rarely needs a change.",
           .help = "AdamW's decay of the gradient's mean"});
    v("beta2", beta2,
      Meta{.label = "AdamW beta 2",
           .group = kBudget,
           .range = {0, 0.9999999},
           .more = true,
           .why = "How long the optimiser remembers squared gradients; rarely needs a change.",
           .help = "AdamW's decay of the squared gradient's mean"});
    v("epsilon", epsilon,
      Meta{.label = "AdamW epsilon",
           .group = kBudget,
           .range = {0, 1},
           .more = true,
           .why = "Keeps the optimiser from dividing by zero; rarely needs a change.",
           .help = "AdamW's term against division by zero"});
    v("eval-every", evalEvery,
      Meta{.label = "Evaluate every",
           .group = kEvaluation,
           .unit = "steps",
           .range = {0, 1e9},
           .why = "Shows how the held-out loss and the answers develop under each map; 0 does not evaluate.",
           .help = "steps between evaluations; 0: never"});
    v("eval-maps", evalMaps,
      Meta{.label = "Evaluated maps",
           .group = kEvaluation,
           .why = "Losses and answers are evaluated under each of these sharing maps, separated by semicolons.",
           .help = "maps to evaluate while training, separated by ';'"});
    v("eval-questions", evalQuestions,
      Meta{.label = "Evaluation questions",
           .group = kEvaluation,
           .path = true,
           .why = "The model answers these questions at each evaluation, which shows what a smaller cache does to its "
                  "answers.",
           .help = "questions to answer at each evaluation: SQuAD, HotpotQA, TriviaQA or MS MARCO"});
    v("early-stop-patience", earlyStopPatience,
      Meta{.label = "Early stop patience",
           .group = kEvaluation,
           .unit = "evaluations",
           .range = {0, 1e6},
           .why = "Ends the run after this many evaluations without improvement; 0 turns it off.",
           .help = "evaluations without improvement before stopping; 0: off"});
    v("early-stop-metric", earlyStopMetric,
      Meta{.label = "Early stop metric",
           .group = kEvaluation,
           .choices = kEarlyStopMetricChoices,
           .why = "What must improve under the watched map, and which checkpoint is the best; scores need evaluation "
                  "questions.",
           .help = "what must improve, and makes a checkpoint the best"});
    v("eval-rows", evalRows,
      Meta{.label = "Evaluation rows",
           .group = kEvaluation,
           .unit = "rows",
           .range = {1, 1e9},
           .more = true,
           .why = "More rows make the loss more certain and each evaluation slower.",
           .help = "rows of the held-out data at most"});
    v("eval-questions-limit", evalQuestionsLimit,
      Meta{.label = "Question sample",
           .group = kEvaluation,
           .unit = "questions",
           .range = {0, 1e9},
           .more = true,
           .why =
               "Every evaluation answers the same sample; more questions narrow the intervals and take longer, and 0 "
               "takes all.",
           .help = "questions answered, a fixed sample drawn by the seed; 0: all"});
    v("eval-task", evalTask,
      Meta{.label = "Question task",
           .group = kEvaluation,
           .choices = kQuestionTaskChoices,
           .more = true,
           .open = "recognised from the questions",
           .why = "Decides how questions are asked and how answers are scored, where the file does not tell.",
           .help = "how questions are asked and scored (default: recognised from the file)"});
    v("early-stop-map", earlyStopMap,
      Meta{.label = "Early stop map",
           .group = kEvaluation,
           .more = true,
           .open = "the first evaluated map",
           .why = "The map whose loss or score decides about an early stop.",
           .help = "the map watched (default: the first)"});
    v("device", device,
      Meta{.label = "Device",
           .group = kRest,
           .choices = kDeviceChoices,
           .why = "A GPU trains much faster where there is one.",
           .help = "device to compute on"});
    v("save-minutes", saveMinutes,
      Meta{.label = "Checkpoint interval",
           .group = kRest,
           .unit = "minutes",
           .range = {0, 1e6},
           .why = "After an interruption, at most this much work is lost; 0 does not save by time.",
           .help = "minutes between checkpoints; 0: by steps and at the end"});
    v("save-every", saveEvery,
      Meta{.label = "Checkpoint every",
           .group = kRest,
           .unit = "steps",
           .range = {0, 1e9},
           .why = "Saves at fixed steps, for comparing stages of the training; 0 saves by time and at the end.",
           .help = "steps between checkpoints; 0: by time and at the end"});
    v("seed", seed,
      Meta{.label = "Random seed",
           .group = kRest,
           .why = "The same seed repeats the routings, the order of the data and the first weights.",
           .help = "seed of routing, data order and initial weights"});
    v("threads", threads,
      Meta{.label = "CPU threads",
           .group = kRest,
           .unit = "threads",
           .range = {0, 4096},
           .why = "Fewer threads leave room for other work; 0 uses all cores.",
           .help = "CPU threads; 0: all cores"});
  }
};

/// Sequences a forward pass: microBatch, or where it is 0 the whole batch, cut where a routing group ends.
int effectiveMicroBatch(const TrainConfig& config);
/// Groups with one routing each: routingGroups, or where it is 0 one per micro-batch.
int effectiveRoutingGroups(const TrainConfig& config);
/// weightDecay, or where it is open .1 for a full fine-tune and 0 for a LoRA (PEFT trains without).
double effectiveWeightDecay(const TrainConfig& config);

/// The Ranges and choices, and what they cannot say: a sampler that parses and takes this p_cross, group and
/// micro-batch sizes that divide the batch, one of steps and epochs, exactly one of model and init, data given.
Result<void> checkTrainConfig(const TrainConfig& config);
/// All that it would refuse, one of a kind each; Error::context is the option.
std::vector<Error> problemsOf(const TrainConfig& config);

}  // namespace strata
