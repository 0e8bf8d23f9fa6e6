#include "core/service/model_list.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "core/checkpoint/adapter.h"
#include "core/checkpoint/checkpoint.h"
#include "core/project/model_name.h"
#include "core/project/project.h"
#include "core/project/run_checkpoint.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using protocol::ModelEntry;

constexpr int kFolderDepth = 2;
constexpr std::size_t kMostFolders = 20000;  // that are looked into, of the folders given

struct Found {
  ModelEntry entry;
  fs::path folder;  // with config.json; of an adapter that of its base, once it is known
  fs::path adapter;
};

bool isModel(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "config.json", ignored);
}

bool isAdapter(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "adapter_config.json", ignored) && !isModel(folder);
}

/// Subfolders in name order, without hidden ones.
std::vector<fs::path> foldersIn(const fs::path& folder) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().filename().string().starts_with('.') || !entry->is_directory(ignored)) continue;
    folders.push_back(entry->path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

ModelEntry entryOf(const char* source, const std::string& model, const std::string& name, const fs::path& path) {
  ModelEntry entry;
  entry.source = source;
  entry.model = model;
  entry.name = name;
  entry.path = path.string();
  return entry;
}

/// A model's folder, or an adapter's: that one's base is looked for among the others afterwards.
Found foundIn(const char* source, const std::string& model, const std::string& name, const fs::path& folder) {
  if (!isAdapter(folder)) return {entryOf(source, model, name, folder), folder, {}};
  Found found{entryOf("adapter", {}, name, folder), {}, folder};
  found.entry.adapter = folder.string();
  return found;
}

/// What a run's "model" is called: a name of the project, a run's id, or the folder.
std::string parentName(const std::string& model, const Project& project) {
  for (const auto& [name, folder] : project.models()) {
    if (folder == fs::path(model).lexically_normal()) return name;
  }
  if (const auto run = findRun(model, project.folder())) return run->folder.filename().string();
  return model;
}

void addProject(const Project& project, std::vector<Found>& found) {
  for (const auto& [name, folder] : project.models()) found.push_back(foundIn("project", name, name, folder));
  const Result<std::vector<RunInfo>> runs = listRuns(project);
  if (!runs) return;
  for (const RunInfo& run : *runs) {
    const fs::path folder = project.runsFolder() / run.id;
    if (run.kind != kTrainKind || checkpointSteps(folder).empty()) continue;
    Found each{entryOf("run", run.id, run.name.empty() ? run.id : run.name, folder), {}, {}};
    const auto model = run.config.find("model");
    if (model != run.config.end() && model->is_string() && !model->get_ref<const std::string&>().empty()) {
      each.entry.parent = parentName(model->get<std::string>(), project);
    }
    const Result<ModelLocation> location = locateModel(run.id, project.folder(), Locate::place);
    if (location) {
      each.folder = location->folder;
      each.adapter = location->adapter;
      // Names and sizes; the weights are read once the model is opened.
      const Result<void> whole = checkCheckpoint(each.adapter.empty() ? each.folder : each.adapter);
      if (!whole) each.entry.problem = whole.error().message;
    } else {
      each.entry.problem = location.error().message;
    }
    found.push_back(std::move(each));
  }
}

/// "models--org--name/snapshots/<revision>": the newest revision that has a config.json.
void addHub(const fs::path& hub, std::vector<Found>& found) {
  constexpr const char* kPrefix = "models--";
  for (const fs::path& repository : foldersIn(hub)) {
    std::string name = repository.filename().string();
    if (!name.starts_with(kPrefix)) continue;
    name = name.substr(std::string(kPrefix).size());
    if (const std::size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
    std::optional<fs::path> newest;
    fs::file_time_type time;
    for (const fs::path& snapshot : foldersIn(repository / "snapshots")) {
      std::error_code ignored;
      const fs::file_time_type written = fs::last_write_time(snapshot, ignored);
      if ((!isModel(snapshot) && !isAdapter(snapshot)) || (newest && written <= time)) continue;
      newest = snapshot;
      time = written;
    }
    if (newest) found.push_back(foundIn("hub", newest->string(), name, *newest));
  }
}

void addFolder(const fs::path& folder, int depth, const std::string& name, std::vector<Found>& found,
               std::size_t& looked) {
  if (++looked > kMostFolders) return;
  if (isModel(folder) || isAdapter(folder)) {
    found.push_back(foundIn("folder", folder.string(), name, folder));
    return;
  }
  if (depth == 0) return;
  for (const fs::path& inside : foldersIn(folder)) {
    const std::string below = inside.filename().string();
    addFolder(inside, depth - 1, depth == kFolderDepth ? below : name + "/" + below, found, looked);
  }
}

/// Gives an adapter the base that adapter_config.json names: a folder, or a model of the Hub by its id.
void findBase(Found& each, const std::vector<Found>& found) {
  const fs::path file = each.adapter / "adapter_config.json";
  const Result<Json> config = readJson(file);
  if (!config) {
    each.entry.problem = config.error().message;
    return;
  }
  const auto member = config->is_object() ? config->find("base_model_name_or_path") : config->end();
  const std::string base = config->is_object() && member != config->end() && member->is_string()
                               ? member->get<std::string>()
                               : std::string();
  if (base.empty()) {
    each.entry.problem = file.string() + " does not say which model it is for (\"base_model_name_or_path\").";
    return;
  }
  std::error_code ignored;
  const fs::path path =
      fs::weakly_canonical(fs::path(base).is_absolute() ? fs::path(base) : each.adapter / base, ignored);
  const Found* best = nullptr;
  for (const Found& other : found) {
    if (other.entry.source == "adapter" || other.entry.source == "run" || other.folder.empty()) continue;
    const fs::path folder = fs::weakly_canonical(other.folder, ignored);
    if (folder == path || other.entry.name == base) {
      best = &other;
      break;
    }
    // A copy of the model that the id names, lying somewhere else.
    if (best == nullptr && folder.filename() == fs::path(base).filename()) best = &other;
  }
  if (best == nullptr && !isModel(path)) {
    each.entry.problem = "Its base model " + base + " is not among the models here; open its folder, or fetch it.";
    return;
  }
  each.folder = best != nullptr ? best->folder : path;
  each.entry.model = best != nullptr ? best->entry.model : path.string();
  each.entry.parent = each.entry.model;
}

/// Reads the headers.
void describe(Found& each) {
  if (!each.entry.problem.empty()) return;
  const Result<Checkpoint> checkpoint = Checkpoint::open(each.folder);
  if (!checkpoint) {
    each.entry.problem = checkpoint.error().message;
    return;
  }
  each.entry.architecture = checkpoint->config().architecture;
  each.entry.layers = checkpoint->config().layers;
  each.entry.parameters = checkpoint->config().shape().parameters;
  each.entry.bytes = checkpoint->bytesOnDisk();
  if (each.adapter.empty()) return;
  const auto adapter = readAdapter(each.adapter, checkpoint->config());
  if (!adapter) each.entry.problem = adapter.error().message;
  if (each.entry.source != "adapter") return;
  std::error_code ignored;
  each.entry.bytes = static_cast<std::int64_t>(fs::file_size(each.adapter / "adapter_model.safetensors", ignored));
  if (ignored) each.entry.bytes = 0;
}

}  // namespace

fs::path hubFolder() {
  const auto given = [](const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
  };
  if (const std::string cache = given("HF_HUB_CACHE"); !cache.empty()) return cache;
  if (const std::string home = given("HF_HOME"); !home.empty()) return fs::path(home) / "hub";
  if (const std::string cache = given("XDG_CACHE_HOME"); !cache.empty()) return fs::path(cache) / "huggingface" / "hub";
  return fs::path(given("HOME")) / ".cache" / "huggingface" / "hub";
}

Result<protocol::ListModels::Answer> listModels(
    const std::optional<fs::path>& project, const std::vector<std::string>& folders, const std::atomic<bool>& cancelled,
    const std::function<void(std::int64_t done, std::int64_t total)>& tell) {
  std::vector<Found> found;
  if (project) {
    if (const Result<Project> opened = Project::open(*project)) addProject(*opened, found);
  }
  protocol::ListModels::Answer answer;
  answer.hub = hubFolder().string();
  addHub(answer.hub, found);
  for (const std::string& folder : folders) {
    std::error_code ignored;
    const fs::path whole = fs::absolute(folder, ignored).lexically_normal();
    std::size_t looked = 0;
    addFolder(whole, kFolderDepth, whole.filename().string(), found, looked);
  }
  std::set<fs::path> seen;
  std::int64_t done = 0;
  for (Found& each : found) {
    if (cancelled) return fail(ErrorCode::cancelled, "The listing was cancelled.");
    tell(++done, static_cast<std::int64_t>(found.size()));
    std::error_code ignored;
    if (!seen.insert(fs::weakly_canonical(each.entry.path, ignored)).second) continue;
    if (each.entry.source == "adapter") findBase(each, found);
    describe(each);
    answer.models.push_back(each.entry);  // others may still look for their base here
  }
  const auto rank = [](const ModelEntry& entry) {
    static constexpr std::array<std::string_view, 5> kOrder = {"project", "run", "adapter", "hub", "folder"};
    return std::find(kOrder.begin(), kOrder.end(), entry.source) - kOrder.begin();
  };
  std::stable_sort(answer.models.begin(), answer.models.end(), [&](const ModelEntry& a, const ModelEntry& b) {
    // Runs by their ids, which begin with the time.
    const bool areRuns = a.source == "run" && b.source == "run";
    return std::pair(rank(a), areRuns ? a.model : a.name) < std::pair(rank(b), areRuns ? b.model : b.name);
  });
  return answer;
}

}  // namespace strata
