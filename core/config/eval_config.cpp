#include "core/config/eval_config.h"

#include <algorithm>

namespace strata {
namespace {

// As core/data writes questions for training (question_prompt.h).
constexpr const char* kQuestionPrompt = R"({% if question_first %}
Question: {{ question }}
{% endif %}
{% if passages|length > 1 %}
Passages:
{{ context }}
{% elif passages %}
Context: {{ context }}
{% endif %}
{% if not question_first %}
Question: {{ question }}
{% endif %}
{% if no_answer %}
If there is no answer, say {{ no_answer.rstrip('.') }}.
{% endif %}
Answer:)";

constexpr const char* kBoolPrompt = R"({% if question_first or not context %}
Question: {{ question }}?
{% endif %}
{% if context %}
{{ context }}
{% endif %}
{% if context and not question_first %}
Question: {{ question }}?
{% endif %}
Answer:)";

constexpr const char* kChoicePrompt = R"({% if not question %}
{{ context }}
{%- else %}
{% if question_first or not context %}
Question: {{ question }}
{% endif %}
{% if context %}
Context: {{ context }}
{% endif %}
{% if context and not question_first %}
Question: {{ question }}
{% endif %}
Answer:
{%- endif %})";

constexpr const char* kLastWordPrompt = "{{ context }}";

constexpr const char* kPairsPrompt = R"(Extract the value corresponding to the specified key in the JSON object below.

{% if question_first %}
Key: "{{ question }}"

{% endif %}
JSON data:
{{ context }}

Key: "{{ question }}"
Corresponding value:)";

enum class Kind { questions, choices, lastWord, pairs, texts };

struct TaskFacts {
  std::string_view name;
  Kind kind;
  const char* metric;
  const char* prompt;
};

constexpr std::array kTasks = {
    TaskFacts{"squad", Kind::questions, "f1", kQuestionPrompt},
    TaskFacts{"hotpotqa", Kind::questions, "f1", kQuestionPrompt},
    TaskFacts{"triviaqa", Kind::questions, "f1", kQuestionPrompt},
    TaskFacts{"msmarco", Kind::questions, "rouge_l", kQuestionPrompt},
    TaskFacts{"nq", Kind::questions, "f1", kQuestionPrompt},
    TaskFacts{"boolq", Kind::choices, "acc", kBoolPrompt},
    TaskFacts{"multiple-choice", Kind::choices, "acc", kChoicePrompt},
    TaskFacts{"lambada", Kind::lastWord, "acc", kLastWordPrompt},
    TaskFacts{"kv-retrieval", Kind::pairs, "acc", kPairsPrompt},
    TaskFacts{"nll", Kind::texts, "nll", ""},
};

const TaskFacts* factsOf(std::string_view task) {
  const auto* found =
      std::find_if(kTasks.begin(), kTasks.end(), [&](const TaskFacts& each) { return each.name == task; });
  return found == kTasks.end() ? nullptr : &*found;
}

/// An option that is given, and the kinds of tasks that have a use for it.
struct Use {
  const char* option;
  bool given;
  bool used;
};

Result<void> checkUses(const EvalConfig& config, const TaskFacts& task) {
  const Kind kind = task.kind;
  const bool asks = kind != Kind::texts, hasQuestion = asks && kind != Kind::lastWord;
  const Use uses[] = {{"columns", !config.columns.empty(), kind != Kind::pairs},
                      {"prompt", !config.prompt.empty(), asks},
                      {"chat", config.chat, hasQuestion},
                      {"shots", config.shots > 0, asks},
                      {"shots-data", !config.shotsData.empty(), asks},
                      {"question-first", config.questionFirst > 0, hasQuestion},
                      {"permute-passages", config.permutePassages, kind == Kind::questions},
                      {"closed-book", config.closedBook, kind == Kind::questions || kind == Kind::choices},
                      {"window", config.window > 0, kind == Kind::texts},
                      {"kv-pairs", config.kvPairs > 0, kind == Kind::pairs}};
  for (const Use& use : uses) {
    if (!use.given || use.used) continue;
    return fail(ErrorCode::usage, "The task " + config.task + " has no use for " + use.option + "; leave it out.",
                std::string("--") + use.option);
  }
  return {};
}

Result<void> checkData(const EvalConfig& config) {
  if (config.kvPairs == 0 && config.data.empty())
    return fail(ErrorCode::usage, "No data is given; name a file with data.", "--data");
  if (config.kvPairs == 1) {
    return fail(ErrorCode::usage, "kv-pairs is 1, which leaves nothing to look for; give 2 or more.", "--kv-pairs");
  }
  if (config.kvPairs > 0 && !config.data.empty()) {
    return fail(ErrorCode::usage, "Both data and kv-pairs are given; questions are read or drawn: give one.",
                "--kv-pairs");
  }
  if (config.shots == 0 && !config.shotsData.empty()) {
    return fail(ErrorCode::usage, "shots-data is given but no number of examples; give shots.", "--shots");
  }
  if (config.window == 1) {
    return fail(ErrorCode::usage, "A window of 1 token predicts nothing; give 2 or more.", "--window");
  }
  return {};
}

}  // namespace

const char* primaryMetric(std::string_view task) {
  const TaskFacts* facts = factsOf(task);
  return facts == nullptr ? "" : facts->metric;
}

const char* defaultPrompt(std::string_view task) {
  const TaskFacts* facts = factsOf(task);
  return facts == nullptr ? "" : facts->prompt;
}

Result<void> checkEvalConfig(const EvalConfig& config) {
  STRATA_CHECK(checkRanges(config));
  const TaskFacts* task = factsOf(config.task);
  if (task == nullptr) {
    return fail(ErrorCode::usage, "No task is given; give one of: " + printChoices(kTaskChoices) + ".", "--task");
  }
  STRATA_CHECK(checkDevice(config.device));
  if (config.model.empty()) {
    return fail(ErrorCode::usage, "No model is given; name one, or give a file of answers made elsewhere to be scored.",
                "MODEL");
  }
  STRATA_CHECK(checkUses(config, *task));
  return checkData(config);
}

}  // namespace strata
