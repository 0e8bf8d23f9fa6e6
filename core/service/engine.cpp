#include "core/service/engine.h"

#include <ATen/Parallel.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "core/metrics/answer_metrics.h"
#include "core/model/device.h"

namespace strata {
namespace {

std::string hostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string homeFolder() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  const passwd* user = getpwuid(getuid());
  return user != nullptr ? user->pw_dir : "/";
}

}  // namespace

Engine::Engine(const Options& options)
    : m_version(options.version),
      m_host({.version = options.version, .onChange = [this] { notifier()(protocol::ModelsLoaded{m_host.loaded()}); }}),
      m_server({.input = options.input, .output = options.output, .onInitialized = [this] {
                  m_memory.emplace(m_host, notifier());
                }}) {
  addMethods();
}

Engine::~Engine() = default;

Result<protocol::Initialize::Answer> Engine::initialize(const protocol::Initialize::Params& params) {
  if (params.protocolVersion != kProtocolVersion) {
    return fail(ErrorCode::unsupported,
                "The window speaks version " + std::to_string(params.protocolVersion) +
                    " of the protocol and this engine (strata " + m_version + ") version " +
                    std::to_string(kProtocolVersion) + "; install the same release of both.",
                "protocolVersion");
  }
  protocol::Initialize::Answer answer;
  answer.protocolVersion = kProtocolVersion;
  answer.version = m_version;
  answer.host = hostName();
  answer.home = homeFolder();
  answer.pid = getpid();
  answer.threads = at::get_num_threads();
  const std::int64_t memory = memoryOf(m_host).total;
  for (const DeviceInfo& device : listDevices()) {
    answer.devices.push_back(
        {device.name, device.description, device.usable, device.reason, device.name == "cpu" ? memory : 0});
  }
  return answer;
}

void Engine::addMethods() {
  MethodTable& table = methods();
  table.add<protocol::Initialize>(
      [this](const protocol::Initialize::Params& params, RequestContext&) { return initialize(params); }, Lane::reader);
  table.add<protocol::LoadModel>(
      [this](const protocol::LoadModel::Params& params, RequestContext& context) -> Result<protocol::LoadedModel> {
        STRATA_TRY(const auto open, m_host.open(params.ref, context.progress, context.cancelled));
        return open->info;
      });
  table.add<protocol::UnloadModel>(
      [this](const protocol::UnloadModel::Params& params, RequestContext&) -> Result<protocol::Nothing> {
        m_host.unload(params.ref);
        return protocol::Nothing{};
      });
  table.add<protocol::Generate>([this](const protocol::Generate::Params& params, RequestContext& context) {
    const auto onTokens = [&](const std::string& text, const std::vector<int>& ids, std::int64_t kvBytesUsed) {
      m_server.tokens(context.id, params.stream, text, ids, kvBytesUsed);
    };
    Result<protocol::Answer> answer = m_host.generate(params, onTokens, context.progress, context.cancelled);
    if (answer && !params.expected.empty()) {
      const AnswerScore score = scoreAnswer(answer->text, params.expected);
      answer->mark = protocol::Mark{params.expected, score.exact, score.f1};
    }
    return answer;
  });
  table.add<protocol::CountPrompt>([this](const protocol::CountPrompt::Params& params, RequestContext& context) {
    return m_host.count(params, context.cancelled);
  });
  table.add<protocol::Compare>([this](const protocol::Compare::Params& params, RequestContext& context) {
    return m_host.compare(params, context.cancelled);
  });
}

}  // namespace strata
