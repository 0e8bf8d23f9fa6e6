#pragma once
// Data sets: what a file holds and what training would make of it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/model_messages.h"

namespace strata::protocol {

struct DroppedRecord {
  std::string file, reason;
  std::int64_t line = 0;
  template <class V>
  void visit(V& v) {
    v("file", file, "that holds it");
    v("line", line, "where it begins; 0: the file has no lines");
    v("reason", reason, "why");
  }
};

/// Text that is all trained on, or all not.
struct TextPart {
  std::string text;
  bool trained = false;
  template <class V>
  void visit(V& v) {
    v("text", text, "of one or more tokens");
    v("trained", trained, "whether its tokens count in the loss");
  }
};

struct PreviewRow {
  std::int64_t tokens = 0, trained = 0;
  std::vector<TextPart> parts;
  template <class V>
  void visit(V& v) {
    v("tokens", tokens, "of the row");
    v("trained", trained, "of them that count in the loss");
    v("parts", parts, "the rendered text in order");
  }
};

struct LengthBin {
  std::int64_t from = 0, to = 0, rows = 0;
  template <class V>
  void visit(V& v) {
    v("from", from, "tokens, included");
    v("to", to, "tokens, not included");
    v("rows", rows, "how many");
  }
};

/// A key of the records, and what stands under it.
struct DataKey {
  std::string name, sample;
  template <class V>
  void visit(V& v) {
    v("name", name, "of the key");
    v("sample", sample, "its value in the first record, at most 120 characters");
  }
  bool operator==(const DataKey&) const = default;
};

/// What one data set has of another.
struct DataOverlap {
  std::int64_t records = 0, sameRows = 0, samePassages = 0, sameWords = 0;
  template <class V>
  void visit(V& v) {
    v("records", records, "of the set that is looked through");
    v("same_rows", sameRows, "of them that the other has, word for word");
    v("same_passages", samePassages, "other ones of which it has a passage or the prompt");
    v("same_words", sameWords, "other ones of which it has 13 words in a row");
  }
};

struct CheckData {
  static constexpr const char* kName = "data/check";
  static constexpr const char* kHelp =
      "reads a data set as training would; with a model also tokens, cuts and what is trained on; can be cancelled";
  struct Params {
    std::string path;
    std::string model;
    int length = 512;
    bool trainOnPrompt = false;
    std::map<std::string, std::string> columns;
    std::string evalData;
    int preview = 3;
    int skip = 0;
    template <class V>
    void visit(V& v) {
      v("path", path, "a file, or a folder of them");
      v("model", model, "whose tokenizer and template are used; empty: no token counts");
      v("length", length, "tokens a sequence", Range{2, 1e7});
      v("train_on_prompt", trainOnPrompt, "loss on prompts too");
      v("columns", columns, "what the records' keys stand for; empty: recognised");
      v("eval_data", evalData, "a set to measure with: what of it is in this one; empty: none");
      v("preview", preview, "rows to render", Range{0, 50});
      v("skip", skip, "rows before the first of them", Range{0, 1e9});
    }
  };
  struct Answer {
    std::string path, format, refused, hash;
    std::vector<std::string> files;
    std::vector<DataKey> keys;
    std::int64_t records = 0, rows = 0, dropped = 0, duplicates = 0, truncated = 0, tokens = 0, trainedTokens = 0;
    std::int64_t lostPassages = 0;
    bool hasTokens = false;
    std::vector<DroppedRecord> droppedRecords;
    std::vector<LengthBin> lengths;
    std::int64_t medianLength = 0, longestLength = 0;
    std::vector<PreviewRow> preview;
    std::optional<DataOverlap> overlap;
    template <class V>
    void visit(V& v) {
      v("path", path, "absolute");
      v("format", format, "as it was recognised");
      v("refused", refused, "why training would refuse the data; empty: it would not");
      v("hash", hash, "SHA-256 of the file; empty for a folder");
      v("files", files, "that were read");
      v("keys", keys, "of the first record, for mapping columns by hand");
      v("records", records, "read");
      v("rows", rows, "to train on");
      v("dropped", dropped, "records that cannot be used");
      v("duplicates", duplicates, "records equal to an earlier one; they are kept");
      v("truncated", truncated, "rows that lose tokens to the length");
      v("lost_passages", lostPassages, "of them those of questions, which lose passages; question and answer stay");
      v("tokens", tokens, "in all");
      v("trained_tokens", trainedTokens, "of them that count in the loss");
      v("has_tokens", hasTokens, "whether a model was given and its tokens are counted");
      v("dropped_records", droppedRecords, "the first 200");
      v("lengths", lengths, "histogram of the rows' tokens before they are cut");
      v("median_length", medianLength, "tokens");
      v("longest_length", longestLength, "tokens");
      v("preview", preview, "rendered rows");
      v("overlap", overlap, "what of eval_data this set has; null: it was not asked for, or it cannot be read");
    }
  };
};

/// A file of the project's folder, or what the project calls a data set.
struct DataEntry {
  std::string name, path;
  bool added = false;
  std::map<std::string, std::string> columns;
  template <class V>
  void visit(V& v) {
    v("name", name, "of the data set or the file");
    v("path", path, "absolute");
    v("added", added, "whether it is a data set of strata.json, which can be removed from the list");
    v("columns", columns, "what its records' keys stand for; empty: recognised");
  }
  bool operator==(const DataEntry&) const = default;
};

struct ListData {
  static constexpr const char* kName = "data/list";
  static constexpr const char* kHelp = "the project's data sets, and the data files of its folder and of its uploads";
  using Params = Nothing;
  struct Answer {
    std::vector<DataEntry> files;
    template <class V>
    void visit(V& v) {
      v("files", files, "data sets by name, then files");
    }
  };
};

struct AddData {
  static constexpr const char* kName = "data/add";
  static constexpr const char* kHelp =
      "keeps a data set in the project with its mapping, under a name that stands for it in training and evaluation; "
      "one "
      "of the same path is changed";
  struct Params {
    std::string path, name;
    std::map<std::string, std::string> columns;
    template <class V>
    void visit(V& v) {
      v("path", path, "a file, or a folder of them");
      v("name", name, "empty: the one that it has, else the file's, made unlike the others");
      v("columns", columns, "what the records' keys stand for; empty: recognised");
    }
  };
  using Answer = ListData::Answer;
};

struct RemoveData {
  static constexpr const char* kName = "data/remove";
  static constexpr const char* kHelp = "takes a data set out of the project's list; the files stay";
  struct Params {
    std::string name;
    template <class V>
    void visit(V& v) {
      v("name", name, "of the data set");
    }
  };
  using Answer = ListData::Answer;
};

}  // namespace strata::protocol
