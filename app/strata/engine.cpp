// strata engine: what a window talks to (core/protocol/README.md).

#include "core/service/engine.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "app/strata/cli.h"

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
