// train/*: what is asked before a training run.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/system_memory.h"
#include "core/config/presets.h"
#include "core/model/device.h"
#include "core/model/gpu_memory.h"
#include "core/project/job.h"
#include "core/project/launcher.h"
#include "core/service/project_state.h"
#include "core/training/train_plan.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using namespace protocol;

constexpr int kNice = 10;  // as a job is
constexpr auto kPoll = std::chrono::milliseconds(20);

TrainMemory toMessage(const MemoryEstimate& memory) {
  TrainMemory message;
  message.weights = memory.weights;
  message.gradients = memory.gradients;
  message.optimizer = memory.optimizer;
  message.activations = memory.activations;
  message.logits = memory.logits;
  message.process = memory.process;
  message.total = memory.total();
  return message;
}

Result<EstimateTraining::Answer> estimate(const fs::path& project, const EstimateTraining::Params& params) {
  EstimateTraining::Answer answer;
  std::error_code error;
  const fs::space_info space = fs::space(project, error);
  if (!error) answer.diskFree = static_cast<std::int64_t>(space.available);
  const Result<TrainConfig> config = requestedTraining(project, params);
  if (!config) {
    answer.problems.push_back({optionOf(config.error(), "model"), config.error().message});
    return answer;
  }
  const Result<std::string> launcher = launcherOf(project);
  if (!launcher) answer.problems.push_back({"", launcher.error().message});
  answer.ranks = launcher ? ranksOf(*launcher).value_or(0) : 1;
  const TrainPlan plan = planTraining(*config, std::max(1, answer.ranks));
  answer.memory = toMessage(plan.memory);
  answer.parameters = plan.parameters;
  answer.trained = plan.trained;
  answer.layers = plan.layers;
  answer.checkpoint = plan.checkpointBytes;
  answer.disk = plan.runBytes;
  for (const Error& problem : plan.problems) answer.problems.push_back({problem.context, problem.message});
  if (const Result<void> room = checkRoom(project, answer.disk); !room) {
    answer.problems.push_back({"", room.error().message});
  }
  const Result<c10::Device> device = chooseDevice(config->device);
  if (!device) return answer;
  answer.device = device->is_cpu() ? "cpu" : device->str();
  if (device->is_cpu()) {
    answer.available = systemMemory("MemAvailable");
    answer.deviceTotal = systemMemory("MemTotal");
  } else if (const auto memory = gpuMemory(device->has_index() ? device->index() : 0)) {
    answer.available = memory->free;
    answer.deviceTotal = memory->total;
  }
  const std::int64_t here = device->is_cpu() ? std::max(1, answer.ranks) : 1;  // that share this memory
  if (answer.available > 0 && answer.memory.total > 0) answer.fits = here * answer.memory.total <= answer.available;
  return answer;
}

/// A folder of its own that goes with the object.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make() {
    std::error_code ignored;
    std::string name = (fs::temp_directory_path(ignored) / "strata-probe-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return systemFailure(errno, "make", name);
    return TemporaryFolder(name);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : m_path(std::exchange(other.m_path, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!m_path.empty()) fs::remove_all(m_path, ignored);
  }
  const fs::path& path() const { return m_path; }

 private:
  explicit TemporaryFolder(fs::path path) : m_path(std::move(path)) {}
  fs::path m_path;
};

/// A process that is killed where nobody waited for its end.
class ProbeProcess {
 public:
  explicit ProbeProcess(pid_t pid) : m_pid(pid) { (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), kNice); }
  ProbeProcess(const ProbeProcess&) = delete;
  ProbeProcess& operator=(const ProbeProcess&) = delete;
  ~ProbeProcess() {
    if (m_ended) return;
    ::kill(m_pid, SIGKILL);
    while (::waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  bool hasEnded() {
    if (!m_ended) m_ended = ::waitpid(m_pid, nullptr, WNOHANG) != 0;
    return m_ended;
  }

 private:
  pid_t m_pid;
  bool m_ended = false;
};

ErrorCode codeOf(const std::string& name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    if (name == toString(static_cast<ErrorCode>(code))) return static_cast<ErrorCode>(code);
  }
  return ErrorCode::internal;
}

