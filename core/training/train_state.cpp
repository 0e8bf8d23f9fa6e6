#include "core/training/train_state.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/checkpoint/adapter.h"
#include "core/checkpoint/export.h"
#include "core/checkpoint/safetensors.h"
#include "core/model/memory.h"

namespace strata {
namespace {

constexpr const char* kOptimizerFile = "optimizer.safetensors";
constexpr const char* kStateFile = "state.json";

/// Tensors to write together with what keeps their bytes alive.
struct TensorFile {
  std::vector<TensorToWrite> entries;
  std::vector<at::Tensor> keep;

  void add(const std::string& name, const at::Tensor& tensor) {
    keep.push_back(tensor.detach().cpu().contiguous());
    const at::Tensor& host = keep.back();
    entries.push_back({name,
                       fromTorch(host.scalar_type()),
                       host.sizes().vec(),
                       {static_cast<const std::byte*>(host.const_data_ptr()), host.nbytes()}});
  }
};

Result<void> writeModel(Trainer& trainer, const std::filesystem::path& modelFolder,
                        const std::filesystem::path& folder) {
  TensorFile file;
  const TrainConfig& config = trainer.config();
  if (config.lora > 0) {
    for (const NamedParameter& parameter : trainer.optimizer().parameters()) file.add(parameter.name, parameter.value);
    LoraSettings settings;
    settings.rank = config.lora;
    settings.alpha = config.loraAlpha.value_or(2.0 * config.lora);
    settings.dropout = config.loraDropout;
    std::vector<std::string> targets;
    visitLinears(trainer.weights(), [&](const std::string& name, Linear& linear) {
      const std::string module = name.substr(name.rfind('.') + 1);
      if (linear.loraA.defined() && std::find(targets.begin(), targets.end(), module) == targets.end())
        targets.push_back(module);
    });
    settings.targets = targets;
    return writeAdapter(folder, settings, modelFolder.string(), file.entries);
  }
  visitParameters(trainer.weights(), trainer.model().tied,
                  [&](const std::string& name, at::Tensor& tensor) { file.add(name, tensor); });
  STRATA_CHECK(writeSafetensors(folder / "model.safetensors", file.entries));
  STRATA_CHECK(writeFile(folder / "config.json", trainer.model().raw.dump(2) + "\n"));
  constexpr const char* kMapFile = "strata_map.json";  // the run's default map is its model's
  std::error_code ignored;
  if (std::filesystem::exists(modelFolder / kMapFile, ignored)) {
    STRATA_TRY(const std::string map, readFile(modelFolder / kMapFile));
    STRATA_CHECK(writeFile(folder / kMapFile, map));
  }
  STRATA_CHECK(copyTokenizerFiles(modelFolder, folder));
  if (trainer.config().chatTemplate.empty()) return {};
  STRATA_TRY(const std::string chatTemplate, readFile(trainer.config().chatTemplate));
  return writeFile(folder / "chat_template.jinja", chatTemplate);
}

/// Copies stored bytes into an existing tensor of the same shape.
Result<void> copyInto(const at::Tensor& target, const TensorMap& stored, const std::string& name,
                      const std::filesystem::path& file) {
  const auto found = stored.find(name);
  if (found == stored.end() || found->second.shape != target.sizes().vec()) {
    return fail(ErrorCode::invalidData,
                "The checkpoint " + file.string() + " lacks the tensor " + name +
                    " in the shape of the run's model; it belongs to another model.",
                name);
  }
  at::Tensor destination = target.detach();
  destination.copy_(tensorOf(found->second, target.scalar_type(), c10::Device(c10::DeviceType::CPU)));
  return {};
}

}  // namespace

Result<void> writeTrainState(Trainer& trainer, const std::filesystem::path& modelFolder,
                             const std::filesystem::path& folder) {
  const c10::NoGradGuard guard;
  STRATA_CHECK(writeModel(trainer, modelFolder, folder));
  TensorFile moments;
  Json steps = Json::object();
  const auto& parameters = trainer.optimizer().parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const AdamW::State& state = trainer.optimizer().states()[i];
    if (!state.m.defined()) continue;
    moments.add(parameters[i].name + ".m", state.m);
    moments.add(parameters[i].name + ".v", state.v);
    steps[parameters[i].name] = static_cast<std::int64_t>(state.steps.item<float>());
  }
  STRATA_CHECK(writeSafetensors(folder / kOptimizerFile, moments.entries));
  const Cursor cursor = trainer.cursor();
  const Json state = {{"format", "strata-train-state"},
                      {"version", 1},
                      {"step", trainer.nextStep()},
                      {"attempt", trainer.attempt()},
                      {"cursor_row", cursor.row},
                      {"waiting_rows", cursor.waiting},
                      {"data_fingerprint", trainer.dataFingerprint()},
                      {"parameter_steps", steps}};
  return writeFile(folder / kStateFile, state.dump(2) + "\n");
}

