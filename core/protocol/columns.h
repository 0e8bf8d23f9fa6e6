#pragma once
// Columns of numbers in messages: base64 of little-endian float64, so that every number, not-a-number and infinity
// crosses as it is.
//
//   points.value = encodeColumn({2.5, 2.25});
//   STRATA_TRY(const std::vector<double> values, decodeColumn(points.value));

#include <string>
#include <vector>

#include "core/base/error.h"

namespace strata::protocol {

std::string encodeColumn(const std::vector<double>& numbers);
/// ErrorCode::invalidData where it is no base64 of whole numbers of eight bytes.
Result<std::vector<double>> decodeColumn(const std::string& text);

}  // namespace strata::protocol
