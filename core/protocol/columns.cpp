#include "core/protocol/columns.h"

#include <bit>
#include <cstring>

#include "core/base/base64.h"

namespace strata::protocol {

static_assert(std::endian::native == std::endian::little, "columns are little-endian");

std::string encodeColumn(const std::vector<double>& numbers) {
  return encodeBase64({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)});
}

Result<std::vector<double>> decodeColumn(const std::string& text) {
  const auto bytes = decodeBase64(text);
  if (!bytes || bytes->size() % sizeof(double) != 0) {
    return fail(ErrorCode::invalidData, "A column of numbers is no base64 of float64 values.");
  }
  std::vector<double> numbers(bytes->size() / sizeof(double));
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes->data(), bytes->size());
  return numbers;
}

}  // namespace strata::protocol
