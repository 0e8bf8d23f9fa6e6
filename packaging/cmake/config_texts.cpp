// Prints every text of the configs and of the kinds of jobs that the window shows, as a source for lupdate.

#include <cstdio>
#include <set>
#include <string>

#include "core/config/describe.h"
#include "core/config/eval_config.h"
#include "core/config/generate_config.h"
#include "core/config/search_config.h"
#include "core/config/train_config.h"
#include "core/protocol/job_kinds.h"

namespace {

/// A JSON string is a C++ string.
void print(const char* context, const std::string& text) {
  std::printf("QT_TRANSLATE_NOOP(\"strata::%s\", %s);\n", context, strata::Json(text).dump().c_str());
}

}  // namespace

int main() {
  std::set<std::string> texts;
  for (const auto& fields : {strata::describe(strata::TrainConfig()), strata::describe(strata::EvalConfig()),
                             strata::describe(strata::SearchConfig()), strata::describe(strata::GenerateConfig())}) {
    for (const strata::FieldInfo& field : fields) {
      const strata::Meta& meta = field.meta;
      for (const char* text : {meta.label, meta.group, meta.unit, meta.open, meta.why, meta.help}) texts.insert(text);
      for (const strata::Choice& choice : meta.choices) texts.insert(choice.label);
    }
  }
  texts.erase("");
  for (const std::string& text : texts) print("Config", text);
  for (const strata::JobKind& kind : strata::kJobKinds) print("JobKind", kind.label);
  return std::fflush(stdout) == 0 ? 0 : 1;
}
