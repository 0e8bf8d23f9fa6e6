#include "core/training/train_state.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/checkpoint/adapter.h"
#include "core/checkpoint/export.h"
#include "core/checkpoint/safetensors.h"
#include "core/checkpoint/weight_files.h"
#include "core/model/memory.h"

namespace strata {
namespace {

constexpr const char* kOptimizer = "optimizer";
constexpr const char* kSafetensors = ".safetensors";
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

/// "model.safetensors", or of several ranks "model-00002-of-00004.safetensors", as Hugging Face names shards.
std::string partName(const std::string& stem, const Communicator* ranks, int rank) {
  if (ranks == nullptr) return stem + kSafetensors;
  std::array<char, 32> part = {};
  std::snprintf(part.data(), part.size(), "-%05d-of-%05d", rank + 1, ranks->ranks());
  return stem + part.data() + kSafetensors;
}

/// The rank that writes each tensor: as many bytes each, in order.
std::map<std::string, int> writersOf(Trainer& trainer) {
  std::int64_t total = 0, before = 0;
  const auto visit = [&](const auto& each) { visitParameters(trainer.weights(), trainer.model().tied, each); };
  visit([&](const std::string&, const at::Tensor& tensor) { total += static_cast<std::int64_t>(tensor.nbytes()); });
  std::map<std::string, int> writers;
  visit([&](const std::string& name, const at::Tensor& tensor) {
    const auto bytes = static_cast<std::int64_t>(tensor.nbytes());
    writers[name] = static_cast<int>((before + bytes / 2) * trainer.ranks()->ranks() / total);
    before += bytes;
  });
  return writers;
}

/// This rank's shard of a model that several write, and rank 0's index of all.
Result<void> writeShard(Trainer& trainer, const std::filesystem::path& folder) {
  const Communicator& ranks = *trainer.ranks();
  const std::map<std::string, int> writers = writersOf(trainer);
  TensorFile file;
  Json map = Json::object();
  std::int64_t total = 0;
  visitParameters(trainer.weights(), trainer.model().tied, [&](const std::string& name, at::Tensor& tensor) {
    const int writer = writers.at(name);
    if (writer == ranks.rank()) file.add(name, tensor);
    map[name] = partName("model", &ranks, writer);
    total += static_cast<std::int64_t>(tensor.nbytes());
  });
  if (!file.entries.empty())
    STRATA_CHECK(writeSafetensors(folder / partName("model", &ranks, ranks.rank()), file.entries));
  if (!ranks.leads()) return {};
  const Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
  return writeFile(folder / kIndexFile, index.dump(2) + "\n");
}

Result<void> writeModel(Trainer& trainer, const std::filesystem::path& modelFolder,
                        const std::filesystem::path& folder) {
  const Communicator* ranks = trainer.ranks();
  const bool leading = leads(ranks);
  TensorFile file;
  const TrainConfig& config = trainer.config();
  if (config.lora > 0) {
    if (!leading) return {};
    for (const NamedParameter& parameter : trainer.parameters()) file.add(parameter.name, parameter.value);
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
  if (ranks != nullptr) {
    STRATA_CHECK(writeShard(trainer, folder));
    if (!leading) return {};
  } else {
    visitParameters(trainer.weights(), trainer.model().tied,
                    [&](const std::string& name, at::Tensor& tensor) { file.add(name, tensor); });
    STRATA_CHECK(writeSafetensors(folder / kSingleFile, file.entries));
  }
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

/// Updates of each parameter, of all ranks.
std::vector<double> parameterSteps(Trainer& trainer) {
  std::vector<double> steps(trainer.parameters().size());
  for (std::size_t i = 0; i < trainer.pieces().size(); ++i) {
    const auto& piece = trainer.pieces()[i];
    const AdamW::State& state = trainer.optimizer().states()[i];
    if (piece.begin == 0 && state.m.defined()) steps[piece.parameter] = state.steps.item<float>();
  }
  if (trainer.ranks() != nullptr) trainer.ranks()->sum(steps);
  return steps;
}

/// Moments as they are stored: of whole parameters ("NAME.m", in the parameter's shape), or from element 512 of it on
/// ("NAME.m@512", [n]), in one file or in one of each rank.
using StoredMoments = std::map<std::string, std::vector<std::pair<std::int64_t, TensorView>>>;

Result<StoredMoments> readMoments(const std::filesystem::path& folder) {
  StoredMoments moments;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::filesystem::path& file = entry->path();
    if (file.extension() != kSafetensors || file.stem().string().rfind(kOptimizer, 0) != 0) continue;
    STRATA_TRY(const TensorMap tensors, readSafetensors(file));
    for (const auto& [name, view] : tensors) {
      const std::size_t at = name.find('@');
      std::int64_t begin = 0;
      if (at != std::string::npos) {
        const char* end = name.data() + name.size();
        const auto [stop, failed] = std::from_chars(name.data() + at + 1, end, begin);
        if (failed != std::errc() || stop != end || begin < 0) {
          return fail(
              ErrorCode::invalidData,
              "The checkpoint " + file.string() + " has a tensor " + name + " that belongs nowhere; it is damaged.",
              name);
        }
      }
      moments[name.substr(0, at)].emplace_back(begin, view);
    }
  }
  if (error) return systemFailure(error.value(), "list", folder);
  return moments;
}

/// Elements from `begin` of a parameter's moment on.
Result<void> fill(const at::Tensor& target, std::int64_t begin, const StoredMoments& moments, const std::string& name,
                  const std::filesystem::path& folder) {
  std::int64_t filled = 0;
  const std::int64_t end = begin + target.numel();
  if (const auto found = moments.find(name); found != moments.end()) {
    for (const auto& [first, view] : found->second) {
      const std::int64_t from = std::max(begin, first), to = std::min(end, first + view.elements());
      if (view.dtype != DType::f32 || from >= to) continue;
      std::memcpy(target.mutable_data_ptr<float>() + (from - begin),
                  view.bytes.data() + (from - first) * static_cast<std::int64_t>(sizeof(float)),
                  static_cast<std::size_t>(to - from) * sizeof(float));
      filled += to - from;
    }
  }
  if (filled == target.numel()) return {};
  return fail(ErrorCode::invalidData,
              "The checkpoint " + folder.string() + " lacks the tensor " + name +
                  " in the shape of the run's model; it belongs to another model.",
              name);
}

/// The weights of a full fine-tune, from one file or from shards.
Result<TensorMap> readModel(const std::filesystem::path& folder) {
  STRATA_TRY(const WeightFiles files, findWeightFiles(folder));
  TensorMap all;
  for (const std::string& name : files.names) {
    STRATA_TRY(TensorMap tensors, readSafetensors(folder / name));
    all.merge(tensors);
  }
  return all;
}

}  // namespace

Result<void> writeTrainState(Trainer& trainer, const std::filesystem::path& modelFolder,
                             const std::filesystem::path& folder) {
  const c10::NoGradGuard guard;
  const std::vector<double> counts = parameterSteps(trainer);  // first: the other ranks wait for it
  STRATA_CHECK(writeModel(trainer, modelFolder, folder));
  const Communicator* ranks = trainer.ranks();
  TensorFile moments;
  for (std::size_t i = 0; i < trainer.pieces().size(); ++i) {
    const auto& piece = trainer.pieces()[i];
    const AdamW::State& state = trainer.optimizer().states()[i];
    if (!state.m.defined()) continue;
    const std::string& name = trainer.parameters()[piece.parameter].name;
    const std::string at = ranks == nullptr ? "" : "@" + std::to_string(piece.begin);
    moments.add(name + ".m" + at, state.m);
    moments.add(name + ".v" + at, state.v);
  }
  const int rank = ranks == nullptr ? 0 : ranks->rank();
  STRATA_CHECK(writeSafetensors(folder / partName(kOptimizer, ranks, rank), moments.entries));
  if (rank != 0) return {};
  Json steps = Json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) steps[trainer.parameters()[i].name] = static_cast<std::int64_t>(counts[i]);
  }
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
  STRATA_TRY(const TensorMap weights, lora ? readSafetensors(folder / "adapter_model.safetensors") : readModel(folder));
  STRATA_TRY(const StoredMoments moments, readMoments(folder));
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
  for (const auto& [name, value, decays] : trainer.parameters())
    STRATA_CHECK(copyInto(value, weights, lora ? "base_model.model." + name : name, folder));
  for (std::size_t i = 0; i < trainer.pieces().size(); ++i) {
    const auto& piece = trainer.pieces()[i];
    const std::string& name = trainer.parameters()[piece.parameter].name;
    AdamW::State& own = trainer.optimizer().states()[i];
    own = {};
    if (!steps.contains(name)) continue;
    const MemoryScope scope(MemoryPart::optimizer);
    const auto options = at::TensorOptions(at::kFloat).device(at::kCPU);
    const at::Tensor m = at::empty(piece.value.sizes(), options), v = at::empty(piece.value.sizes(), options);
    STRATA_CHECK(fill(m, piece.begin, moments, name + ".m", folder));
    STRATA_CHECK(fill(v, piece.begin, moments, name + ".v", folder));
    own.m = m.to(piece.value.device());
    own.v = v.to(piece.value.device());
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
