#pragma once
// Text from files and models, safe for a terminal: an escape sequence in a tensor's name or in an answer must not move
// the cursor, set the window's title or write to the clipboard.

#include <string>
#include <string_view>

namespace strata {

/// The text with U+FFFD for each control character (C0, DEL, C1) and each byte that is not UTF-8. Newlines and tabs
/// stay; CR LF becomes a newline.
std::string terminalText(std::string_view text);

/// The same for a line of JSON, as escapes (\u007f to \u009f): a reader still gets the exact text.
std::string terminalJson(std::string line);

}  // namespace strata
