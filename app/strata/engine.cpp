// strata engine: what a window talks to (core/protocol/README.md).

#include "core/service/engine.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "app/strata/cli.h"
#include "core/service/project_methods.h"
#include "core/service/serve_methods.h"

namespace strata {
namespace {

struct EngineOptions {
  int threads = 0;
  bool describe = false;
};

struct Pipes {
  int input = -1, output = -1;
};

/// The protocol gets descriptors of its own, which no child inherits. What a library prints goes to stderr, and one
/// that reads standard input finds nothing.
Result<Pipes> takePipes() {
  const Pipes pipes{fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (pipes.input < 0 || pipes.output < 0 || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
      dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    return fail(ErrorCode::io, "Standard input and output are not open; a window starts the engine with pipes.");
  }
  close(nothing);
  return pipes;
}

/// The shipped sample project: in the source tree or the installation that holds this program.
std::filesystem::path sampleProject() {
  std::error_code ignored;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  for (auto folder = program.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    for (const char* place : {"projects/tiny-stories", "share/strata/projects/tiny-stories"}) {
      if (std::filesystem::exists(folder / place / "strata.json", ignored)) return folder / place;
    }
  }
  return {};
}

Result<int> run(const EngineOptions& options, const Output&) {
  if (options.describe) {
    Output::stream(protocol::describeMessages());
    return 0;
  }
  STRATA_TRY(const Pipes pipes, takePipes());
  std::signal(SIGPIPE, SIG_IGN);  // a window that is gone is told by write()
  std::signal(SIGINT, SIG_DFL);   // an engine has nothing to tidy
  std::signal(SIGTERM, SIG_DFL);
  setThreads(options.threads);
  Engine engine({.version = STRATA_VERSION, .input = pipes.input, .output = pipes.output});
  ProjectService projects({.program = {},
                           .presets = resourceFolder("presets").value_or(std::filesystem::path()),
                           .sampleProject = sampleProject(),
                           .dataHome = {},
                           .onProject = [&](const auto& folder) { engine.host().setProject(folder); },
                           .onTemplate = [&] { engine.host().renewTemplates(); }},
                          engine.notifier());
  projects.addTo(engine.methods());
  addServeMethods(engine.methods(), engine.host(), engine.notifier());
  const int code = engine.run();
  std::fflush(stderr);
  _exit(code);  // requests may still run on what a return would destroy
}

}  // namespace

VerbAction addEngine(CLI::App& verb, const Output& out) {
  auto options = std::make_shared<EngineOptions>();
  verb.add_option("--threads", options->threads, "CPU threads (default: all cores)")->check(CLI::Range(0, 4096));
  verb.add_flag("--describe", options->describe, "prints the messages of the protocol as Markdown");
  return [options, &out] { return run(*options, out); };
}

}  // namespace strata
