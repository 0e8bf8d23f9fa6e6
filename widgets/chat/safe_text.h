#pragma once
// Text of a model's answer as it may stand on a screen: nothing in it can hide, reorder or break what is around it.
// One UTF-16 unit becomes one UTF-16 unit, so that places in the answer stay places in the shown text.

#include <QString>
#include <string>

namespace strata {

/// Control characters become their pictures (U+2400 and on), carriage returns and separators line ends or spaces,
/// characters that reorder text or are none U+FFFD, direction marks a zero-width space. Of marks on one letter those
/// past the sixteenth become U+FFFD: no script has as many, and they would be drawn over the lines above and below.
QString safeText(const QString& text);
QString safeText(const std::string& utf8);

/// The largest cut at or below `wanted` that leaves surrogate pairs whole.
qsizetype cutBefore(const QString& text, qsizetype wanted);

}  // namespace strata
