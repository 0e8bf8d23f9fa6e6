#include "core/project/project.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>
#include <utility>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/project/project_files.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "strata.json";
constexpr const char* kProjectFormat = "strata-project";
constexpr int kProjectVersion = 1;

/// Nothing in it but what a killed openOrCreate may have left.
Result<bool> isEmpty(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!entry->path().filename().string().starts_with(std::string(".") + kFile + ".tmp-")) return false;
  }
  if (error) return systemFailure(error.value(), "list", folder);
  return true;
}

std::string nameOf(const fs::path& folder) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(folder, ignored);
  const std::string name = whole.filename().string();
  return name.empty() ? "project" : name;
}

/// strata.json, member by member. Errors name the file and the member.
class ProjectFile {
 public:
  static Result<ProjectFile> read(const fs::path& folder) {
    ProjectFile file(folder / kFile);
    STRATA_TRY(const std::string text, readInProject({folder, kFile}));
    STRATA_TRY(file.m_json, parseJson(text, file.m_path.string()));
    const Json& json = file.m_json;
    if (!json.is_object() || !json.contains("format") || json["format"] != kProjectFormat) {
      return file.broken(std::string("is not a project's file: its \"format\" must be \"") + kProjectFormat + "\".");
    }
    if (!json.contains("version") || !json["version"].is_number_integer() || json["version"].get<std::int64_t>() < 1) {
      return file.broken("has no \"version\"; it must be 1.");
    }
    if (json["version"].get<std::int64_t>() > kProjectVersion) {
      return namedError("newer_file", {{"path", file.m_path.string()}},
                        fail(ErrorCode::unsupported,
                             file.m_path.string() + " was written by a newer Strata (version " +
                                 json["version"].dump() + "); use that one.",
                             file.m_path.string()));
    }
    return file;
  }

  Result<std::string> name() const {
    if (!m_json.contains("name")) return nameOf(m_path.parent_path());
    if (!m_json["name"].is_string()) return broken("has a \"name\" that is not text.");
    return m_json["name"].get<std::string>();
  }

  Result<std::map<std::string, fs::path>> models() const {
    std::map<std::string, fs::path> models;
    if (!m_json.contains("models")) return models;
    if (!m_json["models"].is_object()) return broken("has \"models\" that are no object of names and folders.");
    for (const auto& [name, folder] : m_json["models"].items()) {
      if (name.empty() || name.find_first_of("/@") != std::string::npos) {
        return broken("names a model \"" + name + "\"; a name may not be empty nor hold / or @.");
      }
      if (!folder.is_string() || folder.get_ref<const std::string&>().empty()) {
        return broken("gives the model \"" + name + "\" no folder.");
      }
      models[name] = (m_path.parent_path() / folder.get<std::string>()).lexically_normal();
    }
    return models;
  }

  Result<std::map<std::string, ProjectData>> data() const {
    std::map<std::string, ProjectData> data;
    if (!m_json.contains("data")) return data;
    if (!m_json["data"].is_object()) return broken("has \"data\" that are no object of names and data sets.");
    for (const auto& [name, given] : m_json["data"].items()) {
      const auto wrong = [&, &name = name] {
        return broken("must give the data set \"" + name +
                      "\" a \"path\" and, where it is there, \"columns\" of texts.");
      };
      if (!given.is_object() || !given.contains("path") || !given["path"].is_string()) return wrong();
      ProjectData& one = data[name];
      one.path = (m_path.parent_path() / given["path"].get<std::string>()).lexically_normal();
      if (!given.contains("columns")) continue;
      if (!given["columns"].is_object()) return wrong();
      for (const auto& [role, key] : given["columns"].items()) {
        if (!key.is_string()) return wrong();
        one.columns[role] = key.template get<std::string>();
      }
    }
    return data;
  }

