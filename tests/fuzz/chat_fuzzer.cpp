// Conversations of a foreign file through a template into rows: no crash, and what is trained lies where turns lie.
// The first byte chooses the template's habits.

#include <cstdlib>
#include <string_view>

#include "byte_tokenizer.h"
#include "chat_renderers.h"
#include "core/data/records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto json = strata::parseJson({reinterpret_cast<const char*>(data) + 1, size - 1}, "input");
  if (!json) return 0;
  const auto records = strata::recogniseRecord(std::move(*json), {});
  if (!records) return 0;
  strata::testing::PlainRenderer renderer;
  renderer.marks = (data[0] & 1) != 0;
  renderer.dropsThoughts = (data[0] & 2) != 0;
  renderer.opened = (data[0] & 4) != 0 ? "<think>" : "";
  for (const strata::DataRecord& record : *records) {
    if (record.kind != strata::RecordKind::conversation) continue;
    const auto texts = strata::chatTexts(renderer, record.conversation);
    if (!texts) continue;
    for (const strata::ChatText& text : *texts) {
      std::size_t at = 0;
      for (const strata::TextSpan& span : text.learned) {
        if (span.begin < at || span.end < span.begin || span.end > text.text.size()) std::abort();
        at = span.end;
      }
      const strata::ChatIds row = strata::chatIds(strata::testing::ByteTokenizer(), text);
      if (row.ids.size() != text.text.size() || row.trained.size() != row.ids.size()) std::abort();
    }
  }
  return 0;
}
