#pragma once
// From a run's configuration to everything it computes with: model, data, maps and a trainer. Nothing is written.

#include <filesystem>
#include <memory>
#include <vector>

#include "core/base/error.h"
#include "core/config/train_config.h"
#include "core/data/questions.h"
#include "core/project/model_name.h"
#include "core/training/trainer.h"

namespace strata {

/// Everything a run computes with, built from its configuration alone.
struct RunSetup {
  TrainConfig config;
  std::filesystem::path modelFolder;  // config.json and tokenizer files
  ModelConfig model;
  std::unique_ptr<Dataset> data;
  std::int64_t sequences = 0;        // that an epoch makes; 0: not counted, as the configuration gives steps
  std::vector<PackedSequence> held;  // evaluation sequences
  QuestionSet questions;             // that evaluations answer; none: no questions
  std::shared_ptr<const Tokenizer> tokenizer;
  std::vector<std::int64_t> eosIds;  // that end an answer
  std::vector<NamedMap> maps;
  std::unique_ptr<Trainer> trainer;
};

/// What a configuration says of the rows that records become, in training and in a check of the data; whose template
/// writes conversations, and which part of a split is meant, is left to the caller.
DataOptions rowOptions(const TrainConfig& config);

/// Steps that `epochs` passes over data of so many sequences make, at least one.
Result<int> stepsOf(double epochs, std::int64_t sequences, int batch);

/// What else must fit the model.
Result<void> checkLength(const TrainConfig& config, const ModelConfig& model);
/// Those of eval-maps, the watched one among them.
Result<std::vector<NamedMap>> evaluatedMaps(const TrainConfig& config, const ModelConfig& model);

/// Checks the configuration and opens what it names. The configuration in the answer has absolute paths, a run that it
/// starts from with its step, and no open choices; epochs have become steps.
/// With ranks, all of them call it, and it fails on all where it does on one.
Result<RunSetup> prepareRun(TrainConfig config, Communicator* ranks = nullptr);

/// What Trainer::saveWith() writes of this run.
Trainer::Save saveOf(const RunSetup& setup);

/// Weights to train from: of a checkpoint (an adapter of `location` is merged), or random ones with init; new LoRA
/// pairs with lora. Throws what LibTorch throws.
Result<Weights> startingWeights(const TrainConfig& config, const ModelLocation& location, const ModelConfig& model,
                                c10::Device device);

/// Brings the trainer to the weights and moments of a parent's last checkpoint, and to its data cursor where the data
/// are the same.
Result<void> takeOver(RunSetup& setup, const std::filesystem::path& parent);

/// The stored configuration of a run.
Result<TrainConfig> configOfRun(const std::filesystem::path& runFolder);

}  // namespace strata
