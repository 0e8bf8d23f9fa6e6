// The command line: arguments and wiring only. Each verb is a file of its own.

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "app/strata/cli.h"
#include "app/strata/version.h"
#include "core/base/log.h"
#include "core/model/memory.h"

namespace strata {
namespace {

/// The first signal asks for an orderly end, the second one ends.
void onSignal(int) {
  static_assert(std::atomic<bool>::is_always_lock_free);
  if (cancelFlag().exchange(true)) _exit(130);
}

void catchSignals() {
  cancelFlag();  // made here, not first in the handler
  struct sigaction action = {};
  action.sa_handler = onSignal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

struct Verb {
  const char* name;
  const char* help;
  VerbAction (*add)(CLI::App&, const Output&);
};

constexpr Verb kVerbs[] = {
    {"inspect", "Architecture, parameters, dtype and KV bytes per token by map", addInspect},
    {"tokenize", "Token ids of a text, or the text of ids", addTokenize},
    {"template", "A conversation as the model's chat template writes it", addTemplate},
    {"score", "Negative log-likelihood of a text or of ids under a map", addScore},
    {"generate", "Go on with a text", addGenerate},
    {"chat", "A conversation, one line a turn", addChat},
    {"data", "What a data set holds", addData},
    {"train", "Fine-tune with routed keys and values, or train from random weights", addTrain},
    {"eval", "Evaluate a model under several maps", addEval},
    {"compare", "Two evaluations of the same questions, in pairs", addCompare},
    {"report", "What runs found, as a page, a PDF, or files for other programs", addReport},
    {"sensitivity", "What it costs that one layer alone reads another, for all pairs", addSensitivity},
    {"search", "The sharing map of a size that costs least on a text", addSearch},
    {"estimate", "Predicted memory, by part", addEstimate},
    {"export", "Write a stock Hugging Face folder with its map", addExport},
    {"bench", "Speed of prefill, decoding and training", addBench},
    {"runs", "The runs of a project", addRuns},
    {"job", "The process of one run, as an engine starts it", addJob},
    {"devices", "The devices to compute on", addDevices},
    {"serve", "Models over HTTP, as OpenAI's API has it", addServe},
    {"engine", "Answers a window's requests on standard input and output", addEngine},
};

/// CLI11's message as one sentence that says where to look.
Error usageError(const CLI::ParseError& error, const CLI::App& app) {
  std::string message = error.what();
  while (!message.empty() && (message.back() == '\n' || message.back() == '.' || message.back() == ' '))
    message.pop_back();
  std::string command = "strata";
  for (const CLI::App* verb = &app; !verb->get_subcommands().empty();) {
    verb = verb->get_subcommands().front();
    command += " " + verb->get_name();
  }
  return {ErrorCode::usage, message + "; see " + command + " --help.", "command line"};
}

int run(int argc, char** argv) {
  Output out;
  for (int i = 1; i < argc; ++i) out.json = out.json || std::strcmp(argv[i], "--json") == 0;

  CLI::App app("Strata: models whose layers share one another's KV cache.", "strata");
  app.set_version_flag("--version", versionText, "Print the version and how it was built, and exit");
  app.add_flag("--json", out.json, "the answer as one JSON object");
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, VerbAction>> verbs;
  for (const Verb& verb : kVerbs) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.help);
    sub->add_flag("--json", out.json, "the answer as one JSON object");
    verbs.emplace_back(sub, verb.add(*sub, out));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    out.error(usageError(error, app));
    return 2;
  }
  for (const auto& [sub, action] : verbs) {
    if (!sub->parsed()) continue;
    Result<int> code = 1;
    try {
      code = action();
    } catch (const std::exception& exception) {
      code = tl::unexpected(errorFromException(exception));
    }
    if (code) return *code;
    out.error(code.error());
    return exitCodeOf(code.error());
  }
  return 2;
}

}  // namespace
}  // namespace strata

int main(int argc, char** argv) {
  strata::installAllocator();
  strata::startLog(strata::LogLevel::warning);
  strata::catchSignals();
  int code = strata::run(argc, argv);
  if (const auto flushed = strata::Output::flush(); !flushed) {
    strata::Output().error(flushed.error());
    if (code == 0) code = 1;
  }
  std::fflush(stderr);
  _exit(code);  // no destructors of libraries: an engine that leaves has nothing to tidy
}
