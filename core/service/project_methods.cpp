#include "core/service/project_methods.h"

#include <cstdlib>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/log.h"
#include "core/project/launcher.h"
#include "core/project/model_name.h"
#include "core/project/project_files.h"
#include "core/service/exporting.h"
#include "core/service/model_list.h"
#include "core/service/project_state.h"
#include "core/text/chat_template.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

// An engine that was killed a moment ago may not have let go yet.
constexpr auto kLockPatience = std::chrono::milliseconds(2000);

fs::path dataHome() {
  if (const char* given = std::getenv("XDG_DATA_HOME"); given != nullptr && *given == '/') return given;
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/" : home) / ".local" / "share";
}

fs::path ownProgram() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored);
}

protocol::Side toMessage(const ProjectSide& side) {
  protocol::Side message;
  message.ref.model = side.model;
  message.ref.adapter = side.adapter;
  message.ref.dtype = side.dtype;
  message.ref.device = side.device;
  message.ref.context = side.context;
  message.map = side.map;
  return message;
}

/// A side as it is to be stored; `now` where the request left it out.
std::optional<ProjectSide> fromMessage(const std::optional<protocol::Side>& side,
                                       const std::optional<ProjectSide>& now) {
  if (!side) return {};
  if (side->ref.model.empty()) return now;
  return ProjectSide{.model = side->ref.model,
                     .map = side->map,
                     .adapter = side->ref.adapter,
                     .dtype = side->ref.dtype,
                     .device = side->ref.device,
                     .context = side->ref.context};
}

Result<protocol::ExportModel::Answer> exportModel(const protocol::ExportModel::Params& params,
                                                  const std::optional<fs::path>& project, RequestContext& context) {
  ExportRequest request{.model = params.ref.model,
                        .adapter = params.ref.adapter,
                        .map = params.map,
                        .dtype = params.dtype,
                        .remoteCode = params.remoteCode,
                        .adapterAlone = params.adapterAlone};
  if (!params.path.empty()) request.out = project ? *project / params.path : fs::path(params.path);
  const auto tell = [&](std::int64_t done, std::int64_t total) {
    context.progress("Writing the weights", done, total);
  };
  STRATA_TRY(const Exported done, exportTo(request, project, params.context, context.cancelled, tell));
  protocol::ExportModel::Answer answer;
  answer.path = done.folder.string();
  answer.map = done.mapName;
  answer.layers = done.map.layers();
  answer.owners = done.map.owners();
  answer.bytes = done.bytes;
  answer.context = done.context;
  answer.merged = done.merged;
  for (std::size_t i = 0; i < done.uses.size(); ++i) {
    const ServingUse& use = done.uses[i];
    answer.uses.push_back(
        {use.program, use.needs, use.setup, use.command, use.check, use.problem, done.kv[i], done.kvFull[i]});
  }
  return answer;
}

}  // namespace

struct ProjectService::State {
  Options options;
  Notifier notify;
  mutable std::mutex mutex;  // of `held`
  std::mutex opening;        // one at a time
  std::shared_ptr<HeldProject> held;
  std::vector<std::weak_ptr<HeldProject>> left;  // that calls may still use

  fs::path sampleFolder() const { return options.dataHome / "strata" / "projects" / "tiny-stories"; }

  std::shared_ptr<HeldProject> current() const {
    const std::lock_guard guard(mutex);
    return held;
  }
  std::optional<fs::path> folder() const {
    const auto now = current();
    return now ? std::optional(now->folder()) : std::nullopt;
  }

  protocol::ProjectInfo infoOf(const Project& project, const std::string& notice) const {
    protocol::ProjectInfo info;
    info.folder = project.folder().string();
    info.name = project.name();
    std::error_code ignored;
    info.sample = fs::equivalent(project.folder(), sampleFolder(), ignored);
    for (const auto& [name, path] : project.models()) info.models.push_back({name, path.string()});
    if (project.sideA()) info.a = toMessage(*project.sideA());
    if (project.sideB()) info.b = toMessage(*project.sideB());
    info.notice = notice;
    if (auto launcher = launcherOf(project.folder())) {
      info.launcher = *launcher;
    } else {
      logWarning(launcher.error().message);
    }
    return info;
  }

