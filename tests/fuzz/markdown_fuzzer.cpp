// Answers as Markdown: no crash, each span's place is inside the text, and pieces keep their bounds and all characters
// of the blocks. Built where Qt is found: widgets/chat/markdown.cpp needs Qt6::Core alone.

#include <cstdint>
#include <cstdlib>

#include "widgets/chat/markdown.h"
#include "widgets/chat/safe_text.h"

namespace {

using namespace strata;

void require(bool condition) {
  if (!condition) std::abort();
}

qsizetype checkBlocks(const std::vector<TextBlock>& blocks, qsizetype size) {
  qsizetype total = 0;
  for (const TextBlock& block : blocks) {
    require(block.indent >= 0 && block.level >= 0 && block.level <= 6);
    for (const Span& span : block.spans) {
      require(span.source >= -1 && span.source <= size);
      total += span.text.size();
    }
  }
  return total;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const QString text = safeText(QString::fromUtf8(reinterpret_cast<const char*>(data), static_cast<qsizetype>(size)));
  std::vector<TextBlock> blocks = parseMarkdown(text);
  checkBlocks(blocks, text.size());
  for (const Piece& piece : piecesOf(std::move(blocks))) {
    checkBlocks(piece.blocks, text.size());
    require(piece.size() <= kPieceSize);
  }
  checkBlocks(plainBlocks(text), text.size());
  qsizetype at = 0;
  for (const Slice& slice : slicesOf(text)) {
    require(slice.begin == at && slice.size >= 0 && slice.begin + slice.size <= text.size());
    at = slice.begin + slice.size;
  }
  return 0;
}
