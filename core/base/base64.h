#pragma once
// Base64 of RFC 4648, section 4: with padding and nothing between.

#include <optional>
#include <string>
#include <string_view>

namespace strata {

std::string encodeBase64(std::string_view bytes);
/// Nothing where the text is no base64.
std::optional<std::string> decodeBase64(std::string_view text);

}  // namespace strata
