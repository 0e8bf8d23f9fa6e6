#pragma once
// What sensitivity measurements and map searches of the project found. They are started by jobs/start, as jobs of the
// kinds sensitivity and search; a map is measured by a search job with the method measure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/map_messages.h"

namespace strata::protocol {

struct ReadSensitivity {
  static constexpr const char* kName = "maps/sensitivity";
  static constexpr const char* kHelp =
      "the project's newest sensitivity matrix of a model, also while it is being measured; a column is base64 of "
      "little-endian float64";
  struct Params {
    std::string model, adapter;
    std::int64_t from = 0;
    template <class V>
    void visit(V& v) {
      v("model", model, "a name of the project, a folder, or a run");
      v("adapter", adapter, "a LoRA folder; empty: none");
      v("from", from, "first row wanted", Range{0, 1e9});
    }
  };
  struct Answer {
    std::string run, created, state, message, modelHash, text, textHash;
    std::int64_t texts = 0, windows = 0, tokens = 0, layers = 0;
    std::optional<double> baselineNll;
    std::int64_t cells = 0, allCells = 0, from = 0, next = 0;
    std::string delta, halfWidth;
    std::string stale;
    std::optional<double> error;
    std::int64_t errorMaps = 0;
    template <class V>
    void visit(V& v) {
      v("run", run, "that measures or measured it; empty: the model has none, and all else is empty");
      v("created", created, "when it was started, as in jobs/list");
      v("state", state, "of the run, as in jobs/list");
      v("message", message, "why it failed or stopped");
      v("model_hash", modelHash, "of the model that was measured");
      v("text", text, "the text's path");
      v("text_hash", textHash, "SHA-256 of the text's file");
      v("texts", texts, "documents in it");
      v("windows", windows, "that it was cut into; intervals are over them");
      v("tokens", tokens, "that were predicted");
      v("layers", layers, "L");
      v("baseline_nll", baselineNll, "nats per token of the full map; null: not measured yet");
      v("cells", cells, "measured so far");
      v("all_cells", allCells, "L(L-1)/2");
      v("from", from, "first row of the columns");
      v("next", next, "row to ask for next; 0: these are the last");
      v("delta", delta,
        "rows of L, row l column s: NLL where layer l alone reads layer s, minus the baseline; NaN: not measured "
        "(column)");
      v("half_width", halfWidth, "likewise, of the 95 % interval; NaN: unknown, of one window (column)");
      v("stale", stale, "why it no longer holds: the model or the text has changed; empty: it holds");
      v("error", error,
        "of the sum of cells as an estimate, the mean absolute difference to the NLL measured, over maps of several "
        "followers on the same model and text; null: none was measured");
      v("error_maps", errorMaps, "that it is the mean of");
    }
  };
};

struct ReadSearch {
  static constexpr const char* kName = "maps/search";
  static constexpr const char* kHelp = "how far a search is, and the best map so far";
  struct Params {
    std::string run;
    template <class V>
    void visit(V& v) {
      v("run", run, "its id");
    }
  };
  struct Answer {
    std::string state, message, method, metric, map, name;
    std::int64_t layers = 0, owners = 0, evaluated = 0;
    std::optional<double> value, halfWidth, full, differenceHalfWidth;
    double seconds = 0;
    template <class V>
    void visit(V& v) {
      v("state", state, "of the run, as in jobs/list");
      v("message", message, "why it failed or stopped");
      v("method", method, "as it was told");
      v("metric", metric, "what is compared: nll, or f1 and the like of a task");
      v("layers", layers, "L; 0: it has not begun");
      v("owners", owners, "that the map may have");
      v("map", map, "the best so far, as text; empty: none was measured");
      v("value", value, "its score");
      v("half_width", halfWidth, "of the 95 % interval of value");
      v("full", full, "score of the full map");
      v("difference_half_width", differenceHalfWidth, "of the 95 % interval of the paired difference value - full");
      v("name", name, "of the stored map, once there is one");
      v("evaluated", evaluated, "maps measured");
      v("seconds", seconds, "that it took so far");
    }
  };
};

}  // namespace strata::protocol
