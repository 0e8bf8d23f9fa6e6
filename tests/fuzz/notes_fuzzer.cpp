// A person's own words in a report: no crash, and every row of a table has as many cells as the table has columns.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/report/notes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata;
  for (const DocBlock& block : blocksOfNotes(std::string(reinterpret_cast<const char*>(data), size))) {
    const auto* table = std::get_if<DocTable>(&block);
    if (table == nullptr) continue;
    if (table->columns.empty()) std::abort();
    for (const auto& row : table->rows) {
      if (row.size() != table->columns.size()) std::abort();
    }
  }
  return 0;
}
