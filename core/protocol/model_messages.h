#pragma once
// Projects and models.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/engine_messages.h"

namespace strata::protocol {

/// Which model, opened how. Two requests with equal references share one copy of the weights.
struct ModelRef {
  std::string model;         // a name of the project, a folder, or a run (ID, ID@STEP, DIR/runs/ID)
  std::string adapter = {};  // a LoRA folder
  std::string dtype = {};    // float32 | bfloat16; empty: as stored
  std::string weights = {};  // int8 | int4[:group]; empty: as stored
  std::string kv = {};       // int8 | fp8; empty: the dtype
  std::string device = "cpu";
  std::int64_t context = 0;  // 0: the model's
  template <class V>
  void visit(V& v) {
    v("model", model,
      "a name of the project, a folder, or a run: RUN, RUN@STEP or RUN@latest, its newest checkpoint at each question");
    v("adapter", adapter, "a LoRA folder; empty: none");
    v("dtype", dtype, "float32 or bfloat16; empty: as stored");
    v("weights", weights,
      "rounded when they are loaded: int8 or int4, or with the inputs that share a scale int4:64; empty: as stored");
    v("kv", kv, "the KV cache in 8 bits: int8 or fp8; empty: in the dtype");
    v("device", device, "cpu, cuda[:n] or auto");
    v("context", context, "tokens a sequence may hold; 0: the model's", Range{0, 1e12});
  }
  bool operator==(const ModelRef&) const = default;
};

/// One of the two things that are compared.
struct Side {
  ModelRef ref;
  std::string map = "full";
  template <class V>
  void visit(V& v) {
    v("ref", ref, "the model");
    v("map", map, "the sharing map, as text");
  }
  bool operator==(const Side&) const = default;
};

struct NamedPath {
  std::string name, path;
  template <class V>
  void visit(V& v) {
    v("name", name, "in the project");
    v("path", path, "absolute");
  }
};

struct ProjectInfo {
  std::string folder, name;
  bool sample = false;
  std::vector<NamedPath> models;
  std::optional<Side> a, b;
  std::string notice, launcher;
  template <class V>
  void visit(V& v) {
    v("folder", folder, "absolute");
    v("name", name, "the project's");
    v("sample", sample, "whether it is the user's copy of the sample project");
    v("models", models, "what it calls its models");
    v("a", a, "side A");
    v("b", b, "side B");
    v("notice", notice, "what was found broken and set right; empty: nothing");
    v("launcher", launcher, "what training is started with, as project/set_launcher stored it; empty: none");
  }
};

struct OpenProject {
  static constexpr const char* kName = "project/open";
  static constexpr const char* kHelp =
      "opens a project, the one of later requests; an engine has one project open at a time, others wait for its lock";
  struct Params {
    std::string folder;
    bool create = false;
    template <class V>
    void visit(V& v) {
      v("folder", folder, "the project's; empty: the user's copy of the sample project, made where there is none");
      v("create", create, "makes a new project where nothing or an empty folder is");
    }
  };
  using Answer = ProjectInfo;
};

struct SetSides {
  static constexpr const char* kName = "project/set_sides";
  static constexpr const char* kHelp = "stores sides A and B";
  struct Params {
    std::optional<Side> a = Side{}, b = Side{};  // a Side without a model: the member was left out
    template <class V>
    void visit(V& v) {
      v("a", a, "side A; null: empty; left out: unchanged");
      v("b", b, "side B; null: empty; left out: unchanged");
    }
  };
  using Answer = Nothing;
};

struct SetLauncher {
  static constexpr const char* kName = "project/set_launcher";
  static constexpr const char* kHelp =
      "stores what training is to be started with, such as mpirun -np 8; jobs are not started with it yet";
  struct Params {
    std::string launcher;
    template <class V>
    void visit(V& v) {
      v("launcher", launcher, "one line of at most 1,000 bytes; empty: none");
    }
  };
  using Answer = ProjectInfo;
};

struct AddModel {
  static constexpr const char* kName = "project/add_model";
  static constexpr const char* kHelp = "gives a model folder a name in the project";
  struct Params {
    std::string path, name;
    template <class V>
    void visit(V& v) {
      v("path", path, "the model's folder");
      v("name", name, "empty: the folder's own, made unlike the others");
    }
  };
  using Answer = ProjectInfo;
};

struct RemoveModel {
  static constexpr const char* kName = "project/remove_model";
  static constexpr const char* kHelp = "takes a name out of the project; the files stay";
  struct Params {
    std::string name;
    template <class V>
    void visit(V& v) {
      v("name", name, "the model's");
    }
  };
  using Answer = ProjectInfo;
};

struct SetTemplate {
  static constexpr const char* kName = "project/set_template";
  static constexpr const char* kHelp =
      "gives a model another chat template in this project, for chats, training and evaluation; refused where it does "
      "not parse";
  struct Params {
    ModelRef ref;
    std::string text;
    template <class V>
    void visit(V& v) {
      v("ref", ref, "the model");
      v("text", text, "the template's source; empty: the model's own again");
    }
  };
  using Answer = Nothing;
};

struct ModelEntry {
  std::string model;    // what a ModelRef takes
  std::string adapter;  // likewise
  std::string name;     // for a person
  std::string source;   // project | folder | hub | run | adapter
  std::string path;
  std::string parent;  // of a run or an adapter: the model it was made from
  std::string architecture;
  std::int64_t parameters = 0, bytes = 0;
  int layers = 0;
  std::string problem;  // why it cannot be opened
  template <class V>
  void visit(V& v) {
    v("model", model, "what a request for it names");
    v("adapter", adapter, "likewise; of a LoRA folder");
    v("name", name, "for a person");
    v("source", source, "project, folder, hub (the Hugging Face cache), run or adapter");
    v("path", path, "its folder");
    v("parent", parent, "of a run or an adapter: the model it was made from, as that one's model says");
    v("architecture", architecture, "as config.json names it");
    v("parameters", parameters, "how many");
    v("bytes", bytes, "of the weight files");
    v("layers", layers, "how many");
    v("problem", problem, "why it cannot be opened; empty: it can");
  }
  bool operator==(const ModelEntry&) const = default;
};

struct ListModels {
  static constexpr const char* kName = "models/list";
  static constexpr const char* kHelp =
      "models of the project and its runs, of the Hugging Face cache, and of folders, and LoRA adapters of them that "
      "lie "
      "there; headers are read, no weights";
  struct Params {
    std::vector<std::string> folders;
    template <class V>
    void visit(V& v) {
      v("folders", folders, "further folders to look in, two levels deep");
    }
  };
  struct Answer {
    std::vector<ModelEntry> models;
    std::string hub;
    template <class V>
    void visit(V& v) {
      v("models", models, "by source, then by name");
      v("hub", hub, "the folder of the Hugging Face cache that was looked in");
    }
  };
};

struct MapBytes {
  std::string map;
  int owners = 0;
  std::int64_t kvBytesPerToken = 0;
  template <class V>
  void visit(V& v) {
    v("map", map, "as text");
    v("owners", owners, "layers that keep their own keys and values");
    v("kv_bytes_per_token", kvBytesPerToken, "of a cache under it");
  }
};

/// What config.json and the files' headers say.
struct ModelCard {
  ModelRef ref;
  std::string name, path, architecture, dtype, kvDtype, tokenizer, templateOrigin, defaultMap, problem;
  int layers = 0, width = 0, heads = 0, kvHeads = 0, headDim = 0, ffn = 0;
  std::int64_t vocab = 0, parameters = 0, bytesOnDisk = 0, context = 0, kvBytesPerToken = 0;
  bool tied = false, adapter = false;
  std::vector<MapBytes> maps;
  std::string templateText;
  bool templateEdited = false;
  template <class V>
  void visit(V& v) {
    v("ref", ref, "as asked");
    v("name", name, "for a person");
    v("path", path, "its folder");
    v("architecture", architecture, "as config.json names it");
    v("dtype", dtype, "of the stored weights");
    v("kv_dtype", kvDtype, "of a cache as the model would be opened");
    v("tokenizer", tokenizer, "tokenizer.json, sentencepiece, or empty");
    v("template_origin", templateOrigin, "where the chat template was found");
    v("template_text", templateText, "its source; empty for the built-in one");
    v("template_edited", templateEdited, "whether it is this project's own (project/set_template)");
    v("default_map", defaultMap, "of strata_map.json, else full");
    v("problem", problem, "why chatting is not possible (no tokenizer, a broken template); empty: it is");
    v("layers", layers, "L");
    v("width", width, "C");
    v("heads", heads, "H");
    v("kv_heads", kvHeads, "Hkv");
    v("head_dim", headDim, "D");
    v("ffn", ffn, "F");
    v("vocab", vocab, "V");
    v("parameters", parameters, "how many");
    v("bytes_on_disk", bytesOnDisk, "of the weight files");
    v("context", context, "tokens a sequence may hold");
    v("kv_bytes_per_token", kvBytesPerToken, "under the full map");
    v("tied", tied, "whether the head is the embedding");
    v("adapter", adapter, "whether it is a model with an adapter: a LoRA folder, or a run of one");
    v("maps", maps, "100, 75, 50, 33 and 25 % of the cache, and the model's own map");
  }
};

struct InspectModel {
  static constexpr const char* kName = "models/inspect";
  static constexpr const char* kHelp = "a model's card, without reading weights";
  struct Params {
    ModelRef ref;
    template <class V>
    void visit(V& v) {
      v("ref", ref, "the model");
    }
  };
  using Answer = ModelCard;
};

struct EstimateMemory {
  static constexpr const char* kName = "models/estimate";
  static constexpr const char* kHelp = "predicted memory of serving a model, by part, beside what the device has free";
  struct Params {
    Side side;
    std::int64_t context = 0;
    int users = 1;
    template <class V>
    void visit(V& v) {
      v("side", side, "model and map");
      v("context", context, "tokens of each chat; 0: the model's", Range{0, 1e12});
      v("users", users, "chats at once", Range{1, 1e6});
    }
  };
  struct Answer {
    std::int64_t weights = 0, kv = 0, activations = 0, total = 0, available = 0, deviceTotal = 0;
    template <class V>
    void visit(V& v) {
      v("weights", weights, "bytes");
      v("kv", kv, "bytes");
      v("activations", activations, "bytes");
      v("total", total, "bytes");
      v("available", available, "bytes free on the device; 0: unknown");
      v("device_total", deviceTotal, "bytes of the device; 0: unknown");
    }
  };
};

/// How one program uses an export.
struct ServingUse {
  std::string program, needs, setup, command, check, problem;
  std::int64_t kvBytes = 0, kvBytesFull = 0;
  template <class V>
  void visit(V& v) {
    v("program", program, "Strata, vLLM or transformers");
    v("needs", needs, "what it must have installed, as Markdown; empty: nothing");
    v("setup", setup, "a line before the command: Python's import; empty: none");
    v("command", command, "a line for the shell, or of Python; empty: it cannot use the export");
    v("check", check, "how to tell that it shares, as Markdown");
    v("problem", problem, "what does not work or saves less under this map; empty: nothing");
    v("kv_bytes", kvBytes, "of one full cache under the map");
    v("kv_bytes_full", kvBytesFull, "of one full cache under the full map");
  }
};

struct ExportModel {
  static constexpr const char* kName = "models/export";
  static constexpr const char* kHelp =
      "writes a model with its map as a stock Hugging Face folder, an adapter merged in, or the adapter alone; "
      "progress; "
      "can be cancelled, and then nothing is left";
  struct Params {
    ModelRef ref;
    std::string map, dtype, path;
    bool remoteCode = false, adapterAlone = false;
    std::int64_t context = 0;
    template <class V>
    void visit(V& v) {
      v("ref", ref, "the model; its dtype, weights, kv and device do not matter");
      v("map", map, "as text; empty: the model's own");
      v("dtype", dtype, "float32 or bfloat16 of the weights; empty: as stored");
      v("path", path,
        "the folder, which must not exist or be empty, relative to the project's; empty: a new one in its folder "
        "exports");
      v("remote_code", remoteCode, "writes modeling_strata.py, with which transformers follows the map");
      v("adapter_alone", adapterAlone, "the adapter and how to serve it under the map, without the model");
      v("context", context, "tokens that the answer's bytes are for; 0: the model's", Range{0, 1e12});
    }
  };
  struct Answer {
    std::string path, map;
    int layers = 0, owners = 0;
    std::int64_t bytes = 0, context = 0;
    bool merged = false;
    std::vector<ServingUse> uses;
    template <class V>
    void visit(V& v) {
      v("path", path, "absolute");
      v("map", map, "as text");
      v("layers", layers, "L");
      v("owners", owners, "layers that keep their own keys and values");
      v("bytes", bytes, "of the folder's files");
      v("context", context, "tokens that the bytes of the caches are for");
      v("merged", merged, "whether an adapter was merged in");
      v("uses", uses, "how programs use the folder; README.md in it says the same");
    }
  };
};

struct LoadedModel {
  ModelRef ref;
  std::string name, hash, dtype, device;
  std::int64_t weightBytes = 0, context = 0;
  int layers = 0;
  double seconds = 0;
  template <class V>
  void visit(V& v) {
    v("ref", ref, "as asked");
    v("name", name, "for a person");
    v("hash", hash,
      "SHA-256 over names, dtypes, shapes and data of the weights; with an adapter, over that and its files");
    v("dtype", dtype, "computed in");
    v("device", device, "computed on");
    v("weight_bytes", weightBytes, "allocated for its weights, measured");
    v("context", context, "tokens a sequence may hold");
    v("layers", layers, "L");
    v("seconds", seconds, "that loading took");
  }
};

struct LoadModel {
  static constexpr const char* kName = "models/load";
  static constexpr const char* kHelp = "opens a model; at once where it is open; progress; can be cancelled";
  struct Params {
    ModelRef ref;
    template <class V>
    void visit(V& v) {
      v("ref", ref, "the model");
    }
  };
  using Answer = LoadedModel;
};

struct UnloadModel {
  static constexpr const char* kName = "models/unload";
  static constexpr const char* kHelp = "closes a model and its caches; an answer that is being made ends as cancelled";
  struct Params {
    ModelRef ref;
    template <class V>
    void visit(V& v) {
      v("ref", ref, "as it was loaded");
    }
  };
  using Answer = Nothing;
};

struct ModelsLoaded {
  static constexpr const char* kName = "models/loaded";
  static constexpr const char* kHelp = "sent when a model was opened or closed: all that are open";
  std::vector<LoadedModel> models;
  template <class V>
  void visit(V& v) {
    v("models", models, "all that are open");
  }
};

/// The KV cache of one chat.
struct CacheMemory {
  std::string map;
  std::int64_t tokens = 0, context = 0, used = 0, reserved = 0;
  bool operator==(const CacheMemory&) const = default;
  template <class V>
  void visit(V& v) {
    v("map", map, "that it is held under");
    v("tokens", tokens, "that it holds");
    v("context", context, "tokens that it has room for");
    v("used", used, "bytes of the tokens that it holds");
    v("reserved", reserved, "bytes allocated");
  }
};

struct ModelMemory {
  ModelRef ref;
  std::int64_t weights = 0, activationsPeak = 0;
  std::vector<CacheMemory> caches;
  bool operator==(const ModelMemory&) const = default;
  template <class V>
  void visit(V& v) {
    v("ref", ref, "as it was loaded");
    v("weights", weights, "bytes");
    v("activations_peak", activationsPeak, "the most bytes that a step of an answer took; 0: none was made yet");
    v("caches", caches, "of its chats, those that are being answered among them");
  }
};

struct Memory {
  static constexpr const char* kName = "memory";
  static constexpr const char* kHelp = "bytes in use, when they change, at most four times a second";
  std::string device;
  std::int64_t weights = 0, kv = 0, other = 0, reserved = 0, resident = 0, total = 0, available = 0;
  std::vector<ModelMemory> models;
  template <class V>
  void visit(V& v) {
    v("device", device, "cpu or cuda:0");
    v("weights", weights, "tensors of models");
    v("kv", kv, "tensors of KV caches");
    v("other", other, "activations and the rest");
    v("reserved", reserved, "mapped for tensors, in use or kept for the next");
    v("resident", resident, "resident set of the engine");
    v("total", total, "memory of the device");
    v("available", available, "of it free for use");
    v("models", models, "each open model's part");
  }
};

}  // namespace strata::protocol
