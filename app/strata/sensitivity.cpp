// strata sensitivity: what it costs that one layer alone reads another, for all pairs.

#include <fmt/format.h>

#include "app/strata/field_options.h"
#include "app/strata/measure.h"
#include "app/strata/ranks.h"
#include "core/base/files.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

struct SensitivityArguments {
  explicit SensitivityArguments(CLI::App& verb) : fields(verb) {}
  FieldOptions fields;
  std::string project, out;
  bool distributed = false;
};

/// "+0.013", or blanks.
std::string toText(const Json& answer) {
  std::string text = fmt::format("NLL {:.5f} over {} tokens of {} windows; rows read columns\n      ",
                                 answer["baseline_nll"].get<double>(), answer["tokens"].get<std::int64_t>(),
                                 answer["windows"].get<std::int64_t>());
  const Json& delta = answer["delta"];
  for (std::size_t source = 0; source + 1 < delta.size(); ++source) text += fmt::format(" {:>7}", source);
  for (std::size_t layer = 1; layer < delta.size(); ++layer) {
    text += fmt::format("\n{:>6}", layer);
    for (std::size_t source = 0; source < layer; ++source)
      text += fmt::format(" {:>+7.3f}", delta[layer][source].get<double>());
  }
  return text;
}

Result<int> run(const SensitivityArguments& arguments, const Output& out, Communicator* ranks) {
  SensitivityConfig config;
  STRATA_CHECK(arguments.fields.applyTo(config));
  STRATA_CHECK(checkSensitivityConfig(config));
  STRATA_TRY(const PreparedMeasure prepared, prepareMeasure(config, arguments.project, ranks));
  if (!leads(ranks)) {
    STRATA_CHECK(measureMatrix(config, prepared.opened, nullptr, {}));
    return 0;
  }
  MeasureShown shown("Measuring");
  STRATA_TRY(Run* const run, shown.keepIn(arguments.project, kSensitivityKind, configToJson(config)));
  STRATA_TRY(const Json answer, measureMatrix(config, prepared.opened, run, shown.progress()));
  shown.end();
  if (!arguments.out.empty()) STRATA_CHECK(writeFile(arguments.out, answer.dump(1) + "\n"));
  out.answer(answer, toText(answer));
  return 0;
}

}  // namespace

VerbAction addSensitivity(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<SensitivityArguments>(verb);
  arguments->fields.add(SensitivityConfig());
  verb.add_option("--project", arguments->project, "project folder that keeps the matrix")->type_name("DIR");
  verb.add_option("--out", arguments->out, "write the answer to this file too")->type_name("FILE.json");
  verb.add_flag("--distributed", arguments->distributed, kDistributedHelp);
  return [arguments, &out] {
    const auto work = [&](Communicator* ranks) { return run(*arguments, out, ranks); };
    return arguments->distributed ? alike(out, work) : work(nullptr);
  };
}

}  // namespace strata
