#include "core/service/model_list.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "core/checkpoint/adapter.h"
#include "core/checkpoint/checkpoint.h"
#include "core/project/model_name.h"
#include "core/project/project.h"
#include "core/project/run_checkpoint.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using protocol::ModelEntry;

constexpr int kFolderDepth = 2;
constexpr std::size_t kMostFolders = 20000;  // that are looked into, of the folders given

struct Found {
  ModelEntry entry;
  fs::path folder;  // with config.json
  fs::path adapter;
};

bool isModel(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "config.json", ignored);
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

/// What a run's "model" is called: a name of the project, a run's id, or the folder.
std::string parentName(const std::string& model, const Project& project) {
  for (const auto& [name, folder] : project.models()) {
    if (folder == fs::path(model).lexically_normal()) return name;
  }
  if (const auto run = findRun(model, project.folder())) return run->folder.filename().string();
  return model;
}

void addProject(const Project& project, std::vector<Found>& found) {
  for (const auto& [name, folder] : project.models())
    found.push_back({entryOf("project", name, name, folder), folder, {}});
  const Result<std::vector<RunInfo>> runs = listRuns(project);
  if (!runs) return;
  for (const RunInfo& run : *runs) {
    const fs::path folder = project.runsFolder() / run.id;
    if (run.kind != "train" || checkpointSteps(folder).empty()) continue;
    Found each{entryOf("run", run.id, run.id, folder), {}, {}};
    const auto model = run.config.find("model");
    if (model != run.config.end() && model->is_string() && !model->get_ref<const std::string&>().empty()) {
      each.entry.parent = parentName(model->get<std::string>(), project);
    }
    const Result<ModelLocation> location = locateModel(run.id, project.folder());
    if (location) {
      each.folder = location->folder;
      each.adapter = location->adapter;
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
      if (!isModel(snapshot) || (newest && written <= time)) continue;
      newest = snapshot;
      time = written;
    }
    if (newest) found.push_back({entryOf("hub", newest->string(), name, *newest), *newest, {}});
  }
}

void addFolder(const fs::path& folder, int depth, const std::string& name, std::vector<Found>& found,
               std::size_t& looked) {
  if (++looked > kMostFolders) return;
  if (isModel(folder)) {
    found.push_back({entryOf("folder", folder.string(), name, folder), folder, {}});
    return;
  }
  if (depth == 0) return;
  for (const fs::path& inside : foldersIn(folder)) {
    const std::string below = inside.filename().string();
    addFolder(inside, depth - 1, depth == kFolderDepth ? below : name + "/" + below, found, looked);
  }
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
    describe(each);
    answer.models.push_back(std::move(each.entry));
  }
  const auto rank = [](const ModelEntry& entry) {
    return entry.source == "project" ? 0 : entry.source == "run" ? 1 : entry.source == "hub" ? 2 : 3;
  };
  std::stable_sort(answer.models.begin(), answer.models.end(), [&](const ModelEntry& a, const ModelEntry& b) {
    return std::pair(rank(a), a.name) < std::pair(rank(b), b.name);
  });
  return answer;
}

}  // namespace strata
