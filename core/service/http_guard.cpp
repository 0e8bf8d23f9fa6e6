#include "core/service/http_guard.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
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

std::optional<std::uint64_t> parseContentLength(std::string_view text) {
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max() : value;
}

bool isLoopback(std::string_view host) {
  const std::string name = withoutPort(host);
  if (name == "localhost" || name == "::1") return true;
  in_addr address{};  // 127.0.0.0/8
  return inet_pton(AF_INET, name.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

std::string tokenProblem(std::string_view token) {
  constexpr std::size_t kLongest = 4096;
  if (token.size() > kLongest) return "is longer than 4096 characters; use a shorter one.";
  const bool visible = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  return visible ? std::string() : "holds spaces, control characters or letters beyond ASCII; use another one.";
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