  /// The folder meant, absolute; the sample's copy is made where it is asked for and not there.
  Result<fs::path> chosenFolder(const std::string& asked) const {
    std::error_code error;
    if (asked.empty()) {
      const bool shipped = !options.sampleProject.empty();
      if (shipped) STRATA_CHECK(copyProject(options.sampleProject, sampleFolder()));
      if (shipped || fs::exists(sampleFolder(), error)) return sampleFolder();
      return fail(ErrorCode::notFound,
                  "The sample project was not found beside the program; open a project of your own.",
                  "projects/tiny-stories");
    }
    const fs::path whole = fs::absolute(asked, error).lexically_normal();
    return whole.has_filename() ? whole : whole.parent_path();
  }

  /// A project that was left while calls used it, until the last of them ends; its lock is still held.
  std::shared_ptr<HeldProject> stillUsed(const fs::path& folder) {
    std::erase_if(left, [](const auto& one) { return one.expired(); });
    for (const auto& one : left) {
      std::error_code ignored;
      if (auto used = one.lock(); used && fs::equivalent(used->folder(), folder, ignored)) return used;
    }
    return nullptr;
  }

  Result<protocol::ProjectInfo> open(const protocol::OpenProject::Params& params) {
    const std::lock_guard one(opening);
    STRATA_TRY(const fs::path folder, chosenFolder(params.folder));
    STRATA_TRY(const Project project, params.create ? Project::openOrCreate(folder) : Project::open(folder));
    std::error_code ignored;
    if (const auto now = current(); now && fs::equivalent(now->folder(), folder, ignored)) {
      return infoOf(project, now->notice());
    }
    std::shared_ptr<HeldProject> next = stillUsed(folder);
    if (!next) {
      STRATA_TRY(ProjectLock lock, ProjectLock::take(folder, kLockPatience));
      STRATA_TRY(ChatStore::Opened chats, ChatStore::open(folder, ChatStore::Mode::write));
      next = std::make_shared<HeldProject>(folder, std::move(lock), std::move(chats),
                                           JobBoard::Options{.project = folder, .program = options.program}, notify);
    }
    if (const auto now = current()) {
      now->setTells(false);
      left.push_back(now);
    }
    next->setTells(true);
    {
      const std::lock_guard guard(mutex);
      held.swap(next);  // the one before goes with the last call that uses it
    }
    if (options.onProject) options.onProject(folder);
    return infoOf(project, current()->notice());
  }

  /// strata.json as `edit` leaves it.
  template <class Edit>
  Result<protocol::ProjectInfo> change(Edit edit) {
    const auto now = current();
    if (!now) return noProject();
    const std::lock_guard guard(now->fileMutex());
    STRATA_TRY(Project project, Project::open(now->folder()));
    STRATA_CHECK(edit(project));
    return infoOf(project, now->notice());
  }

  Result<protocol::Nothing> setTemplate(const protocol::SetTemplate::Params& params) {
    const auto now = current();
    if (!now) return noProject();
    const std::lock_guard guard(now->fileMutex());
    STRATA_TRY(const ModelLocation location, locateModel(params.ref.model, now->folder(), Locate::place));
    const fs::path file = templateFileOf(location, now->folder());
    std::error_code error;
    if (params.text.empty()) {
      fs::remove(file, error);
      if (error) return systemFailure(error.value(), "remove", file);
    } else {
      STRATA_CHECK(ChatTemplate::parse(params.text, "The template"));
      STRATA_CHECK(makeFolder({now->folder(), file.parent_path().lexically_relative(now->folder())}));
      STRATA_CHECK(writeFile(file, params.text));
    }
    if (options.onTemplate) options.onTemplate();
    return protocol::Nothing{};
  }

