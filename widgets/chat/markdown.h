#pragma once
// An answer as blocks of marked-up text, and those as pieces that are laid out one by one, so that a long answer costs
// no more at a time than what is seen of it.
//
//   const std::vector<Piece> pieces = piecesOf(parseMarkdown(text));
// Raw HTML stays text, an image is its alternative text, a link is text with a target that nothing follows by itself.
// Values; any thread.

#include <QString>
#include <limits>
#include <vector>

namespace strata {

/// Text of one look.
struct Span {
  QString text;
  qsizetype source = -1;  // where in the answer it stands; -1: nowhere (a bullet, an entity)
  bool bold = false, italic = false, code = false, strike = false;
  QString target = {};  // of a link
  bool operator==(const Span&) const = default;
};

struct TextBlock {
  enum class Kind { paragraph, heading, code, item, rule, tableRow };
  Kind kind = Kind::paragraph;
  int level = 0;           // of a heading: 1 … 6
  int indent = 0;          // of lists and quotes around it
  bool quoted = false;     // inside a quote
  bool continues = false;  // goes on with the paragraph before
  QString marker;          // of a list's item: "•", "1."
  QString language;        // of code
  std::vector<Span> spans;
  qsizetype size() const;
  /// Its first `most` characters, or all that it has.
  QString text(qsizetype most = std::numeric_limits<qsizetype>::max()) const;
  bool operator==(const TextBlock&) const = default;
};

/// What one text view shows: some blocks, or one part of a code block.
struct Piece {
  std::vector<TextBlock> blocks;
  bool code = false;
  qsizetype size() const;
  bool operator==(const Piece&) const = default;
};

/// Characters that a piece holds at most, except for one paragraph of ordinary words, which may have more.
inline constexpr qsizetype kPieceSize = 1024;
/// Characters of such a paragraph that a piece holds at most.
inline constexpr qsizetype kParagraphSize = 4 * kPieceSize;
/// No word of any language is as long.
inline constexpr qsizetype kLongWord = 200;
/// Where the part of a paragraph that begins at `begin` ends: at `end`, or behind a word. `most`: of its characters.
qsizetype paragraphCut(const QString& text, qsizetype begin, qsizetype end, qsizetype most = kParagraphSize);
/// Answers above this are shown as plain text.
inline constexpr qsizetype kMarkdownLimit = 200 * 1024;

/// `text` must be safe (safeText).
std::vector<TextBlock> parseMarkdown(const QString& text);
/// One block a line; a line that is cut (paragraphCut) is several, of which the later ones continue it.
std::vector<TextBlock> plainBlocks(const QString& text, qsizetype source = 0);
std::vector<Piece> piecesOf(std::vector<TextBlock> blocks);

/// Part of a plain text that one view shows: at most kPieceSize characters and kSliceLines line ends.
struct Slice {
  qsizetype begin = 0, size = 0;
  int lines = 1;
};
inline constexpr int kSliceLines = 256;
std::vector<Slice> slicesOf(const QString& text);
/// The end of the first slice of what begins at `begin`.
qsizetype sliceEnd(const QString& text, qsizetype begin);
Piece pieceOf(const QString& text, const Slice& slice);

}  // namespace strata
