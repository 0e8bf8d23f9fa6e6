// Codes of a KV cache (kernels/kv_codes.h) as fp32 vectors. Included once per instruction set, after vectors.h and
// inside its namespace.

using CodeTag = hn::Rebind<std::int8_t, FloatTag>;
using SignedTag = hn::RebindToSigned<FloatTag>;

inline FloatVector load(const std::int8_t* p) {
  const SignedTag words;
  return hn::ConvertTo(FloatTag(), hn::PromoteTo(words, hn::LoadU(CodeTag(), p)));
}
/// By way of fp16, whose exponent has one bit more and bias 15: it holds each value · 2^-8, the smallest ones too.
inline FloatVector load(const Float8* p) {
  const hn::Rebind<std::uint8_t, FloatTag> bytes;
  const HalfWordTag halves;
  const WordTag words;
  const auto code = hn::PromoteTo(halves, hn::LoadU(bytes, reinterpret_cast<const std::uint8_t*>(p)));
  const auto magnitude = hn::And(code, hn::Set(halves, std::uint16_t{0x7f}));
  const auto sign = hn::ShiftLeft<8>(hn::And(code, hn::Set(halves, std::uint16_t{0x80})));
  const hn::Rebind<hwy::float16_t, FloatTag> half;
  const auto value = hn::PromoteTo(FloatTag(), hn::BitCast(half, hn::Or(sign, hn::ShiftLeft<7>(magnitude))));
  const auto isNaN = hn::Eq(hn::PromoteTo(words, magnitude), hn::Set(words, 0x7fu));
  const auto nan = hn::BitCast(FloatTag(), hn::Set(words, 0x7fc00000u));
  return hn::IfThenElse(hn::RebindMask(FloatTag(), isNaN), nan, hn::Mul(value, hn::Set(FloatTag(), 256.0f)));
}

inline Pair loadPair(const std::int8_t* p) {
  return {load(p), load(p + lanes())};
}
inline Pair loadPair(const Float8* p) {
  return {load(p), load(p + lanes())};
}

/// The first n < lanes() codes, zeros after them.
template <class Code>
FloatVector loadCodesFirst(const Code* p, std::size_t n) {
  HWY_ALIGN Code buffer[hn::MaxLanes(FloatTag())] = {};
  std::memcpy(static_cast<void*>(buffer), static_cast<const void*>(p), n);
  return load(buffer);
}

template <class Code>
Pair loadCodePairFirst(const Code* p, std::size_t n) {
  HWY_ALIGN Code buffer[2 * hn::MaxLanes(FloatTag())] = {};
  std::memcpy(static_cast<void*>(buffer), static_cast<const void*>(p), n);
  return loadPair(buffer);
}
inline Pair loadPairFirst(const std::int8_t* p, std::size_t n) {
  return loadCodePairFirst(p, n);
}
inline Pair loadPairFirst(const Float8* p, std::size_t n) {
  return loadCodePairFirst(p, n);
}
