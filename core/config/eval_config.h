#pragma once
// Everything an evaluation is told; stored with its run.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/choices.h"

namespace strata {

inline constexpr std::array kTaskChoices = {
    Choice{"", "Not chosen"},
    Choice{"squad", "SQuAD: short answers"},
    Choice{"hotpotqa", "HotpotQA: several passages"},
    Choice{"triviaqa", "TriviaQA: trivia"},
    Choice{"msmarco", "MS MARCO: long answers"},
    Choice{"nq", "Natural Questions: short answers"},
    Choice{"boolq", "BoolQ: yes or no"},
    Choice{"multiple-choice", "Multiple choice: ARC, HellaSwag, MMLU"},
    Choice{"lambada", "LAMBADA: the last word"},
    Choice{"kv-retrieval", "Key-value pairs: find one"},
    Choice{"nll", "Text: negative log-likelihood"},
};
inline constexpr std::array kEvalDTypeChoices = {Choice{"", "As stored"}, Choice{"float32", "float32, exact"},
                                                 Choice{"bfloat16", "bfloat16, rounded"}};

inline constexpr std::array kEvalWeightsChoices = {
    Choice{"", "As stored"},
    Choice{"int8", "8 bits"},
    Choice{"int8:32", "8 bits, a scale for 32 inputs"},
    Choice{"int8:64", "8 bits, a scale for 64 inputs"},
    Choice{"int8:128", "8 bits, a scale for 128 inputs"},
    Choice{"int4", "4 bits"},
    Choice{"int4:32", "4 bits, a scale for 32 inputs"},
    Choice{"int4:64", "4 bits, a scale for 64 inputs"},
    Choice{"int4:128", "4 bits, a scale for 128 inputs"},
};

inline constexpr std::array kEvalKvChoices = {Choice{"", "As computed"}, Choice{"int8", "8 bits, whole numbers"},
                                              Choice{"fp8", "8 bits, floating point (E4M3)"}};

struct EvalConfig {
  std::string model;                           // checkpoint folder, RUN, or a project's name for a model
  std::string adapter;                         // LoRA folder; empty: none
  std::string task;                            // one of kTaskChoices
  std::string data;                            // questions in the task's form, or text or JSONL (nll)
  std::map<std::string, std::string> columns;  // which of the records' keys stand for what; empty: the task's own names
  std::vector<std::string> maps;               // empty: the model's own
  int limit = 0;                               // the first questions, documents or rows; 0: all
  std::string dtype;                           // float32 | bfloat16; empty: as stored
  std::string weights;                         // int8 | int4[:group]; empty: as stored
  std::string kv;                              // int8 | fp8; empty: the dtype
  std::string device = "cpu";
  std::int64_t context = 0;  // 0: the model's
  int threads = 0;           // 0: all cores
  std::string prompt;        // a Jinja template; empty: defaultPrompt(task)
  bool chat = false;         // ask through the model's chat template
  int shots = 0;             // answered examples before each question
  std::string shotsData;     // where they come from; empty: from the data, those that are not asked
  double questionFirst = 0;  // probability that a question stands before its passages
  bool permutePassages = false;
  bool closedBook = false;  // without passages
  std::int64_t window = 0;  // nll of text: tokens a window; 0: the context, at most kDefaultWindow
  int kvPairs = 0;          // kv-retrieval: drawn questions over this many pairs, in place of data
  std::uint64_t seed = 1;   // of the examples, orders and pairs that are drawn

