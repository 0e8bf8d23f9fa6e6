// strata runs list|show|rm|export: the runs of a project.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "core/project/project.h"
#include "core/project/run_checkpoint.h"
#include "core/project/run_export.h"
#include "core/project/run_notes.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

struct RunsArguments {
  std::string project;
  std::string id, format, out;
  CLI::App* list = nullptr;
  CLI::App* show = nullptr;
  CLI::App* remove = nullptr;
  CLI::App* exportRun = nullptr;
};

using Notes = std::map<std::string, RunNote>;

/// As people call it: what the run was made with, or what they named it in the window.
std::string nameOf(const RunInfo& info, const Notes& notes) {
  const auto found = notes.find(info.id);
  return found == notes.end() || found->second.name.empty() ? info.name : found->second.name;
}

Json summary(const RunInfo& info, const Notes& notes) {
  Json json = {{"id", info.id},
               {"name", nameOf(info, notes)},
               {"kind", info.kind},
               {"state", toString(info.state)},
               {"created", info.created}};
  const auto found = notes.find(info.id);
  json["tags"] = found == notes.end() ? std::vector<std::string>() : found->second.tags;
  json["note"] = found == notes.end() ? std::string() : found->second.note;
  return json;
}

Result<int> list(const Project& project, const Output& out) {
  STRATA_TRY(const std::vector<RunInfo> runs, listRuns(project));
  STRATA_TRY(const Notes notes, readRunNotes(project.folder()));
  Json json = {{"runs", Json::array()}};
  std::string text;
  for (const RunInfo& info : runs) {
    json["runs"].push_back(summary(info, notes));
    text += fmt::format("{:<34} {:<12} {:<8} {}  {}\n", info.id, info.kind, toString(info.state), info.created,
                        nameOf(info, notes));
  }
  out.answer(json, text.empty() ? "no runs" : text);
  return 0;
}

Result<int> show(const Project& project, const std::string& id, const Output& out) {
  const auto name = findRun(id, project.folder());
  if (!name)
    return fail(ErrorCode::notFound, "The project " + project.folder().string() + " has no run " + id + ".", id);
  STRATA_TRY(const RunInfo info, readRun(name->folder));
  STRATA_TRY(const Notes notes, readRunNotes(project.folder()));
  Json json = summary(info, notes);
  json["message"] = info.message;
  json["parent"] = info.parent;
  json["folder"] = name->folder.string();
  json["checkpoints"] = checkpointSteps(name->folder);
  const auto best = readBest(name->folder);
  json["best"] = best ? Json(*best) : Json(nullptr);
  json["config"] = info.config;
  std::string text = fmt::format("{}  {}  {}  {}", info.id, info.kind, toString(info.state), info.created);
  if (const std::string name = nameOf(info, notes); !name.empty()) text += "\n" + name;
  if (!info.message.empty()) text += "\n" + info.message;
  if (!info.parent.empty()) text += "\nextends " + info.parent;
  text += "\ncheckpoints at steps:";
  for (const std::int64_t step : checkpointSteps(name->folder)) text += " " + std::to_string(step);
  text += "\n" + info.config.dump(2, ' ', false, Json::error_handler_t::replace);
  out.answer(json, text);
  return 0;
}

Result<int> exportRun(const Project& project, const RunsArguments& arguments, const Output& out) {
  const auto name = findRun(arguments.id, project.folder());
  if (!name) {
    return fail(ErrorCode::notFound, "The project " + project.folder().string() + " has no run " + arguments.id + ".",
                arguments.id);
  }
  STRATA_TRY(const std::int64_t points, arguments.format == "csv" ? exportCsv(name->folder, arguments.out)
                                                                  : exportTensorboard(name->folder, arguments.out));
  out.answer({{"run", arguments.id}, {"format", arguments.format}, {"points", points}, {"out", arguments.out}},
             fmt::format("{} points in {}", points, arguments.out));
  return 0;
}

Result<int> run(const RunsArguments& arguments, const Output& out) {
  STRATA_TRY(const Project project, Project::open(arguments.project));
  if (arguments.list->parsed()) return list(project, out);
  if (arguments.show->parsed()) return show(project, arguments.id, out);
  if (arguments.exportRun->parsed()) return exportRun(project, arguments, out);
  STRATA_CHECK(removeRun(project, arguments.id));
  out.answer({{"removed", arguments.id}}, "removed " + arguments.id);
  return 0;
}

}  // namespace

VerbAction addRuns(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<RunsArguments>();
  verb.require_subcommand(1);
  verb.fallthrough();
  verb.add_option("--project", arguments->project, "project folder")->required()->type_name("DIR");
  arguments->list = verb.add_subcommand("list", "All runs, by creation");
  arguments->show = verb.add_subcommand("show", "State, configuration and checkpoints of a run");
  arguments->remove = verb.add_subcommand("rm", "Delete a run that is not alive");
  arguments->exportRun = verb.add_subcommand("export", "Metrics of a run for other programs");
  for (CLI::App* sub : {arguments->list, arguments->show, arguments->remove, arguments->exportRun}) sub->fallthrough();
  for (CLI::App* sub : {arguments->show, arguments->remove, arguments->exportRun}) {
    sub->add_option("id", arguments->id, "the run's id")->required()->type_name("ID");
  }
  arguments->exportRun
      ->add_option("--format", arguments->format, "csv: a file; tensorboard: a folder with an event file")
      ->required()
      ->check(CLI::IsMember({"csv", "tensorboard"}));
  arguments->exportRun->add_option("out", arguments->out, "where it is written")->required()->type_name("OUT");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
