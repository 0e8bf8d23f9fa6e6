#pragma once
// A person's own words in a report.

#include <string>
#include <vector>

#include "core/report/document.h"

namespace strata {

/// Of Markdown (CommonMark with GitHub's tables): headings, paragraphs, lists, code and tables; emphasis and links are
/// their text alone, HTML stands as it was typed. A paragraph that ends in ":" right before a table is its caption.
std::vector<DocBlock> blocksOfNotes(const std::string& markdown);

}  // namespace strata
