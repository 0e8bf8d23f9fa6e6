// strata serve: models over HTTP, as OpenAI's API has it.

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "app/strata/cli.h"
#include "core/base/files.h"
#include "core/service/http_guard.h"
#include "core/service/http_server.h"
#include "core/service/model_host.h"

namespace strata {
namespace {

struct ServeArguments {
  ModelOptions model;  // all but the name
  std::vector<std::string> models;
  HttpServer::Options http;
  std::string tokenFile;
};

constexpr const char* kTokenVariable = "STRATA_TOKEN";

/// The bearer token: --token, else --token-file, else $STRATA_TOKEN, else empty.
Result<std::string> chooseToken(const ServeArguments& arguments) {
  std::string token = arguments.http.token, from = "--token";
  if (!arguments.tokenFile.empty()) {
    constexpr std::uint64_t kMostBytes = 64u << 10;
    from = arguments.tokenFile;
    STRATA_TRY(token, readFile(arguments.tokenFile, kMostBytes));
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    if (token.empty()) {
      return fail(ErrorCode::usage, "The file " + from + " is empty; write the token into it.", "--token-file");
    }
  } else if (const char* variable = std::getenv(kTokenVariable); token.empty() && variable != nullptr) {
    token = variable;
    from = kTokenVariable;
  }
  const std::string problem = tokenProblem(token);
  if (!problem.empty()) return fail(ErrorCode::usage, "The token of " + from + " " + problem, "--token");
  return token;
}

std::string describe(const protocol::ServeState& state) {
  std::string text = "Listening on " + state.url + "\nToken: " + state.token + "\n";
  for (const std::string& name : state.models) text += "Model: " + name + " (with a map: " + name + "@stride:2)\n";
  return text + "Ctrl+C ends it.\n";
}

Result<int> run(ServeArguments& arguments, const Output& out) {
  STRATA_TRY(arguments.http.token, chooseToken(arguments));
  setThreads(arguments.model.threads);
  std::signal(SIGPIPE, SIG_IGN);  // a client that is gone is told by write()
  ModelHost host({.version = STRATA_VERSION, .onChange = [] {}});
  if (!arguments.model.project.empty()) host.setProject(arguments.model.project);
  HttpServer server(httpEngine(host), arguments.http);
  for (const std::string& model : arguments.models) {
    STRATA_CHECK(server.serve({.model = model,
                               .adapter = arguments.model.adapter,
                               .dtype = arguments.model.dtype,
                               .weights = arguments.model.weights,
                               .kv = arguments.model.kv,
                               .device = arguments.model.device,
                               .context = arguments.model.context},
                              cancelFlag()));
  }
  STRATA_CHECK(server.start());
  if (!isLoopback(arguments.http.host)) {
    Output::warning("other machines can reach " + arguments.http.host +
                    ", and the token and all texts are sent unencrypted; put a proxy with TLS in front, or listen on "
                    "127.0.0.1 and use an ssh tunnel.");
  }
  const protocol::ServeState state = server.state();
  out.answer({{"url", state.url}, {"token", state.token}, {"models", state.models}}, describe(state));
  STRATA_CHECK(Output::flush());
  constexpr auto kLook = std::chrono::milliseconds(100);
  while (!cancelFlag()) std::this_thread::sleep_for(kLook);
  server.stop();
  return 0;  // the way that a server is meant to end
}

}  // namespace

VerbAction addServe(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<ServeArguments>();
  verb.add_option("model", arguments->models, "model folders (config.json and safetensors), FILE.gguf, or RUN[@STEP]")
      ->required()
      ->type_name("MODEL");
  verb.add_option("--project", arguments->model.project,
                  "project folder, so that a MODEL may be the id of one of its runs")
      ->type_name("DIR");
  arguments->model.addComputeTo(verb);
  arguments->http.port = 8080;
  verb.add_option("--host", arguments->http.host, "address to listen on (default: this machine alone)");
  verb.add_option("--port", arguments->http.port, "port; 0: 8080, or a free one where that is taken")
      ->check(CLI::Range(0, 65535));
  CLI::Option* token = verb.add_option("--token", arguments->http.token,
                                       "what clients send as bearer token (default: $STRATA_TOKEN, else one is made); "
                                       "other users of the machine can read it in the list of processes");
  verb.add_option("--token-file", arguments->tokenFile, "file whose content is the token")
      ->type_name("FILE")
      ->excludes(token);
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
