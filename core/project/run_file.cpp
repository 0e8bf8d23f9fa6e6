#include "core/project/run_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "core/base/file_errors.h"
#include "core/base/files.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunFormat = "strata-run";
constexpr int kRunVersion = 1;
constexpr std::array kStates = {RunState::queued,  RunState::running, RunState::paused,
                                RunState::stopped, RunState::failed,  RunState::done};
// A reader's look at a lock holds it for an instant; the process that wants it tries again for this long.
constexpr int kLockAttempts = 20;
constexpr auto kLockPause = std::chrono::milliseconds(10);

}  // namespace

Result<RunInfo> parseRun(std::string_view text, const std::string& where) {
  STRATA_TRY(const Json json, parseJson(text, where));
  const auto broken = [&](const std::string& what) {
    return fail(ErrorCode::invalidData, where + " is damaged: " + what + ".", where);
  };
  if (!json.is_object()) return broken("it is not an object");
  if (!json.contains("format") || json["format"] != kRunFormat) {
    return broken(std::string("its \"format\" is not \"") + kRunFormat + "\"");
  }
  if (!json.contains("version") || !json["version"].is_number_integer() || json["version"].get<std::int64_t>() < 1) {
    return broken("it has no \"version\"");
  }
  if (json["version"].get<std::int64_t>() > kRunVersion) {
    return fail(ErrorCode::unsupported,
                where + " was written by a newer Strata (version " + json["version"].dump() + "); use that one.",
                where);
  }
  if (!json.contains("config") || !json["config"].is_object()) return broken("its \"config\" is not an object");
  RunInfo info;
  std::string state;
  const std::pair<const char*, std::string*> texts[] = {{"id", &info.id},           {"kind", &info.kind},
                                                        {"created", &info.created}, {"state", &state},
                                                        {"message", &info.message}, {"parent", &info.parent}};
  for (const auto& [name, value] : texts) {
    if (!json.contains(name) || !json[name].is_string()) return broken(std::string("it has no \"") + name + "\"");
    *value = json[name].get<std::string>();
  }
  // Runs of version 0.4 have neither.
  for (const auto& [name, value] : {std::pair("name", &info.name), std::pair("sweep", &info.sweep)}) {
    if (!json.contains(name)) continue;
    if (!json[name].is_string()) return broken("its \"" + std::string(name) + "\" is no text");
    *value = json[name].get<std::string>();
  }
  info.config = json["config"];
  for (const RunState each : kStates) {
    if (state == toString(each)) {
      info.state = each;
      return info;
    }
  }
  return broken("it has the unknown state \"" + state + "\"");
}

std::string printRun(const RunInfo& info) {
  const Json json = {{"format", kRunFormat},    {"version", kRunVersion},  {"id", info.id},
                     {"kind", info.kind},       {"created", info.created}, {"state", toString(info.state)},
                     {"message", info.message}, {"parent", info.parent},   {"name", info.name},
                     {"sweep", info.sweep},     {"config", info.config}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<RunInfo> readRunFile(const fs::path& runFolder) {
  const ProjectPath file = inRun(runFolder, kRunFile);
  STRATA_TRY(const std::string text, readInProject(file));
  STRATA_TRY(RunInfo info, parseRun(text, file.whole().string()));
  // A copied or renamed run answers to the name of its folder.
  info.id = file.whole().parent_path().filename().string();
  return info;
}

Result<void> writeRunFile(const fs::path& runFolder, const RunInfo& info) {
  STRATA_CHECK(requireFolder(inRun(runFolder)));
  return writeFile(runFolder / kRunFile, printRun(info));
}

Result<Descriptor> takeRunLock(const fs::path& runFolder) {
  const ProjectPath file = inRun(runFolder, "lock");
  STRATA_TRY(Descriptor lock, openInProject(file, O_RDWR | O_CREAT));
  for (int attempt = 0; ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
    const int number = errno;
    if (number == EINTR || (number == EWOULDBLOCK && attempt < kLockAttempts)) {
      std::this_thread::sleep_for(kLockPause);
      continue;
    }
    if (number != EWOULDBLOCK) return systemFailure(number, "lock", file.whole());
    return fail(ErrorCode::busy,
                "The run " + runFolder.string() + " is in use by another process; stop that one first.",
                runFolder.string());
  }
  return lock;
}

void nameHolder(const Descriptor& lock) {
  // The lock itself is what counts, so a full disk does no harm.
  const std::string holder = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.get(), 0) == 0) (void)!::pwrite(lock.get(), holder.data(), holder.size(), 0);
}

}  // namespace strata
