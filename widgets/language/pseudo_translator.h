#pragma once
// A language for tests: English with accents, 40 % longer. A text that stays as it was is missing its tr(), one that is
// cut off has no room for a translation.

#include <QTranslator>

namespace strata {

/// "Open %1" -> "Óòpééñ %1". Placeholders, tags, entities, the key after & and what follows a tab stay.
QString pseudoText(const QString& text);

class PseudoTranslator : public QTranslator {
 public:
  PseudoTranslator();
  bool isEmpty() const override { return false; }
  /// Of Strata's own texts alone: Qt's are others' concern.
  QString translate(const char* context, const char* text, const char* note, int n) const override;

 private:
  QTranslator m_english;  // its plurals
};

}  // namespace strata
