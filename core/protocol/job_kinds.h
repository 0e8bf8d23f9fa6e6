#pragma once
// The kinds of long work that runs as a job: JobInfo::kind.

#include <array>
#include <string_view>

namespace strata {

constexpr const char* kTrainKind = "train";
constexpr const char* kEvalKind = "eval";
constexpr const char* kSearchKind = "search";
constexpr const char* kSensitivityKind = "sensitivity";

struct JobKind {
  const char* name;   // as stored and in the protocol
  const char* label;  // a verb, for a person
  const char* help;   // what it does
};

constexpr std::array<JobKind, 4> kJobKinds = {{
    {kTrainKind, "Train", "trains a model or an adapter with layers that borrow keys and values"},
    {kEvalKind, "Evaluate", "measures a model under several maps"},
    {kSearchKind, "Search", "looks for the map that keeps the most quality at a number of owners"},
    {kSensitivityKind, "Sensitivity", "measures what it costs that one layer borrows from another"},
}};

/// nullptr: none has the name.
constexpr const JobKind* findJobKind(std::string_view name) {
  for (const JobKind& kind : kJobKinds) {
    if (name == kind.name) return &kind;
  }
  return nullptr;
}

}  // namespace strata
