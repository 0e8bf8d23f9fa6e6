#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/base/files.h"

namespace strata {
namespace {

class Digest {
 public:
  Digest() : m_context(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(m_context.get(), EVP_sha256(), nullptr); }
  void add(std::span<const std::byte> bytes) { EVP_DigestUpdate(m_context.get(), bytes.data(), bytes.size()); }
  std::string finish() {
    std::array<unsigned char, 32> bytes{};
    EVP_DigestFinal_ex(m_context.get(), bytes.data(), nullptr);
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : bytes) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> m_context;
};

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.finish();
}

Result<std::string> sha256OfFile(const std::filesystem::path& path) {
  STRATA_TRY(const auto file, MappedFile::open(path));
  constexpr std::size_t kPiece = 4 << 20;
  Digest digest;
  for (auto rest = file->bytes(); !rest.empty(); rest = rest.subspan(std::min(kPiece, rest.size()))) {
    digest.add(rest.first(std::min(kPiece, rest.size())));
  }
  return digest.finish();
}

}  // namespace strata
