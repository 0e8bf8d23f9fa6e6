#pragma once
// What rounding to codes and reading them back works on, for each instruction set alike.

#include "kernels/kv_codes.h"

namespace strata::kernels::cpu {

struct AppendCodes {
  Element element = Element::f32;
  const void *k = nullptr, *v = nullptr;  // [B, T, Hkv, D]
  KvCodes to;                             // [B, Hkv, capacity, D]
  const std::int64_t* positions = nullptr;
  std::int64_t t = 0, hkv = 0, capacity = 0, d = 0;
};

struct ReadCodes {
  Element element = Element::f32;
  const void *codes = nullptr, *scales = nullptr;  // [rows, capacity, D]
  void* out = nullptr;                             // [rows, n, D]
  std::int64_t n = 0, capacity = 0, d = 0;
};

}  // namespace strata::kernels::cpu
