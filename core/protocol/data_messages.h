#pragma once
// Data sets: what a file holds and what training would make of it.

#include <cstdint>
#include <map>
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
    int preview = 3;
    int skip = 0;
    template <class V>
    void visit(V& v) {
      v("path", path, "a file, or a folder of them");
      v("model", model, "whose tokenizer and template are used; empty: no token counts");
      v("length", length, "tokens a sequence", Range{2, 1e7});
      v("train_on_prompt", trainOnPrompt, "loss on prompts too");
      v("columns", columns, "what the records' keys stand for; empty: recognised");
      v("preview", preview, "rows to render", Range{0, 50});
      v("skip", skip, "rows before the first of them", Range{0, 1e9});
    }
  };
  struct Answer {
    std::string path, format, refused, hash;
    std::vector<std::string> files, keys;
    std::int64_t records = 0, rows = 0, dropped = 0, duplicates = 0, truncated = 0, tokens = 0, trainedTokens = 0;
    bool hasTokens = false;
    std::vector<DroppedRecord> droppedRecords;
    std::vector<LengthBin> lengths;
    std::int64_t medianLength = 0, longestLength = 0;
    std::vector<PreviewRow> preview;
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
      v("tokens", tokens, "in all");
      v("trained_tokens", trainedTokens, "of them that count in the loss");
      v("has_tokens", hasTokens, "whether a model was given and its tokens are counted");
      v("dropped_records", droppedRecords, "the first 200");
      v("lengths", lengths, "histogram of the rows' tokens before they are cut");
      v("median_length", medianLength, "tokens");
      v("longest_length", longestLength, "tokens");
      v("preview", preview, "rendered rows");
    }
  };
};

struct ListData {
  static constexpr const char* kName = "data/list";
  static constexpr const char* kHelp = "data files of the project's folder, and those that were uploaded";
  using Params = Nothing;
  struct Answer {
    std::vector<NamedPath> files;
    template <class V>
    void visit(V& v) {
      v("files", files, "name and path");
    }
  };
};

}  // namespace strata::protocol
