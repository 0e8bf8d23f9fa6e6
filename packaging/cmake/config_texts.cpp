// Prints every text of the configs that the window shows, as a source for lupdate.

#include <cstdio>
#include <set>
#include <string>

#include "core/config/describe.h"
#include "core/config/eval_config.h"
#include "core/config/generate_config.h"
#include "core/config/train_config.h"

int main() {
  std::set<std::string> texts;
  for (const auto& fields : {strata::describe(strata::TrainConfig()), strata::describe(strata::EvalConfig()),
                             strata::describe(strata::GenerateConfig())}) {
    for (const strata::FieldInfo& field : fields) {
      const strata::Meta& meta = field.meta;
      for (const char* text : {meta.label, meta.group, meta.unit, meta.open, meta.why, meta.help}) texts.insert(text);
      for (const strata::Choice& choice : meta.choices) texts.insert(choice.label);
    }
  }
  texts.erase("");
  for (const std::string& text : texts) {
    // A JSON string is a C++ string.
    std::printf("QT_TRANSLATE_NOOP(\"strata::Config\", %s);\n", strata::Json(text).dump().c_str());
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
