#pragma once
// In what a KV cache holds keys and values: the model's dtype, or 8 bits and a scale for each position of each head
// (kernels/kv_codes.h).
//
//   STRATA_TRY(const KvFormat format, parseKvFormat("int8"));
//   kvBytes(map, shape, tokens, kvStorage(format, 2));

#include <string>

#include "core/base/error.h"

namespace strata {

enum class KvFormat { plain, int8, fp8 };

/// "" (the model's dtype), "int8" or "fp8".
Result<KvFormat> parseKvFormat(const std::string& text);
std::string printKvFormat(KvFormat format);
/// What the cache holds: the format, or with a plain one `dtype`.
std::string kvName(KvFormat format, const std::string& dtype);

/// What a head's D keys or values of one position take: D · elementBytes + scaleBytes.
struct KvStorage {
  int elementBytes = 0, scaleBytes = 0;
  KvStorage(int bytes, int scale = 0) : elementBytes(bytes), scaleBytes(scale) {}  // NOLINT: bytes alone are plain
};
/// `plainBytes`: of an element of the model's dtype.
KvStorage kvStorage(KvFormat format, int plainBytes);

}  // namespace strata
