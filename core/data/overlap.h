#pragma once
// Which records of a data set are also in another: what a model was trained on must not be what it is measured with.
//
//   STRATA_TRY(const OverlapReport overlap, findOverlap(train, heldOut, {}));
// A record overlaps where the other set has an equal one; or one of its passages, or its prompt; or 13 words in a row
// (lower case, without ASCII punctuation, split at white space) that the other set has too and at most 10 records of
// this one: what more of them hold is a phrase of the format. The last is the rule of GPT-3 (Brown et al. 2020,
// appendix C), of which its limit of 10 documents is part.
// Reads both sets, the first one twice; memory: 8 to 12 bytes a word of the other set.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/columns.h"

namespace strata {

enum class OverlapKind { sameRow, samePassage, sameWords };

/// "same row", "same passage or prompt", "13 words in a row"
const char* toString(OverlapKind kind);

struct OverlapRow {
  std::string file;
  std::int64_t line = 0;
  OverlapKind kind = OverlapKind::sameRow;  // the first of these that holds
};

struct OverlapReport {
  std::int64_t records = 0;  // of the first set
  std::int64_t others = 0;   // of the other
  // What of the two could not be read and so was not compared, and the first reason in the other.
  std::int64_t recordsDropped = 0, othersDropped = 0;
  std::string firstDropped;
  std::int64_t sameRows = 0, samePassages = 0, sameWords = 0;
  std::vector<OverlapRow> rows;  // the first 100,000
  bool wordsCut = false;         // the other set has more than 50 million words, and only so many were compared
};

/// Records that cannot be read are left out on both sides and counted; where the other set has none that can, that is
/// an error. Where `columns` fit no record of the other set, its own shape is recognised.
Result<OverlapReport> findOverlap(const std::filesystem::path& data, const std::filesystem::path& other,
                                  const Columns& columns);

}  // namespace strata
