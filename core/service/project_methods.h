#pragma once
// The open project of an engine and everything that is asked of it: its models, data, chats and jobs, and the files of
// the engine's machine.
//
//   ProjectService projects({.program = "/usr/bin/strata", .sampleProject = "…/projects/tiny-stories",
//                            .onProject = [&](const auto& folder) { host.setProject(folder); }}, notify);
//   projects.addTo(methods);
// Registers project/*, files/*, models/list, models/inspect, models/estimate, chat/sample_question, chats/*, data/*,
// train/* and jobs/*; sends jobs/changed and jobs/points. Thread-safe; outlives the methods' last call. The destructor
// lets the project go; jobs go on.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "core/service/methods.h"

namespace strata {

class ProjectService {
 public:
  struct Options {
    std::filesystem::path program;        // the strata that jobs are started with; empty: this process's own
    std::filesystem::path presets = {};   // folder of the shipped configurations of training
    std::filesystem::path sampleProject;  // the shipped one, which is copied and never written
    std::filesystem::path dataHome;       // where the copy lies; empty: $XDG_DATA_HOME or ~/.local/share
    /// A project was opened (by project/open, before its answer): what a ModelRef may name from now on.
    std::function<void(const std::optional<std::filesystem::path>& folder)> onProject;
    std::function<void()> onTemplate = {};  // a model's chat template changed (project/set_template)
  };

  ProjectService(Options options, Notifier notify);
  ~ProjectService();
  ProjectService(const ProjectService&) = delete;
  ProjectService& operator=(const ProjectService&) = delete;

  void addTo(MethodTable& methods);
  /// The folder of the open project.
  std::optional<std::filesystem::path> project() const;

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace strata
