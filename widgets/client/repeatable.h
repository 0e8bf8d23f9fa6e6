#pragma once
// Which requests may be sent once more when the engine died over them.

#include <QString>
#include <string_view>

namespace strata {

/// Whether a method only reads, or stores by ids that the window made: doing it twice is doing it once.
bool isRepeatable(std::string_view method);

/// What the engine was doing, for "The engine stopped while …".
QString doing(std::string_view method);

}  // namespace strata