  static tl::unexpected<Error> noProject() {
    return namedError("no_project", {}, fail(ErrorCode::usage, "No project is open; open one first.", "project"));
  }
};

ProjectService::ProjectService(Options options, Notifier notify)
    : m_state(new State{std::move(options), std::move(notify), {}, {}, {}, {}}) {
  if (m_state->options.program.empty()) m_state->options.program = ownProgram();
  if (m_state->options.dataHome.empty()) m_state->options.dataHome = dataHome();
}

ProjectService::~ProjectService() = default;

std::optional<fs::path> ProjectService::project() const {
  return m_state->folder();
}

void ProjectService::addTo(MethodTable& methods) {
  using namespace protocol;
  State* state = m_state.get();
  methods.add<OpenProject>([state](const OpenProject::Params& params, RequestContext&) { return state->open(params); },
                           Lane::ordered);
  methods.add<SetSides>(
      [state](const SetSides::Params& params, RequestContext&) -> Result<Nothing> {
        return state
            ->change([&](Project& project) {
              return project.setSides(fromMessage(params.a, project.sideA()), fromMessage(params.b, project.sideB()));
            })
            .map([](const ProjectInfo&) { return Nothing{}; });
      },
      Lane::ordered);
  methods.add<SetLauncher>(
      [state](const SetLauncher::Params& params, RequestContext&) {
        return state->change([&](Project& project) { return storeLauncher(project.folder(), params.launcher); });
      },
      Lane::ordered);
  methods.add<AddModel>(
      [state](const AddModel::Params& params, RequestContext&) {
        return state->change([&](Project& project) { return project.addModel(params.path, params.name); });
      },
      Lane::ordered);
  methods.add<RemoveModel>(
      [state](const RemoveModel::Params& params, RequestContext&) {
        return state->change([&](Project& project) { return project.removeModel(params.name); });
      },
      Lane::ordered);
  methods.add<SetTemplate>(
      [state](const SetTemplate::Params& params, RequestContext&) { return state->setTemplate(params); },
      Lane::ordered);
  methods.add<PutFile>(
      [state](const PutFile::Params& params, RequestContext&) -> Result<PutFile::Answer> {
        const auto folder = state->folder();
        if (!folder) return State::noProject();
        return putFile(params, *folder);
      },
      Lane::ordered);
  methods.add<ListFolder>([](const ListFolder::Params& params, RequestContext&) { return listFolder(params.path); });
  methods.add<ListModels>([state](const ListModels::Params& params, RequestContext& context) {
    const auto tell = [&](std::int64_t done, std::int64_t total) { context.progress("Reading headers", done, total); };
    const auto now = state->current();
    auto answer =
        listModels(now ? std::optional(now->folder()) : std::nullopt, params.folders, context.cancelled, tell);
    if (!answer || !now) return answer;
    const std::map<std::string, std::string> names = now->jobs().names();
    for (ModelEntry& model : answer->models) {
      const auto named = names.find(model.model);
      if (model.source == "run" && named != names.end() && !named->second.empty()) model.name = named->second;
    }
    return answer;
  });
  methods.add<InspectModel>([state](const InspectModel::Params& params, RequestContext&) {
    return inspectModel(params.ref, state->folder());
  });
  methods.add<EstimateMemory>([state](const EstimateMemory::Params& params, RequestContext&) {
    return estimateModel(params, state->folder());
  });
  methods.add<ExportModel>([state](const ExportModel::Params& params, RequestContext& context) {
    return exportModel(params, state->folder(), context);
  });
  const ProjectAccess access = [state]() -> Result<std::shared_ptr<HeldProject>> {
    auto now = state->current();
    if (!now) return State::noProject();
    return now;
  };
  addChatMethods(methods, access);
  addDataMethods(methods, access);
  addJobMethods(methods, access);
  addTrainMethods(methods, access, state->options.program, state->options.presets);
  addMapMethods(methods, access);
  addEvaluationMethods(methods, access);
}

}  // namespace strata
