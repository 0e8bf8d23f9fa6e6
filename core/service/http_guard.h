#pragma once
// Who may ask: requests that carry the token and that name this server as their host, so that neither another user of
// the machine nor a web page in the user's browser (DNS rebinding) gets answers.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace strata {

/// 64 hexadecimal digits from the system's random numbers.
std::string makeToken();

/// Whether an Authorization header is "Bearer TOKEN"; takes the same time wherever the two first differ.
bool carriesToken(std::string_view authorization, std::string_view token);

/// Whether a Host header, with or without a port, names this server: localhost, 127.0.0.1, [::1], the address that the
/// client reached (an address cannot be rebound), the host that the server was given, or, where that is a wildcard
/// (0.0.0.0, ::), the machine's own name.
bool namesThisServer(std::string_view hostHeader, const std::string& givenHost, const std::string& reachedAddress);

/// The value of a Content-Length: decimal digits alone (RFC 9110, 8.6); nothing where it is anything else. A number
/// beyond 64 bits is the largest there is.
std::optional<std::uint64_t> parseContentLength(std::string_view text);

/// Whether only this machine reaches the address.
bool isLoopback(std::string_view host);

/// Why the text cannot be a bearer token; empty where it can: it is sent in a header, so only visible ASCII will do.
std::string tokenProblem(std::string_view token);

}  // namespace strata