Result<Cursor> readCursor(const std::filesystem::path& folder) {
  STRATA_TRY(const Json state, readJson(folder / kStateFile));
  const auto damaged = [&](const char* what) {
    return fail(ErrorCode::invalidData,
                "The file " + (folder / kStateFile).string() + " " + what + "; the checkpoint is damaged.",
                (folder / kStateFile).string());
  };
  if (!state.is_object() || !state.contains("cursor_row") || !state["cursor_row"].is_number_unsigned()) {
    return damaged("has no cursor_row");
  }
  Cursor cursor{.row = state["cursor_row"].get<std::uint64_t>()};
  const Json waiting = state.value("waiting_rows", Json::array());  // version 0.4 stored none
  if (!waiting.is_array()) return damaged("has waiting_rows that are no list");
  for (const Json& row : waiting) {
    const bool ascends = row.is_number_unsigned() && row.get<std::uint64_t>() < cursor.row &&
                         (cursor.waiting.empty() || cursor.waiting.back() < row.get<std::uint64_t>());
    if (!ascends) return damaged("has waiting_rows that are not ascending rows before cursor_row");
    cursor.waiting.push_back(row.get<std::uint64_t>());
  }
  return cursor;
}

Result<std::optional<std::uint64_t>> readFingerprint(const std::filesystem::path& folder) {
  STRATA_TRY(const Json state, readJson(folder / kStateFile));
  if (!state.is_object() || !state.contains("data_fingerprint")) return std::optional<std::uint64_t>();
  if (state["data_fingerprint"].is_number_unsigned())
    return std::optional(state["data_fingerprint"].get<std::uint64_t>());
  return fail(ErrorCode::invalidData,
              "The file " + (folder / kStateFile).string() +
                  " has a data_fingerprint that is no whole number; the checkpoint is damaged.",
              (folder / kStateFile).string());
}

Result<void> readTrainState(Trainer& trainer, const std::filesystem::path& folder, Restore what) {
  const c10::NoGradGuard guard;
  const bool lora = trainer.config().lora > 0;
  const auto weightsFile = folder / (lora ? "adapter_model.safetensors" : "model.safetensors");
  STRATA_TRY(const TensorMap weights, readSafetensors(weightsFile));
  STRATA_TRY(const TensorMap moments, readSafetensors(folder / kOptimizerFile));
  STRATA_TRY(const Json state, readJson(folder / kStateFile));
  if (!state.contains("parameter_steps") || !state.contains("step") || !state["step"].is_number_integer()) {
    return fail(ErrorCode::invalidData,
                "The file " + (folder / kStateFile).string() + " has no step; the checkpoint is damaged.");
  }
  const Json attempt = state.value("attempt", Json(0U));  // version 0.4 stored none
  if (!attempt.is_number_unsigned()) {
    return fail(ErrorCode::invalidData, "The file " + (folder / kStateFile).string() +
                                            " has an attempt that is no whole number; the checkpoint is damaged.");
  }
  const Json& steps = state["parameter_steps"];
  const auto& parameters = trainer.optimizer().parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, value] = parameters[i];
    STRATA_CHECK(copyInto(value, weights, lora ? "base_model.model." + name : name, weightsFile));
    AdamW::State& own = trainer.optimizer().states()[i];
    own = {};
    if (!steps.contains(name)) continue;
    const MemoryScope scope(MemoryPart::optimizer);
    own.m = at::empty_like(value, at::TensorOptions().requires_grad(false));
    own.v = at::empty_like(own.m);
    STRATA_CHECK(copyInto(own.m, moments, name + ".m", folder / kOptimizerFile));
    STRATA_CHECK(copyInto(own.v, moments, name + ".v", folder / kOptimizerFile));
    own.steps = at::full({}, static_cast<double>(steps[name].get<std::int64_t>()), own.m.options());
  }
  if (what == Restore::everything) {
    STRATA_TRY(const std::optional<std::uint64_t> stored, readFingerprint(folder));
    if (stored && *stored != trainer.dataFingerprint()) {
      return fail(ErrorCode::invalidData,
                  "The training data " + trainer.config().data +
                      " are no longer what the run was trained on; bring the old file back, or start a new run from "
                      "this one's weights.",
                  trainer.config().data);
    }
    trainer.setNextStep(state["step"].get<std::int64_t>());
    STRATA_TRY(const Cursor cursor, readCursor(folder));
    trainer.setCursor(cursor);
    trainer.setAttempt(attempt.get<std::uint32_t>());
  }
  return {};
}

}  // namespace strata
