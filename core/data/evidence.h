#pragma once
// TriviaQA's documents: its files name them, and their texts lie in a folder beside them.
//
//   qa/wikipedia-dev.json          data
//   evidence/wikipedia/NAME.txt    EntityPages
//   evidence/web/NAME.txt          SearchResults

#include <filesystem>
#include <set>
#include <string>

#include "core/base/error.h"
#include "core/data/questions.h"

namespace strata {

/// The folder "evidence" beside `data` or one folder up; empty: there is none.
std::filesystem::path evidenceFolder(const std::filesystem::path& data);

/// Gives the questions with these ids the texts of their documents for passages; `data` is the file that they were read
/// from. Refused: a document that is missing, is no UTF-8 or lies outside the folder.
Result<void> readEvidence(const std::filesystem::path& data, const std::filesystem::path& folder,
                          const std::set<std::string>& ids, QuestionSet& questions);

}  // namespace strata
