#include "widgets/chat/token_text.h"

#include <QCoreApplication>
#include <QStringList>

#include "widgets/chat/safe_text.h"
#include "widgets/style/format.h"

namespace strata {
namespace {

constexpr qsizetype kTokenShown = 24;

/// A token's text in quotes, its line ends to be seen.
QString quotedToken(const std::string& text) {
  QString shown = safeText(text);
  shown.replace('\n', QChar(0x21B5)).replace('\t', QChar(0x21E5));
  return QChar(0x201C) + shown.left(cutBefore(shown, kTokenShown)) + QChar(0x201D);
}

QString listOf(const std::vector<protocol::Alternative>& alternatives) {
  QStringList parts;
  for (const protocol::Alternative& one : alternatives) {
    parts << quotedToken(one.text) + ' ' + formatPercent(one.probability, 1);
  }
  return parts.isEmpty() ? notMeasured() : parts.join(QStringLiteral(" · "));
}

struct Text {
  Q_DECLARE_TR_FUNCTIONS(strata::TokenText)
};

}  // namespace

QString TokenText::lines() const {
  return token + Text::tr("\nA: ") + a + Text::tr("\nB: ") + b;
}

TokenText textOf(const protocol::Compare::Answer& comparison, std::size_t token) {
  const protocol::TokenDifference& read = comparison.tokens[token];
  const auto count = static_cast<std::int64_t>(comparison.tokens.size());
  return {Text::tr("token %1 of %2  %3  KL %4 nats")
              .arg(formatCount(static_cast<std::int64_t>(token) + 1), formatCount(count), quotedToken(read.text),
                   formatNats(read.kl)),
          listOf(read.a), listOf(read.b)};
}

}  // namespace strata
