#pragma once
// Everything that a sensitivity measurement or a map search is told; stored with its run.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/choices.h"

namespace strata {

inline constexpr std::array kSearchMethodChoices = {
    Choice{"greedy", "Greedy: owners one by one, then swaps"},
    Choice{"beam:4", "Beam: several partial maps at once", "beam:w"},
    Choice{"dp", "Dynamic programming over the matrix"},
    Choice{"dissimilarity", "KVSharer: least similar caches"},
    Choice{"random:20", "Random maps, for comparison", "random:n"},
    Choice{"random", "20 random maps"},
    Choice{"measure", "Only measure given maps"},
};
inline constexpr std::array kSearchTaskChoices = {
    Choice{"", "Text: negative log-likelihood"},      Choice{"squad", "SQuAD: short answers"},
    Choice{"hotpotqa", "HotpotQA: several passages"}, Choice{"triviaqa", "TriviaQA: trivia"},
    Choice{"msmarco", "MS MARCO: long answers"},
};
inline constexpr std::array kSearchDTypeChoices = {Choice{"", "As stored"}, Choice{"float32", "float32, exact"},
                                                   Choice{"bfloat16", "bfloat16, rounded"}};

/// Fields that both have: the model, and how it is computed.
struct MeasureConfig {
  std::string model;        // checkpoint folder, RUN, or a project's name for a model
  std::string text;         // UTF-8 text; with a task its questions
  std::string adapter;      // LoRA folder; empty: none
  std::int64_t tokens = 0;  // of the text, in windows spread evenly over it; 0: all
  std::string dtype;        // float32 | bfloat16; empty: as stored
  std::string device = "cpu";
  std::int64_t context = 0;  // 0: the model's
  int threads = 0;           // 0: all cores

  template <class V>
  void visitInput(V& v) {
    constexpr auto kWhat = "Model and text";
    v("model", model,
      Meta{.label = "Model",
           .group = kWhat,
           .path = true,
           .positional = true,
           .why = "The weights to measure: a checkpoint folder, a run, or a model of the project.",
           .help = "checkpoint folder, run, or a project's name for a model"});
    v("text", text,
      Meta{.label = "Text",
           .group = kWhat,
           .path = true,
           .why = "The loss is measured on this text; use one like those the model will read.",
           .help = "UTF-8 text; lines <|endoftext|> part documents; with a task, its questions"});
    v("adapter", adapter,
      Meta{.label = "LoRA adapter",
           .group = kWhat,
           .path = true,
           .why = "Measures the model with this adapter on top; leave it empty to measure the model alone.",
           .help = "LoRA adapter in PEFT's form"});
  }
  template <class V>
  void visitComputation(V& v) {
    constexpr auto kRest = "More";
    v("tokens", tokens,
      Meta{.label = "Sample of the text",
           .group = kRest,
           .unit = "tokens",
           .range = {0, 1e12},
           .more = true,
           .why = "Fewer tokens are faster and give wider intervals; 0 takes the whole text.",
           .help = "measure on about so many tokens, spread over the text (default: all)"});
    v("dtype", dtype,
      Meta{.label = "Precision",
           .group = kRest,
           .choices = kSearchDTypeChoices,
           .more = true,
           .why = "bfloat16 takes half the memory of float32 and rounds more.",
           .help = "precision of the weights (default: as stored)"});
    v("device", device,
      Meta{.label = "Device",
           .group = kRest,
           .choices = kDeviceChoices,
           .more = true,
           .why = "A GPU is much faster where there is one.",
           .help = "device to compute on"});
    v("context", context,
      Meta{.label = "Context length",
           .group = kRest,
           .unit = "tokens",
           .range = {0, 1e12},
           .more = true,
           .why = "The text is cut into windows of this length; 0 takes the model's own.",
           .help = "tokens that one sequence may hold (default: the model's)"});
    v("threads", threads,
      Meta{.label = "CPU threads",
           .group = kRest,
           .unit = "threads",
           .range = {0, 4096},
           .more = true,
           .why = "Fewer threads leave room for other work; 0 uses all cores.",
           .help = "CPU threads (default: all cores)"});
  }
};

struct SensitivityConfig : MeasureConfig {
  template <class V>
  void visit(V& v) {
    visitInput(v);
    visitComputation(v);
  }
};

struct SearchConfig : MeasureConfig {
  std::optional<double> retention;     // owners / layers, in (0, 1]; this or a budget
  std::optional<std::int64_t> budget;  // bytes of the KV cache of one sequence of `context` tokens
  std::string method = "greedy";       // greedy | beam:w | dp | dissimilarity | random[:n] | measure
  std::string task;                    // empty: the text's NLL
  int limit = 100;                     // questions of a task
  std::uint64_t seed = 1;
  bool guided = false;            // greedy and beam measure only what the sensitivity matrix ranks first
  std::vector<std::string> maps;  // measure: these; otherwise measured beside the search
  std::string name;               // of the result in the project's maps; empty: by model, owners and method