  Result<std::optional<ProjectSide>> side(const char* key) const {
    if (!m_json.contains("sides")) return std::optional<ProjectSide>();
    const Json& sides = m_json["sides"];
    if (!sides.is_object()) return broken("has \"sides\" that are no object with \"a\" and \"b\".");
    if (!sides.contains(key) || sides[key].is_null()) return std::optional<ProjectSide>();
    const Json& given = sides[key];
    ProjectSide side;
    const auto wrong = [&] {
      return broken(std::string("must give side \"") + key +
                    "\" a \"model\" and, where they are there, \"map\", \"adapter\", \"dtype\" and \"device\" as "
                    "text and \"context\" as a number.");
    };
    if (!given.is_object() || !given.contains("model") || !given["model"].is_string()) return wrong();
    side.model = given["model"].get<std::string>();
    if (given.contains("map")) {
      if (!given["map"].is_string()) return wrong();
      side.map = given["map"].get<std::string>();
    }
    const std::pair<const char*, std::string*> texts[] = {
        {"adapter", &side.adapter}, {"dtype", &side.dtype}, {"device", &side.device}};
    for (const auto& [member, value] : texts) {
      if (!given.contains(member)) continue;
      if (!given[member].is_string()) return wrong();
      *value = given[member].get<std::string>();
    }
    if (given.contains("context")) {
      if (!given["context"].is_number_integer() || given["context"].get<std::int64_t>() < 0) return wrong();
      side.context = given["context"].get<std::int64_t>();
    }
    return std::optional(side);
  }

  const Json& json() const { return m_json; }

 private:
  explicit ProjectFile(fs::path path) : m_path(std::move(path)) {}
  tl::unexpected<Error> broken(const std::string& what) const {
    return fail(ErrorCode::invalidData, m_path.string() + " " + what, m_path.string());
  }

  fs::path m_path;
  Json m_json;
};

}  // namespace

Result<Project> Project::open(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    return namedError("file_not_found", {{"path", folder.string()}},
                      fail(ErrorCode::notFound, "There is no project folder " + folder.string() + "; check the path.",
                           folder.string()));
  }
  if (!fs::exists(folder / kFile, ignored)) {
    return namedError(
        "no_project_folder", {{"path", folder.string()}},
        fail(ErrorCode::notFound, "The folder " + folder.string() + " is no project: it has no strata.json.",
             folder.string()));
  }
  Project project;
  project.m_folder = folder;
  STRATA_TRY(const ProjectFile file, ProjectFile::read(folder));
  STRATA_TRY(project.m_name, file.name());
  STRATA_TRY(project.m_models, file.models());
  STRATA_TRY(project.m_data, file.data());
  STRATA_TRY(project.m_sideA, file.side("a"));
  STRATA_TRY(project.m_sideB, file.side("b"));
  return project;
}

