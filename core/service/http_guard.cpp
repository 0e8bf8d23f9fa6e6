#include "core/service/http_guard.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <random>

namespace strata {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

/// "[::1]:8080" and "::1" both give "::1".
std::string withoutPort(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view rest = host.substr(end + 1);
    return rest.empty() || rest.front() == ':' ? lower(host.substr(1, end - 1)) : std::string();
  }
  const std::size_t colon = host.find(':');
  if (colon != host.rfind(':')) return lower(host);  // a bare IPv6 address
  return lower(host.substr(0, colon));
}

std::string machineName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? lower(name.data()) : std::string();
}

}  // namespace

std::string makeToken() {
  std::random_device random;
  std::string token;
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int word = 0; word < 8; ++word) {
    std::uint32_t bits = random();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4) token += kDigits[bits & 15];
  }
  return token;
}

bool carriesToken(std::string_view authorization, std::string_view token) {
  constexpr std::string_view kScheme = "bearer ";
  if (token.empty() || authorization.size() <= kScheme.size()) return false;
  if (lower(authorization.substr(0, kScheme.size())) != kScheme) return false;
  const std::string_view given = authorization.substr(kScheme.size());
  volatile unsigned char difference = given.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto expected = static_cast<unsigned char>(token[i % token.size()]);
    difference = static_cast<unsigned char>(difference | (static_cast<unsigned char>(given[i]) ^ expected));
  }
  return difference == 0;
}

bool namesThisServer(std::string_view hostHeader, const std::string& givenHost, const std::string& reachedAddress) {
  const std::string host = withoutPort(hostHeader);
  if (host.empty()) return false;
  const std::string given = withoutPort(givenHost);
  if (host == "localhost" || host == "127.0.0.1" || host == "::1" || host == given) return true;
  if (!reachedAddress.empty() && host == withoutPort(reachedAddress)) return true;
  return (given == "0.0.0.0" || given == "::") && host == machineName();
}

}  // namespace strata
