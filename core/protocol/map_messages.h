#pragma once
// Sharing maps that a project knows: those it stores, and those that an evaluation or a search measured.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/engine_messages.h"

namespace strata::protocol {

struct MapScore {
  std::string metric;
  double value = 0;
  std::int64_t n = 0;
  std::optional<double> halfWidth = {};
  template <class V>
  void visit(V& v) {
    v("metric", metric, "f1, em, rouge_l, nll, …");
    v("value", value, "0 to 1; of nll nats per token");
    v("n", n, "questions or tokens; 0: unknown");
    v("half_width", halfWidth, "of the value's 95 % interval; null: unknown");
  }
  bool operator==(const MapScore&) const = default;
};

struct KnownMap {
  std::string name, map, source, model, adapter, run;
  int layers = 0, owners = 0;
  std::vector<MapScore> scores;
  std::string problem;
  std::string text, textHash;
  template <class V>
  void visit(V& v) {
    v("name", name, "of a stored map; of a measured one its text");
    v("map", map, "as text");
    v("source", source, "stored (a file of maps/) or measured (by an evaluation or a search)");
    v("model", model, "the folder of the model that it is for or was measured on; empty: any of as many layers");
    v("adapter", adapter, "likewise, a LoRA folder");
    v("run", run, "id of the evaluation or search");
    v("layers", layers, "of the model");
    v("owners", owners, "layers that keep their own keys and values");
    v("scores", scores, "what was measured under it");
    v("problem", problem, "why a file of maps/ cannot be read; empty: it can");
    v("text", text, "path of the text or questions that the scores come from; empty: unknown");
    v("text_hash", textHash, "SHA-256 of its file, of a search; scores on other texts are not comparable");
  }
  bool operator==(const KnownMap&) const = default;
};

struct ListMaps {
  static constexpr const char* kName = "maps/list";
  static constexpr const char* kHelp =
      "the maps that the project stores, and those that its evaluations and searches measured";
  struct Params {
    bool trash = false;
    template <class V>
    void visit(V& v) {
      v("trash", trash, "stored maps in the trash instead");
    }
  };
  struct Answer {
    std::vector<KnownMap> maps;
    template <class V>
    void visit(V& v) {
      v("maps", maps, "stored ones by name, then measured ones, the newest run first");
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

struct RenameMap {
  static constexpr const char* kName = "maps/rename";
  static constexpr const char* kHelp = "gives a stored map another name, which no other has";
  struct Params {
    std::string name, to;
    template <class V>
    void visit(V& v) {
      v("name", name, "that it has");
      v("to", to, "that it gets");
    }
  };
  using Answer = Nothing;
};

struct RemoveMap {
  static constexpr const char* kName = "maps/remove";
  static constexpr const char* kHelp =
      "moves a stored map to the project's trash, takes it back, or deletes it there for good";
  struct Params {
    std::string name, how = "trash";
    template <class V>
    void visit(V& v) {
      v("name", name, "of the map; of one in the trash as maps/list tells it");
      v("how", how, "trash, restore or delete");
    }
  };
  struct Answer {
    std::string name;
    template <class V>
    void visit(V& v) {
      v("name", name, "in the trash, or as restored: made unlike the others there");
    }
  };
};

struct ImportMap {
  static constexpr const char* kName = "maps/import";
  static constexpr const char* kHelp = "reads a map file on the engine's machine and stores nothing";
  struct Params {
    std::string path;
    std::int64_t layers = 0;
    template <class V>
    void visit(V& v) {
      v("path", path, "relative to the project's folder");
      v("layers", layers, "of the model that it is meant for; another number is refused; 0: any", Range{0, 1e9});
    }
  };
  struct Answer {
    std::string name, map;
    std::vector<std::int64_t> src;
    Json file;
    template <class V>
    void visit(V& v) {
      v("name", name, "of the file, without .json");
      v("map", map, "as text");
      v("src", src, "of each layer");
      v("file", file, "as it is, for maps/put");
    }
  };
};

struct ExportMap {
  static constexpr const char* kName = "maps/export";
  static constexpr const char* kHelp = "writes a map file on the engine's machine";
  struct Params {
    std::string path;
    Json map;
    template <class V>
    void visit(V& v) {
      v("path", path, "relative to the project's folder; empty: in its folder exports, by the map's name");
      v("map", map, "a map file, or the name of a stored map");
    }
  };
  struct Answer {
    std::string path;
    template <class V>
    void visit(V& v) {
      v("path", path, "what was written");
    }
  };
};

}  // namespace strata::protocol
