// strata search: the sharing map of a size that costs least on a text or a task.

#include <fmt/format.h>

#include "app/strata/field_options.h"
#include "app/strata/measure.h"
#include "app/strata/ranks.h"
#include "core/base/files.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

struct SearchArguments {
  explicit SearchArguments(CLI::App& verb) : fields(verb) {}
  FieldOptions fields;
  std::string project, out;
  bool distributed = false;
};

std::string toText(const Json& answer) {
  const std::string metric = answer["metric"].get<std::string>();
  const auto number = [](const Json& value) {
    return value.is_number() ? fmt::format("{:.5f}", value.get<double>()) : "-";
  };
  std::string text =
      fmt::format("{}\n{} {} ± {}, full {}; {} maps measured in {:.1f} s{}", answer["map"].get<std::string>(), metric,
                  number(answer["value"]), number(answer["half_width"]), number(answer["full"]),
                  answer["evaluated"].get<std::int64_t>(), answer["seconds"].get<double>(),
                  answer.contains("stopped") ? "; stopped before its end" : "");
  if (!answer.contains("results")) return text;
  text += fmt::format("\n{:<28} {:>9} {:>9} {:>9}", "map", "retention", metric, "±");
  for (const Json& one : answer["results"]) {
    text += fmt::format("\n{:<28} {:>9.4f} {:>9} {:>9}", one["map"].get<std::string>(), one["retention"].get<double>(),
                        number(one[metric]), number(one["half_width"]));
  }
  return text;
}

Result<int> run(const SearchArguments& arguments, const Output& out, Communicator* ranks) {
  SearchConfig config;
  STRATA_CHECK(arguments.fields.applyTo(config));
  STRATA_CHECK(checkSearchConfig(config));
  STRATA_TRY(const PreparedMeasure prepared, prepareMeasure(config, arguments.project, ranks));
  if (!leads(ranks)) {
    STRATA_CHECK(searchMaps(config, prepared.opened, nullptr, {}));
    return 0;
  }
  MeasureShown shown("Searching");
  STRATA_TRY(Run* const run, shown.keepIn(arguments.project, kSearchKind, configToJson(config)));
  STRATA_TRY(const Json answer, searchMaps(config, prepared.opened, run, shown.progress()));
  shown.end();
  if (!arguments.out.empty()) STRATA_CHECK(writeFile(arguments.out, answer.dump(2) + "\n"));
  out.answer(answer, toText(answer));
  return answer.contains("stopped") ? 130 : 0;
}

}  // namespace

VerbAction addSearch(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<SearchArguments>(verb);
  arguments->fields.add(SearchConfig());
  verb.add_option("--project", arguments->project, "project folder that keeps the map and all that was measured")
      ->type_name("DIR");
  verb.add_option("--out", arguments->out, "write the map to this file")->type_name("MAP.json");
  verb.add_flag("--distributed", arguments->distributed, kDistributedHelp);
  return [arguments, &out] {
    const auto work = [&](Communicator* ranks) { return run(*arguments, out, ranks); };
    return arguments->distributed ? alike(out, work) : work(nullptr);
  };
}

}  // namespace strata
