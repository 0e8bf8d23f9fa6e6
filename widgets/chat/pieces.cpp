// How blocks become pieces of a bounded size.

#include <algorithm>
#include <utility>

#include "widgets/chat/markdown.h"
#include "widgets/chat/safe_text.h"

namespace strata {
namespace {

/// The part of a block that fits into `room` characters is returned; the block keeps the rest.
TextBlock takeFront(TextBlock& block, qsizetype room) {
  TextBlock front = block;
  front.spans.clear();
  std::vector<Span> rest;
  for (Span& span : block.spans) {
    if (span.text.size() <= room) {
      room -= span.text.size();
      front.spans.push_back(std::move(span));
      continue;
    }
    const qsizetype cut = std::max<qsizetype>(0, cutBefore(span.text, room));
    if (cut > 0) {
      Span head = span;
      head.text.truncate(cut);
      front.spans.push_back(std::move(head));
      span.text.remove(0, cut);
      if (span.source >= 0) span.source += cut;
    }
    room = 0;
    rest.push_back(std::move(span));
  }
  block.spans = std::move(rest);
  block.continues = true;
  block.marker.clear();
  return front;
}

}  // namespace

qsizetype TextBlock::size() const {
  qsizetype sum = 0;
  for (const Span& span : spans) sum += span.text.size();
  return sum;
}

qsizetype Piece::size() const {
  qsizetype sum = 0;
  for (const TextBlock& block : blocks) sum += block.size() + 1;
  return sum;
}

std::vector<TextBlock> plainBlocks(const QString& text, qsizetype source) {
  std::vector<TextBlock> blocks;
  qsizetype begin = 0;
  bool continues = false;
  qsizetype end = -1;  // of the line; looked for once a line, however many blocks it is
  while (begin < text.size()) {
    if (!continues) end = text.indexOf('\n', begin);
    if (end < 0) end = text.size();
    qsizetype cut = end;
    if (end - begin > kPieceSize) cut = cutBefore(text, begin + kPieceSize);
    TextBlock block;
    block.continues = continues;
    block.spans.push_back({text.mid(begin, cut - begin), source + begin});
    blocks.push_back(std::move(block));
    continues = cut != end;
    begin = continues ? cut : end + 1;
  }
  return blocks;
}

qsizetype sliceEnd(const QString& text, qsizetype begin) {
  const qsizetype most = std::min(text.size(), begin + kPieceSize);
  qsizetype lineEnd = -1;
  int lines = 0;
  for (qsizetype at = begin; at < most; ++at) {
    if (text[at] != u'\n') continue;
    lineEnd = at + 1;
    if (++lines == kSliceLines) return lineEnd;
  }
  if (most == text.size()) return most;
  return lineEnd > 0 ? lineEnd : std::max(begin + 1, cutBefore(text, most));
}

std::vector<Slice> slicesOf(const QString& text) {
  std::vector<Slice> slices;
  for (qsizetype begin = 0; begin < text.size();) {
    const qsizetype end = sliceEnd(text, begin);
    const auto lines = std::count(text.begin() + begin, text.begin() + end, QChar('\n'));
    slices.push_back({begin, end - begin, static_cast<int>(lines) + 1});
    begin = end;
  }
  return slices;
}

Piece pieceOf(const QString& text, const Slice& slice) {
  std::vector<TextBlock> blocks = plainBlocks(text.mid(slice.begin, slice.size), slice.begin);
  if (!blocks.empty() && slice.begin > 0) blocks.front().continues = text[slice.begin - 1] != u'\n';
  return {std::move(blocks), false};
}

std::vector<Piece> piecesOf(std::vector<TextBlock> blocks) {
  std::vector<Piece> pieces;
  qsizetype room = 0;
  constexpr qsizetype kSpanCost = 12;  // in characters: what it takes to lay one out beside its text
  const auto add = [&](TextBlock block) {
    const qsizetype size = block.size() + 1 + kSpanCost * static_cast<qsizetype>(block.spans.size());
    const bool code = block.kind == TextBlock::Kind::code;
    if (pieces.empty() || code || pieces.back().code || size > room) {
      pieces.push_back({{}, code});
      room = kPieceSize;
    }
    room -= size;
    pieces.back().blocks.push_back(std::move(block));
  };
  for (TextBlock& block : blocks) {
    while (block.size() > kPieceSize) add(takeFront(block, kPieceSize));
    add(std::move(block));
  }
  return pieces;
}

}  // namespace strata