/// The probe of "strata estimate --probe --json", or its error: the output's last line that is an object.
Result<Json> probeIn(const std::string& output) {
  const std::size_t end = output.find_last_not_of('\n'), begin = output.rfind("\n{", end);
  const std::string last = end == std::string::npos ? "" : output.substr(begin == std::string::npos ? 0 : begin + 1);
  const Result<Json> answer = parseJson(last, "The measurement's answer");
  if (!answer) {
    return fail(ErrorCode::internal, "The measurement ended without an answer: " + output.substr(0, 1000));
  }
  if (answer->contains("probe")) return (*answer)["probe"];
  const Json error = answer->value("error", Json::object());
  return fail(codeOf(error.value("code", "")), error.value("message", "The measurement failed without saying why."),
              error.value("context", ""));
}

TrainMemory measuredIn(const Json& peak) {
  TrainMemory memory;
  memory.weights = peak.value("weights", std::int64_t{0});
  memory.gradients = peak.value("gradients", std::int64_t{0});
  memory.optimizer = peak.value("optimizer", std::int64_t{0});
  memory.activations = peak.value("activations", std::int64_t{0});
  memory.process = peak.value("process", std::int64_t{0});
  memory.total = peak.value("total", std::int64_t{0});
  return memory;
}

Result<ProbeTraining::Answer> probe(const fs::path& program, const fs::path& project,
                                    const ProbeTraining::Params& params, RequestContext& context) {
  STRATA_TRY(const TrainConfig config, requestedTraining(project, params));
  STRATA_CHECK(checkTrainConfig(config));
  STRATA_TRY(const TemporaryFolder folder, TemporaryFolder::make());
  const fs::path file = folder.path() / "config.json", output = folder.path() / "output";
  STRATA_CHECK(writeFile(file, configToJson(config).dump()));
  const Descriptor sink(::open(output.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (sink.get() < 0) return systemFailure(errno, "write", output);
  STRATA_TRY(const int pid, spawnProgram(program, {"estimate", "--config", file.string(), "--probe", "--json"}, sink));
  ProbeProcess process(pid);
  while (!process.hasEnded()) {
    if (context.cancelled) return fail(ErrorCode::cancelled, "The measurement was cancelled.");
    context.progress("Measuring two steps", 0, 0);
    std::this_thread::sleep_for(kPoll);
  }
  STRATA_TRY(const std::string text, readFile(output));
  STRATA_TRY(const Json measured, probeIn(text));
  ProbeTraining::Answer answer;
  answer.stepS = measured.value("step_s", 0.0);
  answer.tokensS = measured.value("tokens_s", 0.0);
  answer.padding = measured.value("padding", 0.0);
  answer.evaluationS = measured.value("evaluation_s", 0.0);
  answer.startS = measured.value("start_s", 0.0);
  answer.seconds = measured.value("seconds", 0.0);
  answer.steps = measured.value("steps", std::int64_t{0});
  answer.sequences = measured.value("sequences", std::int64_t{0});
  answer.peak = measuredIn(measured.value("peak", Json::object()));
  return answer;
}

}  // namespace

void addTrainMethods(MethodTable& methods, const ProjectAccess& project, const fs::path& program,
                     const fs::path& presets) {
  methods.add<ListTrainPresets>([presets](const Nothing&, RequestContext&) -> Result<ListTrainPresets::Answer> {
    STRATA_TRY(std::vector<Preset> found, readPresets(presets));
    ListTrainPresets::Answer answer;
    for (Preset& preset : found) {
      answer.presets.push_back(
          {std::move(preset.name), std::move(preset.title), std::move(preset.description), std::move(preset.config)});
    }
    return answer;
  });
  methods.add<EstimateTraining>(
      [project](const EstimateTraining::Params& params, RequestContext&) -> Result<EstimateTraining::Answer> {
        STRATA_TRY(const auto held, project());
        return estimate(held->folder(), params);
      });
  methods.add<ProbeTraining>(
      [=](const ProbeTraining::Params& params, RequestContext& context) -> Result<ProbeTraining::Answer> {
        STRATA_TRY(const auto held, project());
        return probe(program, held->folder(), params, context);
      });
}

}  // namespace strata
