#pragma once
// What a run checkpoint holds: the model as a Hugging Face folder (or a PEFT adapter), moments, step counts, the data
// cursor with the rows that wait to be packed, and the attempts at the next step.

#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/base/error.h"
#include "core/training/trainer.h"

namespace strata {

/// Writes into a staging folder: config.json, model.safetensors (fp32 masters) and tokenizer files, or adapter files;
/// optimizer.safetensors; state.json. `modelFolder` is where tokenizer files come from; for an adapter, its base. Of
/// several ranks each writes a shard of the weights and the moments that it has, and all call this together
/// (Trainer::saveWith).
Result<void> writeTrainState(Trainer& trainer, const std::filesystem::path& modelFolder,
                             const std::filesystem::path& folder);

enum class Restore { everything, weightsAndMoments };  // the second leaves step and cursor alone
/// Brings a trainer built from the same configuration, on any number of ranks, to the state of a checkpoint.
Result<void> readTrainState(Trainer& trainer, const std::filesystem::path& folder, Restore what);

/// The data cursor that a checkpoint stores.
Result<Cursor> readCursor(const std::filesystem::path& folder);

/// Trainer::dataFingerprint() of the data that a checkpoint was trained on; nothing where it was not stored.
Result<std::optional<std::uint64_t>> readFingerprint(const std::filesystem::path& folder);

}  // namespace strata
