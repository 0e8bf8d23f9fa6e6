#pragma once
// A run's metrics as other programs read them.
//
//   STRATA_TRY(const std::int64_t points, exportCsv(runFolder, "loss.csv"));
//   STRATA_CHECK(exportTensorboard(runFolder, "logs/my-run"));   // tensorboard --logdir logs

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace strata {

/// A file with the columns metric, step, tokens, seconds and value, a point a row, by metric and step. Numbers have as
/// many digits as bring them back. How many points there were.
Result<std::int64_t> exportCsv(const std::filesystem::path& runFolder, const std::filesystem::path& file);

/// A folder with one event file: TFRecords of tensorflow.Event, a scalar each, by step. Its wall time is the run's
/// creation plus the seconds of its clock. How many points there were.
Result<std::int64_t> exportTensorboard(const std::filesystem::path& runFolder, const std::filesystem::path& folder);

/// A record of a TFRecord file: length, its masked CRC-32C, the bytes, their masked CRC-32C; little-endian.
std::string tfRecord(std::string_view bytes);
/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), rotated and shifted as TFRecords want it.
std::uint32_t maskedCrc32c(std::string_view bytes);

}  // namespace strata