namespace {

Json toJson(const ProjectSide& side) {
  Json json = {{"model", side.model}, {"map", side.map}};
  if (!side.adapter.empty()) json["adapter"] = side.adapter;
  if (!side.dtype.empty()) json["dtype"] = side.dtype;
  if (side.device != "cpu") json["device"] = side.device;
  if (side.context > 0) json["context"] = side.context;
  return json;
}

std::string printed(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<void> Project::change(const std::function<void(Json& file)>& edit) {
  STRATA_TRY(const ProjectFile file, ProjectFile::read(m_folder));
  Json json = file.json();
  edit(json);
  STRATA_CHECK(writeFile(m_folder / kFile, printed(json)));
  STRATA_TRY(*this, open(m_folder));
  return {};
}

Result<void> Project::setSides(const std::optional<ProjectSide>& a, const std::optional<ProjectSide>& b) {
  return change([&](Json& file) {
    for (const auto& [key, side] : {std::pair("a", a), std::pair("b", b)}) {
      if (!side) {
        if (file.contains("sides")) file["sides"].erase(key);
        continue;
      }
      Json& member = file["sides"][key];
      if (!member.is_object()) member = Json::object();
      for (const char* known : {"adapter", "dtype", "device", "context"}) member.erase(known);
      member.update(toJson(*side));
    }
  });
}

namespace {

/// Absolute, without a slash at its end.
fs::path wholePath(const fs::path& path) {
  std::error_code ignored;
  const fs::path absolute = fs::absolute(path, ignored).lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

/// `stem`, or with a number behind it where that is a name already.
template <class Named>
std::string freeName(const std::string& stem, const std::map<std::string, Named>& taken) {
  std::string name = stem;
  for (int number = 2; taken.contains(name); ++number) name = stem + "-" + std::to_string(number);
  return name;
}

bool isGgufName(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending == ".gguf";
}

}  // namespace

Result<std::string> Project::addModel(const fs::path& folder, const std::string& name) {
  std::error_code error;
  const fs::path whole = wholePath(folder);
  if (fs::is_regular_file(whole, error)) {
    if (!isGgufName(whole)) {
      return fail(ErrorCode::usage, whole.string() + " is neither a folder nor a .gguf file; give a model.",
                  whole.string());
    }
  } else if (!fs::is_directory(whole, error)) {
    return fail(ErrorCode::notFound, "There is no folder " + whole.string() + "; check the path.", whole.string());
  }
  if (name.find_first_of("/@") != std::string::npos) {
    return fail(ErrorCode::usage, "The name \"" + name + "\" holds / or @; give one without.", "name");
  }
  if (const auto taken = m_models.find(name); taken != m_models.end() && taken->second != whole) {
    return fail(ErrorCode::usage, "The project has another model \"" + name + "\"; give a name of its own.", "name");
  }
  std::string chosen = name;
  if (chosen.empty()) {
    for (const auto& [known, path] : m_models) {
      if (path == whole) return known;
    }
    std::string stem = whole.filename().string();
    std::replace(stem.begin(), stem.end(), '@', '-');
    chosen = freeName(stem, m_models);
  }
  STRATA_CHECK(change([&](Json& file) { file["models"][chosen] = whole.string(); }));
  return chosen;
}

Result<void> Project::removeModel(const std::string& name) {
  if (!m_models.contains(name)) {
    return fail(ErrorCode::notFound, "The project has no model \"" + name + "\".", name);
  }
  return change([&](Json& file) { file["models"].erase(name); });
}

Result<std::string> Project::addData(const ProjectData& data, const std::string& name) {
  const fs::path whole = wholePath(data.path);
  std::error_code error;
  if (!fs::exists(whole, error)) {
    return namedError(
        "file_not_found", {{"path", whole.string()}},
        fail(ErrorCode::notFound, "There is no file " + whole.string() + "; check the path.", whole.string()));
  }
  if (name.find('/') != std::string::npos) {
    return fail(ErrorCode::usage, "The name \"" + name + "\" holds /; give one without.", "name");
  }
  const auto same =
      std::find_if(m_data.begin(), m_data.end(), [&](const auto& one) { return one.second.path == whole; });
  const std::string before = same == m_data.end() ? std::string() : same->first;
  if (const auto taken = m_data.find(name); taken != m_data.end() && taken->second.path != whole) {
    return fail(ErrorCode::usage, "The project has another data set \"" + name + "\"; give a name of its own.", "name");
  }
  const std::string chosen = !name.empty()     ? name
                             : !before.empty() ? before
                                               : freeName(whole.filename().string(), m_data);
  STRATA_CHECK(change([&](Json& file) {
    Json& list = file["data"];
    Json entry = list.is_object() && list.contains(before) ? list[before] : Json::object();
    if (!before.empty()) list.erase(before);
    entry["path"] = whole.string();
    data.columns.empty() ? (void)entry.erase("columns") : (void)(entry["columns"] = data.columns);
    list[chosen] = std::move(entry);
  }));
  return chosen;
}

Result<ProjectData> Project::findData(const std::string& text, const std::optional<fs::path>& folder) {
  std::error_code ignored;
  if (!folder || !fs::exists(*folder / kFile, ignored))
    return ProjectData{text};  // a run's first project is no project yet
  STRATA_TRY(const Project project, open(*folder));
  const auto found = project.m_data.find(text);
  return found == project.m_data.end() ? ProjectData{text} : found->second;
}

Result<void> Project::removeData(const std::string& name) {
  if (!m_data.contains(name)) {
    return fail(ErrorCode::notFound, "The project has no data set \"" + name + "\".", name);
  }
  return change([&](Json& file) { file["data"].erase(name); });
}

Result<ProjectLock> ProjectLock::take(const fs::path& projectFolder, std::chrono::milliseconds patience) {
  const ProjectPath file{projectFolder, "lock"};
  STRATA_TRY(Descriptor opened, openInProject(file, O_RDWR | O_CREAT));
  const int fd = opened.release();
  ProjectLock lock(fd);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int number = errno;
    if (number != EINTR && number != EWOULDBLOCK) return systemFailure(number, "lock", file.whole());
    if (std::chrono::steady_clock::now() >= until) {
      return namedError(
          "project_locked", {{"project", projectFolder.string()}},
          fail(ErrorCode::busy,
               "The project " + projectFolder.string() + " is open in another Strata; close it there first.",
               projectFolder.string()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return lock;
}

ProjectLock::~ProjectLock() {
  if (m_lock >= 0) ::close(m_lock);
}

namespace {

/// Models of the copy that are gone (Strata was installed elsewhere) are looked for where the shipped project has them.
Result<void> renewModels(const Project& original, const fs::path& folder) {
  STRATA_TRY(const Project copy, Project::open(folder));
  STRATA_TRY(const ProjectFile file, ProjectFile::read(folder));
  Json json = file.json();
  bool changed = false;
  for (const auto& [name, path] : original.models()) {
    const auto found = copy.models().find(name);
    std::error_code ignored;
    if (found == copy.models().end() || fs::exists(found->second, ignored)) continue;
    json["models"][name] = fs::absolute(path).lexically_normal().string();
    changed = true;
  }
  return changed ? writeFile(folder / kFile, printed(json)) : Result<void>();
}

}  // namespace

/// The regular files of a folder; those that the copy has under the same name stay as they are.
Result<void> copyFiles(const fs::path& from, const fs::path& to) {
  std::error_code error;
  for (fs::directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path copy = to / entry->path().filename();
    if (!entry->is_regular_file(error) || fs::exists(copy, error)) continue;
    fs::copy_file(entry->path(), copy, error);
    if (error) return systemFailure(error.value(), "copy", entry->path());
  }
  if (error) return systemFailure(error.value(), "list", from);
  return {};
}

Result<void> copyMaps(const fs::path& shipped, const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(shipped / "maps", error)) return {};
  STRATA_CHECK(makeFolder({folder, "maps"}));
  return copyFiles(shipped / "maps", folder / "maps");
}

Result<void> copyProject(const fs::path& shipped, const fs::path& folder) {
  std::error_code error;
  STRATA_TRY(const Project original, Project::open(shipped));
  if (fs::exists(folder / kFile, error)) {
    STRATA_CHECK(copyMaps(shipped, folder));
    return renewModels(original, folder);
  }
  STRATA_TRY(const ProjectFile file, ProjectFile::read(shipped));
  fs::create_directories(folder.parent_path(), error);
  if (error) return systemFailure(error.value(), "create", folder.parent_path());
  STRATA_TRY(StagedFolder staged, StagedFolder::create(folder));
  Json json = file.json();
  for (const auto& [name, path] : original.models()) {
    json["models"][name] = fs::absolute(path).lexically_normal().string();
  }
  STRATA_CHECK(writeFile(staged.path() / kFile, printed(json)));
  STRATA_CHECK(copyFiles(shipped, staged.path()));
  STRATA_CHECK(copyMaps(shipped, staged.path()));
  return staged.commit();
}

Result<Project> Project::openOrCreate(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / kFile, error)) return open(folder);
  if (fs::exists(folder, error)) {
    if (!fs::is_directory(folder, error)) {
      return fail(ErrorCode::usage, folder.string() + " is not a folder; give the folder of a project.",
                  folder.string());
    }
    STRATA_TRY(const bool empty, isEmpty(folder));
    if (!empty) {
      return fail(ErrorCode::usage,
                  "The folder " + folder.string() +
                      " holds other things and no strata.json; choose a project, an empty folder or a new name.",
                  folder.string());
    }
  } else if (fs::create_directories(folder, error); error) {
    return systemFailure(error.value(), "create", folder);
  }
  const Json json = {{"format", kProjectFormat}, {"version", kProjectVersion}, {"name", nameOf(folder)}};
  STRATA_CHECK(writeFile(folder / kFile, printed(json)));
  return open(folder);
}

}  // namespace strata
