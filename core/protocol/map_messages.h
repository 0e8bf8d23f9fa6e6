#pragma once
// Sharing maps that a project knows: those it stores, and those that an evaluation measured.

#include <cstdint>
#include <string>
#include <vector>

#include "core/protocol/engine_messages.h"

namespace strata::protocol {

struct MapScore {
  std::string metric;
  double value = 0;
  std::int64_t n = 0;
  template <class V>
  void visit(V& v) {
    v("metric", metric, "f1, em, rouge_l, nll, …");
    v("value", value, "0 to 1; of nll nats per token");
    v("n", n, "questions or tokens; 0: unknown");
  }
  bool operator==(const MapScore&) const = default;
};

struct KnownMap {
  std::string name, map, source, model, adapter, run;
  int layers = 0, owners = 0;
  std::vector<MapScore> scores;
  std::string problem;
  template <class V>
  void visit(V& v) {
    v("name", name, "of a stored map; of a measured one its text");
    v("map", map, "as text");
    v("source", source, "stored (a file of maps/) or measured (by an evaluation)");
    v("model", model, "the folder of the model that it is for or was measured on; empty: any of as many layers");
    v("adapter", adapter, "likewise, a LoRA folder");
    v("run", run, "the evaluation's id");
    v("layers", layers, "of the model");
    v("owners", owners, "layers that keep their own keys and values");
    v("scores", scores, "what was measured under it");
    v("problem", problem, "why a file of maps/ cannot be read; empty: it can");
  }
  bool operator==(const KnownMap&) const = default;
};

struct ListMaps {
  static constexpr const char* kName = "maps/list";
  static constexpr const char* kHelp = "the maps that the project stores, and those that its evaluations measured";
  using Params = Nothing;
  struct Answer {
    std::vector<KnownMap> maps;
    template <class V>
    void visit(V& v) {
      v("maps", maps, "stored ones by name, then measured ones, the newest evaluation first");
    }
  };
};

struct PutMap {
  static constexpr const char* kName = "maps/put";
  static constexpr const char* kHelp = "stores a map in the project under a name; one of that name is replaced";
  struct Params {
    std::string name, model;
    Json map;
    template <class V>
    void visit(V& v) {
      v("name", name, "of the file, without .json");
      v("model", model, "the model that it is for; empty: any of as many layers");
      v("map", map, "a map file: {\"format\": \"strata-map\", \"version\": 1, \"layers\", \"src\"}");
    }
  };
  using Answer = Nothing;
};

}  // namespace strata::protocol
