#pragma once
// SQuAD v1.1 and v2.0 question files in the official schema; plausible_answers and answer positions are not read.

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace strata {

struct SquadQuestion {
  std::string id;
  std::string context;
  std::string question;
  std::vector<std::string> answers;  // gold answers; empty: no answer (v2)
};

struct SquadData {
  bool version2 = false;  // any question is_impossible, or "version" starts with "v2"
  std::vector<SquadQuestion> questions;
};

/// A question id that comes twice is refused. Errors name the path of the broken member ("data[3].paragraphs[0].qas[2]:
/// …").
Result<SquadData> readSquad(const std::filesystem::path& path);

}  // namespace strata
