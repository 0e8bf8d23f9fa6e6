#pragma once
// Options are plain structs with commented defaults and one visit() that names and describes every field once. The
// command line and its --help, the JSON form, the window's form and the reports are driven by it, so that they cannot
// disagree.
//
//   struct GenerateConfig {
//     int maxTokens = 128;
//     template <class V>
//     void visit(V& v) {
//       v("max-tokens", maxTokens, Meta{.label = "Longest answer", .group = "Answer", .unit = "tokens", .range = {1,
//       1e7},
//                                       .why = "An answer is cut off here.", .help = "new tokens at most"});
//     }
//   };
//
// Fields are bool, int, std::int64_t, std::uint64_t, double, std::string, std::optional of those,
// std::vector<std::string>, or std::map<std::string, std::string>; in messages (core/protocol) also Json, a struct with
// a visit() of its own, and vectors of all these. Messages are for programs and describe their fields more shortly:
// (name, field, help) and (name, field, help, Range). A visitor takes both forms, by metaOf():
//
//   template <class T, class... Description>
//   void operator()(const char* name, T& value, const Description&... description) {
//     const Meta meta = metaOf(description...);

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

/// Allowed values of a number, both ends included.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

/// One value of a text field that has only a few.
struct Choice {
  const char* value;         // as written; of an open one an example; "": the field may be left open
  const char* label;         // for people
  const char* pattern = "";  // open: up to its colon as it stands, then free: "window:w"; without a colon all free
};

/// What a field is, for people. All texts live as long as the program.
struct Meta {
  const char* label = "";                // at most four words, sentence case
  const char* group = "";                // a step of the wizard, a section of the form and of the help
  const char* unit = "";                 // "tokens", "steps"
  std::span<const Choice> choices = {};  // empty: any text
  Range range = {};
  bool more = false;        // folded under "More"
  bool path = false;        // of a file or folder, which can be browsed for
  bool positional = false;  // the command line names it by place, not by --name
  const char* open = "";    // what an unset value means: "default .1; LoRA 0"
  const char* why = "";     // one sentence of reason, for a person who is no expert
  const char* help = "";    // a few words for the command line
};

inline Meta metaOf(const Meta& meta) {
  return meta;
}
inline Meta metaOf(const char* help, const Range& range = {}) {
  return {.range = range, .help = help};
}

/// Whether a text is one of the choices, or begins as an open one does (the checker of the config knows the rest).
bool isChoice(const std::string& text, std::span<const Choice> choices);
/// "cosine, linear, constant": patterns where there are, without the open value.
std::string printChoices(std::span<const Choice> choices, const char* separator = ", ");
/// "0 … 1", "1 or more", "at most 4".
std::string printRange(const Range& range);

/// The fields of any config as JSON, in visiting order. Unset optionals are null.
template <class Config>
Json configToJson(Config config);

enum class UnknownKeys { refuse, ignore };

/// Fills `config` from JSON; what the JSON leaves out stays as it is, and so does all of `config` on an error. Unknown
/// keys (unless they are to be ignored), wrong types, values out of range and words that are no choice are refused by
/// name; `where` names the source.
template <class Config>
Result<void> configFromJson(const Json& json, const std::string& where, Config& config,
                            UnknownKeys unknown = UnknownKeys::refuse);

/// Checks every Range and every choice.
template <class Config>
Result<void> checkRanges(Config config);

}  // namespace strata

#include "core/config/visit_impl.h"
