#pragma once
// What the verbs share: how a verb is added, the options of every command that opens a model, ids and maps.
//
//   VerbAction addScore(CLI::App& verb, const Output& out) {
//     auto options = std::make_shared<ScoreOptions>();
//     options->model.addTo(verb);
//     return [options, &out] { return score(*options, out); };
//   }

#include <CLI/CLI.hpp>
#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/strata/output.h"
#include "core/base/error.h"
#include "core/model/chat_prompt.h"
#include "core/model/model.h"
#include "core/project/model_name.h"
#include "core/routing/sharing_map.h"

namespace strata {

/// What runs once the options are parsed; the exit code.
using VerbAction = std::function<Result<int>()>;

/// Set by SIGINT and SIGTERM.
std::atomic<bool>& cancelFlag();

/// The options of every command that opens a model.
struct ModelOptions {
  std::string model;
  std::string adapter;
  std::string dtype;
  std::string weights;
  std::string kv;
  std::string device = "cpu";
  std::string project;
  std::int64_t context = 0;
  int threads = 0;

  enum class Context { yes, no };
  void addTo(CLI::App& verb, Context context = Context::yes);
  /// Only MODEL and --project: for commands that do not compute.
  void addNameTo(CLI::App& verb);
  /// All but those, for a command that takes several models.
  void addComputeTo(CLI::App& verb, Context context = Context::yes);
};

/// What a configuration that opens one model says of it.
template <class Config>
ModelOptions modelOptionsOf(const Config& config, const std::string& project) {
  ModelOptions options;
  options.model = config.model;
  options.adapter = config.adapter;
  options.dtype = config.dtype;
  if constexpr (requires { config.weights; }) options.weights = config.weights;
  if constexpr (requires { config.kv; }) options.kv = config.kv;
  options.device = config.device;
  options.project = project;
  options.context = config.context;
  options.threads = config.threads;
  return options;
}

struct OpenedModel {
  std::shared_ptr<const Model> model;
  ModelLocation location;
  std::string name;  // as given
};

/// Sets the threads, resolves MODEL (a run's checkpoint too) and opens it.
/// `onlyMap`: see OpenOptions.
Result<OpenedModel> openModel(const ModelOptions& options, const std::optional<std::string>& onlyMap = {});
/// MODEL or RUN[@STEP] by --project.
Result<ModelLocation> locate(const std::string& model, const std::string& project);
void setThreads(int threads);
/// What setThreads(0) gives at most.
void limitThreads(int threads);

/// The maps of a repeated --maps option; nothing given: the model's own.
Result<std::vector<NamedMap>> chooseMaps(const std::vector<std::string>& texts, const Model& model);

/// "1,2,3", or "@FILE" with ids separated by commas, white space or brackets.
Result<std::vector<TokenId>> parseIds(const std::string& text);
std::string printIds(const std::vector<TokenId>& ids);

/// A text file, which must be UTF-8; without its byte order mark.
Result<std::string> readUtf8File(const std::filesystem::path& path, std::uint64_t maxBytes = 1ull << 32);

/// A folder of the shipped resources ("presets"): $STRATA_RESOURCES, or found beside or above the program.
Result<std::filesystem::path> resourceFolder(const std::string& name);

VerbAction addInspect(CLI::App& verb, const Output& out);
VerbAction addTokenize(CLI::App& verb, const Output& out);
VerbAction addTemplate(CLI::App& verb, const Output& out);
VerbAction addScore(CLI::App& verb, const Output& out);
VerbAction addGenerate(CLI::App& verb, const Output& out);
VerbAction addChat(CLI::App& verb, const Output& out);
VerbAction addData(CLI::App& verb, const Output& out);
VerbAction addTrain(CLI::App& verb, const Output& out);
VerbAction addEval(CLI::App& verb, const Output& out);
VerbAction addSensitivity(CLI::App& verb, const Output& out);
VerbAction addSearch(CLI::App& verb, const Output& out);
VerbAction addEstimate(CLI::App& verb, const Output& out);
VerbAction addCompare(CLI::App& verb, const Output& out);
VerbAction addReport(CLI::App& verb, const Output& out);
VerbAction addExport(CLI::App& verb, const Output& out);
VerbAction addBench(CLI::App& verb, const Output& out);
VerbAction addRuns(CLI::App& verb, const Output& out);
VerbAction addJob(CLI::App& verb, const Output& out);
VerbAction addDevices(CLI::App& verb, const Output& out);
VerbAction addEngine(CLI::App& verb, const Output& out);
VerbAction addServe(CLI::App& verb, const Output& out);

}  // namespace strata
