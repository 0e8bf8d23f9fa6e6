// strata bench: prefill, decoding and training speed in the shape of other engines' benchmarks: the same synthetic ids,
// one warm-up, medians over the timed runs, the memory floor from a bandwidth read in the same process.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "app/strata/bandwidth.h"
#include "app/strata/cli.h"
#include "core/data/dataset.h"
#include "core/model/device.h"
#include "core/model/memory.h"
#include "core/model/sampling.h"
#include "core/model/session.h"
#include "core/training/run_setup.h"

namespace strata {
namespace {

struct BenchArguments {
  ModelOptions model;
  std::string ids, map, train;
  int promptTokens = 512, decodeTokens = 64, repeat = 5;
  std::int64_t context = 0;
  int batch = 8, length = 256, lora = 8;
  double pCross = 0;
  bool checkpointing = false;
};

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<TokenId> syntheticIds(std::int64_t count, std::int64_t vocab) {
  std::vector<TokenId> ids;
  for (std::int64_t i = 0; i < count; ++i) ids.push_back(static_cast<TokenId>((i * 7919 + 13) % vocab));
  return ids;
}

/// Median and range of what the timed runs gave.
struct Speeds {
  std::vector<double> values;
  double median() const {
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t middle = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
  Json range() const {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    return {{"min", *least}, {"max", *most}};
  }
};

std::int64_t peakMegabytes() {
  return (residentSize().peak + 500000) / 1000000;
}

TokenId likeliest(const at::Tensor& logits) {
  const at::Tensor row = logits.cpu().contiguous();
  GenerateConfig greedy;
  greedy.temperature = 0;
  return sampleToken({row.const_data_ptr<float>(), static_cast<std::size_t>(row.numel())}, greedy, {}, 0);
}

/// Bytes of weights that one decoded token reads: all but an embedding that is not the head and the k and v projections
/// of followers.
std::int64_t decodedWeightBytes(const Model& model, const SharingMap& map) {
  const Weights& weights = model.weights();
  std::int64_t bytes = weightBytes(weights, model.config().tied);
  if (!model.config().tied || weights.head.quantized) bytes -= static_cast<std::int64_t>(weights.embedding.nbytes());
  for (int l = 0; l < map.layers(); ++l) {
    const LayerWeights& layer = weights.layers[static_cast<std::size_t>(l)];
    if (!map.owns(l)) bytes -= layer.k.weightBytes() + layer.v.weightBytes();
  }
  return bytes;
}

struct InferenceRuns {
  Speeds prefill, decode;
  std::int64_t kvBytes = 0;
};

Result<InferenceRuns> timeInference(const BenchArguments& arguments, const OpenedModel& opened, const SharingMap& map,
                                    const std::vector<TokenId>& prompt, std::int64_t context) {
  const std::vector<TokenId> filler = syntheticIds(context, opened.model->config().vocab);
  const auto longest =
      std::max<std::int64_t>(static_cast<std::int64_t>(prompt.size()), context + arguments.decodeTokens);
  InferenceSession session(opened.model, map, {.capacity = longest, .cancel = &cancelFlag()});
  InferenceRuns runs;
  Progress progress("Timing", arguments.repeat + 1);
  for (int i = 0; i <= arguments.repeat; ++i) {
    auto started = Clock::now();
    STRATA_TRY(at::Tensor logits, session.prefill({prompt}));
    synchronize(opened.model->device());
    if (i > 0) runs.prefill.values.push_back(static_cast<double>(prompt.size()) / secondsSince(started));
    if (static_cast<std::int64_t>(prompt.size()) != context) {
      STRATA_TRY(logits, session.prefill({filler}));
      synchronize(opened.model->device());
    }
    runs.kvBytes = session.kvBytes();
    started = Clock::now();
    for (int step = 0; step < arguments.decodeTokens; ++step) {
      const TokenId next = likeliest(std::exchange(logits, {}));  // as an answer: what is held would be made anew
      STRATA_TRY(logits, session.decode({next}));
    }
    synchronize(opened.model->device());
    if (i > 0) runs.decode.values.push_back(arguments.decodeTokens / secondsSince(started));
    progress.update(i + 1);
  }
  return runs;
}

Result<int> inference(const BenchArguments& arguments, const Output& out) {
  STRATA_TRY(const OpenedModel opened, openModel(arguments.model));
  const Model& model = *opened.model;
  STRATA_TRY(const NamedMap map, chooseMap(arguments.map, model));
  std::vector<TokenId> prompt = syntheticIds(arguments.promptTokens, model.config().vocab);
  if (!arguments.ids.empty()) {
    STRATA_TRY(prompt, parseIds(arguments.ids));
  }
  const std::int64_t context = arguments.context > 0 ? arguments.context : static_cast<std::int64_t>(prompt.size());
  STRATA_TRY(const InferenceRuns runs, timeInference(arguments, opened, map.map, prompt, context));
  const std::int64_t peak = peakMegabytes();  // before the bandwidth's buffer
  const double held = static_cast<double>(weightBytes(model.weights(), model.config().tied)) / 1e6,
               cache = static_cast<double>(runs.kvBytes) / 1e6;

  const double bandwidth = model.device().is_cpu() ? readBandwidth(at::get_num_threads()) : 0;
  const std::int64_t weightBytes = decodedWeightBytes(model, map.map);
  const double cacheBytes = static_cast<double>(kvBytes(map.map, model.config().shape(), 1, model.kvStorage())) *
                            (static_cast<double>(context) + arguments.decodeTokens / 2.0);
  Json json = {{"engine", "strata"},
               {"version", STRATA_VERSION},
               {"model", std::filesystem::path(opened.name).filename().string()},
               {"dtype", configName(fromTorch(model.dtype()))},
               {"kv_dtype", model.kvName()},
               {"device", model.device().str()},
               {"threads", at::get_num_threads()},
               {"prompt_tokens", prompt.size()},
               {"context", context},
               {"decode_tokens", arguments.decodeTokens},
               {"prefill_tok_s", runs.prefill.median()},
               {"prefill_range", runs.prefill.range()},
               {"decode_tok_s", runs.decode.median()},
               {"decode_range", runs.decode.range()},
               {"runs", Json::array()},
               {"rss_peak_mb", peak},
               {"rss_weights_mb", held},
               {"rss_other_mb", static_cast<double>(peak) - held - cache},
               {"kv_bytes", runs.kvBytes},
               {"map", map.name},
               {"src", map.map.src()},
               {"weight_gb", static_cast<double>(weightBytes) / 1e9},
               {"kv_gb", cacheBytes / 1e9}};
  for (std::size_t i = 0; i < runs.prefill.values.size(); ++i) {
    json["runs"].push_back({{"prefill_tok_s", runs.prefill.values[i]}, {"decode_tok_s", runs.decode.values[i]}});
  }
  std::string text = fmt::format(
      "prefill {:.1f} tok/s over {} tokens\ndecode  {:.1f} tok/s from {} tokens, KV cache {}\n"
      "peak RSS {} MB = weights {:.0f} + KV cache {:.0f} + {:.0f} MB\n",
      runs.prefill.median(), prompt.size(), runs.decode.median(), context, printBytes(runs.kvBytes), peak, held, cache,
      static_cast<double>(peak) - held - cache);
  if (model.weights().head.quantized) {
    STRATA_TRY(const Quantization quantization, parseQuantization(arguments.model.weights));
    const double error = quantizationError(model.weights());
    json["weights"] = printQuantization(quantization);
    json["weights_relative_error"] = error;
    text += fmt::format("weights {}, relative error {:.4f}\n", printQuantization(quantization), error);
  }
  if (bandwidth > 0) {
    const double floor = bandwidth * 1e9 / (static_cast<double>(weightBytes) + cacheBytes);
    json["bandwidth_gb_s"] = bandwidth;
    json["decode_floor_tok_s"] = floor;
    json["decode_pct_of_floor"] = 100 * runs.decode.median() / floor;
    text += fmt::format("decode reaches {:.0f} % of the floor that {:.1f} GB/s of reading sets\n",
                        100 * runs.decode.median() / floor, bandwidth);
  }
  out.answer(json, text);
  return 0;
}

/// Rows of random ids, all of one length: no text, no packing.
Dataset randomRows(const BenchArguments& arguments, std::int64_t vocab) {
  const auto count = static_cast<std::size_t>(arguments.batch) * static_cast<std::size_t>(arguments.repeat + 2);
  std::vector<Row> rows(count);
  std::uint64_t state = 1;
  for (Row& row : rows) {
    for (int t = 0; t < arguments.length; ++t) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth's MMIX generator
      row.ids.push_back(static_cast<TokenId>((state >> 33) % static_cast<std::uint64_t>(vocab)));
    }
    row.trained.assign(row.ids.size(), true);
    row.trained.front() = false;
  }
  return Dataset::fromRows(std::move(rows), arguments.length);
}

Result<int> training(const BenchArguments& arguments, const Output& out) {
  if (arguments.train != "full" && arguments.train != "lora") {
    return fail(ErrorCode::usage, "--train is \"" + arguments.train + "\"; give full or lora.", "--train");
  }
  setThreads(arguments.model.threads);
  STRATA_TRY(const c10::Device device, chooseDevice(arguments.model.device));
  STRATA_TRY(ModelLocation location, locate(arguments.model.model, arguments.model.project));
  if (!arguments.model.adapter.empty()) location.adapter = arguments.model.adapter;
  STRATA_TRY(const ModelConfig model, readModelConfig(location.folder));
  TrainConfig config;
  config.model = arguments.model.model;
  config.data = "random ids";
  config.batch = arguments.batch;
  config.length = arguments.length;
  config.steps = arguments.repeat + 1;
  config.pCross = arguments.pCross;
  config.dtype = arguments.model.dtype.empty() ? "bfloat16" : arguments.model.dtype;
  config.lora = arguments.train == "lora" ? arguments.lora : 0;
  config.checkpointing = arguments.checkpointing;
  STRATA_CHECK(checkTrainConfig(config));
  if (arguments.length > model.maxPositions) {
    return fail(ErrorCode::usage,
                fmt::format("The length {} exceeds the model's context of {}; give --length at most that.",
                            arguments.length, model.maxPositions),
                "--length");
  }
  const Dataset data = randomRows(arguments, model.vocab);
  STRATA_TRY(Weights weights, startingWeights(config, location, model, device));
  Trainer trainer(config, model, std::move(weights), data, device);
  Speeds speeds;
  std::vector<double> losses;
  Progress progress("Timing", arguments.repeat + 1);
  for (int i = 0; i <= arguments.repeat; ++i) {
    if (cancelFlag()) return fail(ErrorCode::cancelled, "The benchmark was cancelled.");
    const auto started = Clock::now();
    STRATA_TRY(const StepResult step, trainer.step());
    synchronize(device);
    if (i > 0) speeds.values.push_back(static_cast<double>(step.tokens) / secondsSince(started));
    losses.push_back(step.loss);
    progress.update(i + 1);
  }
  Json json = {{"engine", "strata"},
               {"version", STRATA_VERSION},
               {"model", std::filesystem::path(arguments.model.model).filename().string()},
               {"dtype", config.dtype},
               {"device", device.str()},
               {"threads", at::get_num_threads()},
               {"prompt_tokens", arguments.length},
               {"batch", arguments.batch},
               {"train", arguments.train},
               {"train_tok_s", speeds.median()},
               {"train_range", speeds.range()},
               {"runs", Json::array()},
               {"losses", losses},
               {"rss_peak_mb", peakMegabytes()},
               {"p_cross", arguments.pCross},
               {"lora", config.lora},
               {"checkpointing", config.checkpointing}};
  for (const double speed : speeds.values) json["runs"].push_back({{"train_tok_s", speed}});
  out.answer(json, fmt::format("training {:.1f} tok/s, {} x {} tokens a step, peak RSS {} MB", speeds.median(),
                               arguments.batch, arguments.length, peakMegabytes()));
  return 0;
}

}  // namespace

VerbAction addBench(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<BenchArguments>();
  arguments->model.addTo(verb, ModelOptions::Context::no);
  verb.add_option("--ids", arguments->ids, "the prompt as ids, 1,2,3 or @FILE (default: synthetic ones)")
      ->type_name("IDS");
  verb.add_option("--map", arguments->map, "sharing map (default: the model's own, else full)");
  verb.add_option("--prompt-tokens", arguments->promptTokens, "tokens of the timed prefill")
      ->check(CLI::Range(1, 1 << 24));
  verb.add_option("--context", arguments->context, "tokens held when decoding starts (default: the prompt's)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 30));
  verb.add_option("--decode-tokens", arguments->decodeTokens, "tokens decoded in one run")
      ->check(CLI::Range(1, 1 << 24));
  verb.add_option("--repeat", arguments->repeat, "timed runs after one warm-up")->check(CLI::Range(1, 10000));
  verb.add_option("--train", arguments->train, "time training steps instead: full | lora");
  verb.add_option("--batch", arguments->batch, "with --train: sequences a step")->check(CLI::Range(1, 1000000));
  verb.add_option("--length", arguments->length, "with --train: tokens a sequence")->check(CLI::Range(2, 10000000));
  verb.add_option("--lora", arguments->lora, "with --train lora: the rank")->check(CLI::Range(1, 65536));
  verb.add_option("--p-cross", arguments->pCross, "with --train: probability of borrowing [0: stock training]")
      ->check(CLI::Range(0.0, 1.0));
  verb.add_flag("--checkpointing", arguments->checkpointing, "with --train: recompute activations");
  return
      [arguments, &out] { return arguments->train.empty() ? inference(*arguments, out) : training(*arguments, out); };
}

}  // namespace strata