  template <class V>
  void visit(V& v) {
    constexpr auto kHow = "Search", kRest = "More";
    visitInput(v);
    v("retention", retention,
      Meta{.label = "Retention",
           .group = kHow,
           .range = {0, 1},
           .open = "by the budget",
           .why = "The share of layers that keep their own keys and values; the cache shrinks to it.",
           .help = "owners / layers of the map to find, 0 to 1"});
    v("budget", budget,
      Meta{.label = "Cache budget",
           .group = kHow,
           .unit = "bytes",
           .range = {1, 9e18},
           .open = "by the retention",
           .why = "The map with most owners whose cache of one full sequence fits into these bytes.",
           .help = "bytes that the KV cache of one sequence of the context may take"});
    v("method", method,
      Meta{.label = "Method",
           .group = kHow,
           .choices = kSearchMethodChoices,
           .more = true,
           .why = "The greedy search measures every step it takes; dp measures single layers and a few whole maps.",
           .help = "how to search"});
    v("task", task,
      Meta{.label = "Objective",
           .group = kHow,
           .choices = kSearchTaskChoices,
           .more = true,
           .why = "What the best map is best at: the loss on the text, or a task's score.",
           .help = "search for the best score of this task instead of the text's NLL"});
    v("limit", limit,
      Meta{.label = "Questions",
           .group = kHow,
           .unit = "questions",
           .range = {1, 1e9},
           .more = true,
           .why = "More questions tell close maps apart and take longer.",
           .help = "questions of the task"});
    v("maps", maps,
      Meta{.label = "Sharing maps",
           .group = kHow,
           .more = true,
           .open = "none",
           .why = "These are measured on the same text, so that the result can be compared with them in pairs.",
           .help = "also measure these maps; the method measure does nothing else"});
    v("guided", guided,
      Meta{.label = "Guide by the matrix",
           .group = kHow,
           .more = true,
           .why = "Deep models: greedy and beam then measure only the maps that the sensitivity matrix ranks first.",
           .help = "greedy, beam: measure only the maps that the sensitivity matrix ranks first"});
    v("seed", seed,
      Meta{.label = "Seed",
           .group = kRest,
           .more = true,
           .why = "The same seed gives the same search.",
           .help = "seed of what is drawn"});
    v("name", name,
      Meta{.label = "Map's name",
           .group = kRest,
           .more = true,
           .open = "by model, owners and method",
           .why = "The map that is found is stored in the project under this name.",
           .help = "name of the result in the project's maps"});
    visitComputation(v);
  }
};

/// A method as written.
struct SearchMethod {
  std::string name;  // without its number
  int number = 0;    // beam: width; random: maps
};
Result<SearchMethod> searchMethodOf(const std::string& text);

Result<void> checkSensitivityConfig(const SensitivityConfig& config);
/// Also: a retention or a budget unless the method only measures, then maps.
Result<void> checkSearchConfig(const SearchConfig& config);

}  // namespace strata