  template <class V>
  void visit(V& v) {
    constexpr auto kWhat = "Model and data", kHow = "Evaluation", kAsking = "Prompt", kRest = "More";
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
    v("columns", columns,
      Meta{.label = "Columns",
           .group = kWhat,
           .open = "the task's own names",
           .why = "Says which keys of your records hold the question, its passages and its answers.",
           .help = "what the records' keys stand for: question=q,context=passage.text,answers=a,choices=c"});
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
    v("window", window,
      Meta{.label = "Text window",
           .group = kHow,
           .unit = "tokens",
           .range = {0, 1e9},
           .more = true,
           .why = "Texts are scored in windows of this length; 0 takes the context, but at most 4096 tokens.",
           .help = "nll: tokens of a window of text (default: the context, at most 4096)"});
    v("kv-pairs", kvPairs,
      Meta{.label = "Key-value pairs",
           .group = kHow,
           .unit = "pairs",
           .range = {0, 1e6},
           .more = true,
           .why = "Draws questions over this many pairs instead of reading data: more pairs make longer prompts.",
           .help = "kv-retrieval: draw questions over this many pairs instead of reading data"});
    v("prompt", prompt,
      Meta{.label = "Prompt",
           .group = kAsking,
           .open = "the task's own",
           .why =
               "The template that writes each question: Jinja with question, context, passages, choices and no_answer.",
           .help = "Jinja template of a question, or a file with one (default: the task's own)"});
    v("chat", chat,
      Meta{.label = "Use chat template",
           .group = kAsking,
           .why = "Asks as a chat model is used to; leave it off for base models.",
           .help = "ask through the model's chat template (default: the bare prompt)"});
    v("shots", shots,
      Meta{.label = "Examples shown",
           .group = kAsking,
           .unit = "examples",
           .range = {0, 1000},
           .why = "Answered examples before each question teach a base model the form of an answer.",
           .help = "answered examples before each question, drawn by the seed"});
    v("shots-data", shotsData,
      Meta{.label = "Data of examples",
           .group = kAsking,
           .path = true,
           .open = "questions that are not asked",
           .why = "Examples must not be among the questions asked; a training split is best.",
           .help = "file that the examples come from (default: the questions of the data that are not asked)"});
    v("question-first", questionFirst,
      Meta{.label = "Question first",
           .group = kAsking,
           .range = {0, 1},
           .more = true,
           .why = "The share of questions that stand before their passages, as training can mix them.",
           .help = "probability that a question stands before its passages"});
    v("permute-passages", permutePassages,
      Meta{.label = "Shuffle passages",
           .group = kAsking,
           .more = true,
           .why = "Shows whether answers depend on where the passage stands.",
           .help = "a question's passages in an order drawn by the seed"});
    v("closed-book", closedBook,
      Meta{.label = "Closed book",
           .group = kAsking,
           .more = true,
           .why = "Leaves the passages out: what the model answers from its weights alone.",
           .help = "ask without passages"});
    v("seed", seed,
      Meta{.label = "Random seed",
           .group = kAsking,
           .more = true,
           .why = "The same seed draws the same examples, orders and pairs.",
           .help = "seed of the examples, orders and pairs that are drawn"});
    v("dtype", dtype,
      Meta{.label = "Precision",
           .group = kRest,
           .choices = kEvalDTypeChoices,
           .why = "bfloat16 takes half the memory of float32 and rounds more.",
           .help = "precision of the weights (default: as stored)"});
    v("weights", weights,
      Meta{.label = "Weights",
           .group = kRest,
           .choices = kEvalWeightsChoices,
           .more = true,
           .why = "Rounds the weights when they are loaded: they take a half or a quarter of bfloat16's memory.",
           .help = "round the weights: int8 | int4, or with the inputs that share a scale int4:64"});
    v("kv", kv,
      Meta{.label = "KV cache",
           .group = kRest,
           .choices = kEvalKvChoices,
           .more = true,
           .why = "Keys and values in 8 bits take a half of bfloat16's memory, under every map.",
           .help = "keep keys and values in 8 bits: int8 | fp8 (default: the dtype; CPU)"});
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

/// Tokens of a window of text where nothing else is said: longer ones cost more and hardly change the loss.
inline constexpr std::int64_t kDefaultWindow = 4096;

/// The score that a task is known by, as results name it; "": an unknown task.
const char* primaryMetric(std::string_view task);
/// The template that a task's questions are written with; "": it has none (nll), or is unknown.
///
/// Variables: question; context, all passages as one text; passages, a list of {title, text}; no_answer, what to say
/// where there is no answer, or none; question_first; choices, a list; lettered_choices, "A. …" a line: a prompt with
/// these is answered by a letter.
const char* defaultPrompt(std::string_view task);

/// The Ranges and choices, a task, model and data given, and no option that the task has no use for.
Result<void> checkEvalConfig(const EvalConfig& config);

}  // namespace strata
