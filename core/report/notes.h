#pragma once
// A person's own words in a report.

#include <string>
#include <vector>

#include "core/report/document.h"

namespace strata {

/// Of Markdown (CommonMark with GitHub's tables): headings, paragraphs, lists, code and tables. Keeps the text of
/// emphasis, and that of links with where they lead; HTML is shown literally. A paragraph that ends in ":" right before
/// a table is its caption. What stands in a list's item is text of that item, and the rows of its tables are items.
std::vector<DocBlock> blocksOfNotes(const std::string& markdown);

}  // namespace strata
