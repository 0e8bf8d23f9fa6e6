#include "widgets/chat/safe_text.h"

namespace strata {
namespace {

constexpr char16_t kReplacement = 0xFFFD;
constexpr char16_t kZeroWidthSpace = 0x200B;
constexpr char16_t kControlPictures = 0x2400;
constexpr char16_t kDeletePicture = 0x2421;
constexpr int kMostMarks = 16;

bool reorders(char16_t unit) {  // embeddings, overrides and isolates (UAX #9)
  return (unit >= 0x202A && unit <= 0x202E) || (unit >= 0x2066 && unit <= 0x2069);
}

bool marksDirection(char16_t unit) {
  return unit == 0x200E || unit == 0x200F || unit == 0x061C;
}

/// Noncharacters, of which QTextDocument uses some for frames, and the place of an object.
bool isNone(char16_t unit) {
  return (unit >= 0xFDD0 && unit <= 0xFDEF) || unit == 0xFFFC || unit == 0xFFFE || unit == 0xFFFF;
}

char16_t safeUnit(char16_t unit) {
  if (unit == '\n' || unit == '\t') return unit;
  if (unit == '\r') return ' ';
  if (unit < 0x20) return static_cast<char16_t>(kControlPictures + unit);
  if (unit == 0x7F) return kDeletePicture;
  if (unit >= 0x80 && unit < 0xA0) return kReplacement;
  if (unit == 0x2028 || unit == 0x2029) return '\n';
  if (marksDirection(unit)) return kZeroWidthSpace;
  if (reorders(unit) || isNone(unit)) return kReplacement;
  return unit;
}

/// Drawn on the letter before it.
bool isMark(QChar unit) {
  constexpr char16_t kFirst = 0x300;
  return unit.unicode() >= kFirst &&
         (unit.category() == QChar::Mark_NonSpacing || unit.category() == QChar::Mark_Enclosing);
}

/// Tags (U+E0000…E007F): letters that no font shows.
bool isTag(char16_t high, char16_t low) {
  return high == 0xDB40 && low >= 0xDC00 && low < 0xDC80;
}

}  // namespace

QString safeText(const QString& text) {
  QString safe = text;
  int marks = 0;  // on the letter before
  for (qsizetype i = 0; i < text.size(); ++i) {
    const QChar unit = text[i];
    if (!unit.isSurrogate()) {
      marks = isMark(unit) ? marks + 1 : 0;
      const char16_t shown = marks > kMostMarks ? kReplacement : safeUnit(unit.unicode());
      if (shown != unit.unicode()) safe[i] = QChar(shown);
      continue;
    }
    const bool pair = unit.isHighSurrogate() && i + 1 < text.size() && text[i + 1].isLowSurrogate();
    if (!pair) {
      safe[i] = QChar(kReplacement);
      continue;
    }
    if (isTag(unit.unicode(), text[i + 1].unicode())) {
      safe[i] = QChar(kReplacement);
      safe[i + 1] = QChar(kReplacement);
    }
    ++i;
  }
  return safe;
}

QString safeText(const std::string& utf8) {
  return safeText(QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size())));
}

qsizetype cutBefore(const QString& text, qsizetype wanted) {
  if (wanted >= text.size()) return text.size();
  if (wanted > 0 && text[wanted].isLowSurrogate() && text[wanted - 1].isHighSurrogate()) return wanted - 1;
  return wanted;
}

}  // namespace strata
