#pragma once
// Every config there is, filled so that its check accepts it, and another value for each of its fields.
//
//   forEachConfig([](const char* name, const auto& good, const auto& check) { … });

#include <string>

#include "core/config/describe.h"
#include "core/config/eval_config.h"
#include "core/config/generate_config.h"
#include "core/config/search_config.h"
#include "core/config/train_config.h"

namespace strata::testing {

template <class Visit>
void forEachConfig(const Visit& visit) {
  TrainConfig train;
  train.model = "model";
  train.data = "data.txt";
  train.evalQuestions = "questions.json";
  train.evalEvery = 10;
  visit("train", train, checkTrainConfig);
  EvalConfig eval;
  eval.model = "model";
  eval.data = "data.txt";
  eval.task = "squad";
  visit("eval", eval, checkEvalConfig);
  SensitivityConfig sensitivity;
  sensitivity.model = "model";
  sensitivity.text = "text.txt";
  visit("sensitivity", sensitivity, checkSensitivityConfig);
  SearchConfig search;
  search.model = "model";
  search.text = "text.txt";
  search.retention = .5;
  search.maps = {"full"};
  visit("search", search, checkSearchConfig);
  visit("generate", GenerateConfig(), [](const GenerateConfig& config) { return checkRanges(config); });
}

/// A value that is not the field's own and that a file may hold.
inline Json otherValue(const FieldInfo& field) {
  switch (field.kind) {
    case FieldKind::flag:
      return !field.value.get<bool>();
    case FieldKind::whole:
      return field.value.is_null() ? 7 : field.value.get<std::int64_t>() + 1;
    case FieldKind::real: {
      const double inside = field.meta.range.min + 0.3;
      return field.value == Json(inside) ? inside / 2 : inside;
    }
    case FieldKind::text:
      for (const Choice& choice : field.meta.choices) {
        if (*choice.value != '\0' && field.value != Json(choice.value)) return choice.value;
      }
      return "it's a \"text\"; with $HOME and ü";
    case FieldKind::list:
      return {"one; two", "three\nlines\\", "-4", ""};
    case FieldKind::pairs:
      return {{"completion", "a.text"}, {"prompt", "q"}};
  }
  return nullptr;
}

}  // namespace strata::testing
