#pragma once
// A sensitivity measurement or a search from its configuration to its answer, alone or as a run of a project: the same
// for the command line and for a job.
//
//   STRATA_TRY(const Json answer, searchMaps(config, {model, hash}, &run, hooks));
// A run that was stopped or killed goes on where it was: what it measured is in run.sqlite. Its matrix.json (of a
// sensitivity, or of a search that needed one) and results.json (of a search) can be read meanwhile.

#include <functional>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/config/search_config.h"
#include "core/distributed/communicator.h"
#include "core/model/model.h"
#include "core/project/project.h"

namespace strata {

struct OpenedForSearch {
  std::shared_ptr<const Model> model;
  std::string hash;  // of its weights
  std::string name;  // for people
  /// That maps are shared with: all ranks search alike, and the leading one alone has a run. Null: none.
  Communicator* ranks = nullptr;
};

struct MeasureProgress {
  std::function<bool()> goOn;  // false: stop; the run's stop file is looked at besides
  /// `note`: the best so far, or what is measured.
  std::function<void(std::int64_t done, std::int64_t total, const std::string& note)> onProgress;
};

/// The answer of `strata sensitivity` (design.md section 5). With a run: its state too, also where this is an error.
Result<Json> measureMatrix(const SensitivityConfig& config, const OpenedForSearch& opened, Run* run,
                           const MeasureProgress& progress);

/// The answer of `strata search`: a map file; `measure`: {"results": …}. A search that is stopped answers the best map
/// so far, with "stopped": true, where it has one. The map is stored in the project's maps under config.name, unless
/// it was only measured. With a run: its state too, also where this is an error.
Result<Json> searchMaps(const SearchConfig& config, const OpenedForSearch& opened, Run* run,
                        const MeasureProgress& progress);

/// The number of owners that a retention or a budget means.
Result<int> ownersFor(const SearchConfig& config, const Model& model);

}  // namespace strata
