#include "core/base/base64.h"

#include <openssl/evp.h>

namespace strata {
namespace {

constexpr std::size_t kGroup = 4, kGroupBytes = 3;

}  // namespace

std::string encodeBase64(std::string_view bytes) {
  const std::size_t length = (bytes.size() + kGroupBytes - 1) / kGroupBytes * kGroup;
  std::string text(length + 1, '\0');  // OpenSSL ends it with a zero
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  text.resize(length);
  return text;
}

std::optional<std::string> decodeBase64(std::string_view text) {
  // OpenSSL skips white space at both ends and takes padding anywhere.
  const std::size_t end = text.find_first_of("= \t\r\n");
  const std::size_t padding = end == std::string_view::npos ? 0 : text.size() - end;
  if (text.size() % kGroup != 0 || padding > 2 ||
      text.find_first_not_of('=', text.size() - padding) != std::string_view::npos) {
    return {};
  }
  std::string bytes(text.size() / kGroup * kGroupBytes, '\0');
  const int made = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (made < 0) return {};
  bytes.resize(static_cast<std::size_t>(made) - padding);
  return bytes;
}

}  // namespace strata
