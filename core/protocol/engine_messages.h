#pragma once
// The engine itself: start, end, cancellation, progress, memory, and the files of its machine.
// Each method is a struct with its name, what it does, Params and Answer; each notification one with its fields.

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/visit.h"

namespace strata::protocol {

/// The parameters or the answer of a method that has none.
struct Nothing {
  template <class V>
  void visit(V&) {}
};

struct Device {
  std::string name;         // cpu | cuda:0
  std::string description;  // "AMD EPYC, 2 threads"
  bool usable = true;
  std::string reason;            // why it is not usable
  std::int64_t memoryBytes = 0;  // in all; 0: unknown

  template <class V>
  void visit(V& v) {
    v("name", name, "cpu or cuda:0");
    v("description", description, "for a person");
    v("usable", usable, "whether it can compute");
    v("reason", reason, "why it cannot");
    v("memory_bytes", memoryBytes, "memory in all; 0: unknown");
  }
};

struct Initialize {
  static constexpr const char* kName = "initialize";
  static constexpr const char* kHelp = "the first request; any other before it is refused, as is another version";
  struct Params {
    int protocolVersion = 0;
    std::string client;
    template <class V>
    void visit(V& v) {
      v("protocolVersion", protocolVersion, "1");
      v("client", client, "name and version of the program that asks");
    }
  };
  struct Answer {
    int protocolVersion = 0;
    std::string version, host, home;
    std::int64_t pid = 0;
    int threads = 0;
    std::vector<Device> devices;
    template <class V>
    void visit(V& v) {
      v("protocolVersion", protocolVersion, "1");
      v("version", version, "of the engine");
      v("host", host, "name of the engine's machine");
      v("home", home, "the user's home folder there");
      v("pid", pid, "process of the engine");
      v("threads", threads, "CPU threads it computes with");
      v("devices", devices, "what it can compute on");
    }
  };
};

struct Shutdown {
  static constexpr const char* kName = "shutdown";
  static constexpr const char* kHelp = "ends the engine after its answer; jobs go on";
  using Params = Nothing;
  using Answer = Nothing;
};

struct Cancel {
  static constexpr const char* kName = "cancel";
  static constexpr const char* kHelp =
      "asks a running request to stop; that one then answers with what it has, or with the error -32800";
  struct Params {
    Json id;
    template <class V>
    void visit(V& v) {
      v("id", id, "of the request");
    }
  };
  struct Answer {
    bool found = false;
    template <class V>
    void visit(V& v) {
      v("found", found, "whether it was still running");
    }
  };
};

struct FolderEntry {
  std::string name;
  bool folder = false;
  bool model = false;    // a folder with config.json
  bool project = false;  // a folder with strata.json
  std::int64_t bytes = 0;
  template <class V>
  void visit(V& v) {
    v("name", name, "within the folder");
    v("folder", folder, "whether it is a folder");
    v("model", model, "whether it is a folder with config.json");
    v("project", project, "whether it is a folder with strata.json");
    v("bytes", bytes, "size of a file");
  }
};

struct ListFolder {
  static constexpr const char* kName = "files/list";
  static constexpr const char* kHelp =
      "what a folder of the engine's machine holds, folders first; hidden files are left out";
  struct Params {
    std::string path;
    template <class V>
    void visit(V& v) {
      v("path", path, "folder; empty: the home folder");
    }
  };
  struct Answer {
    std::string path, parent;
    std::vector<FolderEntry> entries;
    bool more = false;
    template <class V>
    void visit(V& v) {
      v("path", path, "the folder, absolute");
      v("parent", parent, "the folder above; empty at the root");
      v("entries", entries, "at most 2,000");
      v("more", more, "whether there are more");
    }
  };
};

struct PutFile {
  static constexpr const char* kName = "files/put";
  static constexpr const char* kHelp =
      "a piece of a file of the window's machine, into the folder uploads of the project; the pieces come in order, "
      "and "
      "the last one makes the file whole";
  struct Params {
    std::string name, data;
    std::int64_t offset = 0;
    bool last = false;
    template <class V>
    void visit(V& v) {
      v("name", name, "below uploads: train.jsonl, or my-model/config.json");
      v("offset", offset, "bytes that came before; 0 begins anew", Range{0, 1e15});
      v("data", data, "the piece in base64, at most 4 MiB of bytes");
      v("last", last, "whether the file is whole with it");
    }
  };
  struct Answer {
    std::string path;
    std::int64_t bytes = 0;
    template <class V>
    void visit(V& v) {
      v("path", path, "where the whole file is or will be, absolute");
      v("bytes", bytes, "that came so far");
    }
  };
};

struct Progress {
  static constexpr const char* kName = "progress";
  static constexpr const char* kHelp = "how far a long request is, at most ten times a second";
  Json request;
  std::string stage;
  std::int64_t done = 0, total = 0;
  template <class V>
  void visit(V& v) {
    v("request", request, "id of the request");
    v("stage", stage, "what is being done, for a person");
    v("done", done, "of total");
    v("total", total, "0: unknown");
  }
};

}  // namespace strata::protocol
