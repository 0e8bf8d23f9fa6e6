#pragma once
// An export: a model, a model with an adapter merged in, a run, or an adapter alone, as a folder for other programs.
// `strata export` and the window (models/export) both come here.
//
//   STRATA_TRY(const Exported done, exportTo({.model = "routed", .map = "stride:2", .out = "exported"}, project,
//   tell));

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/report/report.h"
#include "core/routing/sharing_map.h"

namespace strata {

struct ExportRequest {
  std::string model;         // a folder, a GGUF file, a run, or a name of the project
  std::string adapter = {};  // a LoRA folder; of a LoRA run empty
  std::string map = {};      // empty: the model's own, else full
  std::string dtype = {};    // float32 | bfloat16 of the weights; empty: as they came
  std::string card = {};     // a report's JSON, of which README.md becomes a model card
  bool remoteCode = false;   // writes modeling_strata.py
  bool adapterAlone = false;
  /// Must not exist or be empty; empty: in the project's folder exports, named by model and map.
  std::filesystem::path out = {};
};

struct Exported {
  std::filesystem::path folder, original;  // absolute; where names and dtypes came from
  std::string mapName;
  SharingMap map;
  bool merged = false;
  std::int64_t bytes = 0;             // of the folder's files
  std::int64_t context = 0;           // tokens that the figures below are for
  std::vector<ServingUse> uses = {};  // with the folder's absolute path
  /// Bytes of one full cache in each use, under the map and under the full one.
  std::vector<std::int64_t> kv = {}, kvFull = {};
};

using ExportProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// `context`: tokens of Exported::kv; 0: the model's. On any error, and when cancelled, nothing is left.
Result<Exported> exportTo(const ExportRequest& request, const std::optional<std::filesystem::path>& project,
                          std::int64_t context, const std::atomic<bool>& cancelled,
                          const ExportProgress& progress = {});

}  // namespace strata
