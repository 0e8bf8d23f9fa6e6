#include "core/project/project.h"

#include <string>

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

/// What openOrCreate and open need to agree on: the name in strata.json.
Result<std::string> readName(const fs::path& folder) {
  const fs::path file = folder / kFile;
  STRATA_TRY(const Json json, readJson(file));
  const auto broken = [&](const std::string& what) {
    return fail(ErrorCode::invalidData, file.string() + " " + what, file.string());
  };
  if (!json.is_object() || !json.contains("format") || json["format"] != kFormat) {
    return broken(std::string("is not a project's file: its \"format\" must be \"") + kFormat + "\".");
  }
  if (!json.contains("version") || !json["version"].is_number_integer() || json["version"].get<std::int64_t>() < 1) {
    return broken("has no \"version\"; it must be 1.");
  }
  if (json["version"].get<std::int64_t>() > kVersion) {
    return fail(
        ErrorCode::unsupported,
        file.string() + " was written by a newer Strata (version " + json["version"].dump() + "); use that one.",
        file.string());
  }
  if (!json.contains("name")) return nameOf(folder);
  if (!json["name"].is_string()) return broken("has a \"name\" that is not text.");
  return json["name"].get<std::string>();
}

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
  STRATA_TRY(project.m_name, readName(folder));
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
