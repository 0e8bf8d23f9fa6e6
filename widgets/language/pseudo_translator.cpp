#include "widgets/language/pseudo_translator.h"

#include <QRegularExpression>
#include <cmath>
#include <cstring>

namespace strata {
namespace {

constexpr double kLonger = 1.4;

/// Each letter with the one that it becomes; a vowel is doubled with its second form where the text is still too short.
struct Accent {
  char16_t from, to, again;
};
constexpr Accent kAccents[] = {{u'a', u'á', u'à'}, {u'e', u'é', u'è'}, {u'i', u'í', u'ì'}, {u'o', u'ó', u'ò'},
                               {u'u', u'ú', u'ù'}, {u'y', u'ý', 0},    {u'c', u'ç', 0},    {u'n', u'ñ', 0},
                               {u's', u'š', 0},    {u'z', u'ž', 0},    {u'A', u'Á', u'À'}, {u'E', u'É', u'È'},
                               {u'I', u'Í', u'Ì'}, {u'O', u'Ó', u'Ò'}, {u'U', u'Ú', u'Ù'}, {u'C', u'Ç', 0},
                               {u'N', u'Ñ', 0},    {u'S', u'Š', 0},    {u'Z', u'Ž', 0}};

const Accent* accentOf(QChar letter) {
  for (const Accent& accent : kAccents) {
    if (letter == accent.from) return &accent;
  }
  return nullptr;
}

/// What must stay: placeholders, tags, entities, the key of a menu, addresses and commands.
const QRegularExpression& fixedPart() {
  static const QRegularExpression pattern(
      R"(%L?\d{1,2}|%L?n|<[A-Za-z/][^>]*>|&[A-Za-z]+;|&#\d+;|&.|[A-Za-z]+://\S+|\*\.\w+)");
  return pattern;
}

/// `missing`: how many letters are to be added.
QString accented(const QString& part, int& missing) {
  QString result;
  for (const QChar letter : part) {
    const Accent* accent = accentOf(letter);
    result += accent ? QChar(accent->to) : letter;
    if (accent && accent->again && missing > 0) {
      result += QChar(accent->again);
      --missing;
    }
  }
  return result;
}

}  // namespace

QString pseudoText(const QString& text) {
  const auto tab = text.indexOf('\t');  // of a menu: its key comes behind
  const QString words = tab < 0 ? text : text.left(tab);
  QList<std::pair<QString, bool>> parts;  // and whether it stays
  qsizetype at = 0;
  const auto addWords = [&](qsizetype end) {
    if (end > at) parts.append({words.mid(at, end - at), false});
  };
  for (auto match = fixedPart().globalMatch(words); match.hasNext();) {
    const QRegularExpressionMatch fixed = match.next();
    addWords(fixed.capturedStart());
    parts.append({fixed.captured(), true});
    at = fixed.capturedEnd();
  }
  addWords(words.size());
  static const QRegularExpression anyLetter("[A-Za-z]"), noSpace("\\S");
  qsizetype letters = 0;
  for (const auto& [part, stays] : parts) {
    if (!stays && part.contains(anyLetter)) letters += part.count(noSpace);
  }
  int missing = static_cast<int>(std::ceil((kLonger - 1) * static_cast<double>(letters)));
  QString result;
  qsizetype end = 0;  // of the last word
  for (const auto& [part, stays] : parts) {
    const qsizetype begin = result.size();
    result += stays ? part : accented(part, missing);
    if (stays || !part.contains(anyLetter)) continue;
    end = result.size();
    while (end > begin && !result[end - 1].isLetterOrNumber()) --end;
  }
  if (missing > 0) result.insert(end, QString(missing, u'ñ'));  // too few vowels
  return tab < 0 ? result : result + text.mid(tab);
}

PseudoTranslator::PseudoTranslator() {
  (void)m_english.load(":/translations/strata_en.qm");
}

QString PseudoTranslator::translate(const char* context, const char* text, const char* note, int n) const {
  if (std::strncmp(context, "strata", 6) != 0) return {};
  QString english = n >= 0 ? m_english.translate(context, text, note, n) : QString();
  if (english.isEmpty()) english = QString::fromUtf8(text);
  return pseudoText(english);
}

}  // namespace strata
