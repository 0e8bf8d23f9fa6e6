#include "core/project/project.h"

#include <string>
#include <utility>

#include "core/base/file_errors.h"
#include "core/base/files.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "strata.json";
constexpr const char* kFormat = "strata-project";
constexpr int kVersion = 1;

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
    STRATA_TRY(file.m_json, readJson(file.m_path));
    const Json& json = file.m_json;
    if (!json.is_object() || !json.contains("format") || json["format"] != kFormat) {
      return file.broken(std::string("is not a project's file: its \"format\" must be \"") + kFormat + "\".");
    }
    if (!json.contains("version") || !json["version"].is_number_integer() || json["version"].get<std::int64_t>() < 1) {
      return file.broken("has no \"version\"; it must be 1.");
    }
    if (json["version"].get<std::int64_t>() > kVersion) {
      return fail(ErrorCode::unsupported,
                  file.m_path.string() + " was written by a newer Strata (version " + json["version"].dump() +
                      "); use that one.",
                  file.m_path.string());
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

  Result<std::optional<ProjectSide>> side(const char* key) const {
    if (!m_json.contains("sides")) return std::optional<ProjectSide>();
    const Json& sides = m_json["sides"];
    if (!sides.is_object()) return broken("has \"sides\" that are no object with \"a\" and \"b\".");
    if (!sides.contains(key)) return std::optional<ProjectSide>();
    const Json& given = sides[key];
    ProjectSide side;
    const auto wrong = [&] {
      return broken(std::string("must give side \"") + key + "\" a \"model\", and if it names a \"map\", as text.");
    };
    if (!given.is_object() || !given.contains("model") || !given["model"].is_string()) return wrong();
    side.model = given["model"].get<std::string>();
    if (given.contains("map")) {
      if (!given["map"].is_string()) return wrong();
      side.map = given["map"].get<std::string>();
    }
    return std::optional(side);
  }

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
    return fail(ErrorCode::notFound, "There is no project folder " + folder.string() + "; check the path.",
                folder.string());
  }
  if (!fs::exists(folder / kFile, ignored)) {
    return fail(ErrorCode::notFound, "The folder " + folder.string() + " is no project: it has no strata.json.",
                folder.string());
  }
  Project project;
  project.m_folder = folder;
  STRATA_TRY(const ProjectFile file, ProjectFile::read(folder));
  STRATA_TRY(project.m_name, file.name());
  STRATA_TRY(project.m_models, file.models());
  STRATA_TRY(project.m_sideA, file.side("a"));
  STRATA_TRY(project.m_sideB, file.side("b"));
  return project;
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
  const Json json = {{"format", kFormat}, {"version", kVersion}, {"name", nameOf(folder)}};
  STRATA_CHECK(writeFile(folder / kFile, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"));
  return open(folder);
}

}  // namespace strata
