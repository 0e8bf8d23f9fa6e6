// How blocks become pieces of a bounded size.

#include <algorithm>
#include <utility>

#include "widgets/chat/markdown.h"
#include "widgets/chat/safe_text.h"

namespace strata {
namespace {

constexpr qsizetype kSpanCost = 12;  // in characters: what it takes to lay one out beside its text

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

/// Of a block that begins here, where its first part ends: code is cut behind a line, text behind a word.
qsizetype frontOf(const TextBlock& block) {
  const qsizetype size = block.size();
  const QString text = block.text(kParagraphSize + 1);  // the last one tells whether a pair is cut
  if (block.kind == TextBlock::Kind::code) {
    if (size <= kPieceSize) return size;
    const qsizetype line = text.lastIndexOf('\n', kPieceSize - 1);
    return line >= 0 ? line + 1 : cutBefore(text, kPieceSize);
  }
  qsizetype most = 0, cost = 0;  // what many spans cost makes a part shorter
  for (const Span& span : block.spans) {
    cost += span.text.size() + kSpanCost;
    if (cost > kParagraphSize) break;
    most += span.text.size();
  }
  return paragraphCut(text, 0, size, std::max(most, kPieceSize));
}

}  // namespace

qsizetype paragraphCut(const QString& text, qsizetype begin, qsizetype end, qsizetype most) {
  if (end - begin <= kPieceSize) return end;
  const qsizetype last = std::min(end, begin + most);
  qsizetype run = 0, behindWord = begin;
  for (qsizetype at = begin; at < last; ++at) {
    run = text[at].isSpace() ? 0 : run + 1;
    if (run == 0) behindWord = at + 1;
    if (run < kLongWord) continue;
    // A word without end takes long to lay out: what comes before it is a part, and it is cut anywhere.
    return behindWord - begin >= kPieceSize ? behindWord : cutBefore(text, begin + kPieceSize);
  }
  if (last == end) return end;
  return behindWord > begin ? behindWord : cutBefore(text, last);
}

QString TextBlock::text(qsizetype most) const {
  QString text;
  for (auto span = spans.begin(); span != spans.end() && text.size() < most; ++span) {
    text += QStringView(span->text).left(most - text.size());
  }
  return text;
}

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
    const qsizetype cut = std::max(begin + 1, paragraphCut(text, begin, end));
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
  if (lineEnd > 0) return lineEnd;
  return std::max(begin + 1, paragraphCut(text, begin, text.size(), kPieceSize));
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
    for (qsizetype front = frontOf(block); front < block.size(); front = frontOf(block)) {
      add(takeFront(block, std::max<qsizetype>(front, 2)));  // half a surrogate pair of room
    }
    add(std::move(block));
  }
  return pieces;
}

}  // namespace strata
