#include "core/text/utf8.h"

#include <algorithm>

namespace strata {
namespace {

bool isTrail(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

// RFC 3629 section 4: what may follow a first byte; the rest of a character is plain trail bytes.
bool mayFollow(unsigned char first, unsigned char second) {
  if (!isTrail(second)) return false;
  if (first == 0xE0) return second >= 0xA0;
  if (first == 0xED) return second <= 0x9F;
  if (first == 0xF0) return second >= 0x90;
  if (first == 0xF4) return second <= 0x8F;
  return true;
}

// 0: no character starts with this byte.
std::size_t lengthOf(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

}  // namespace

Utf8Char readUtf8(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  const std::size_t length = lengthOf(first);
  if (length == 1) return {Utf8Char::Kind::valid, first, 1};
  if (length == 0) return {Utf8Char::Kind::invalid, first, 1};
  char32_t codePoint = first & (0x7F >> length);
  for (std::size_t i = 1; i < std::min(length, bytes.size()); ++i) {
    const bool fits = i == 1 ? mayFollow(first, at(i)) : isTrail(at(i));
    if (!fits) return {Utf8Char::Kind::invalid, first, 1};
    codePoint = (codePoint << 6) | (at(i) & 0x3F);
  }
  if (bytes.size() < length) return {Utf8Char::Kind::incomplete, first, bytes.size()};
  return {Utf8Char::Kind::valid, codePoint, length};
}

void appendUtf8(std::string& text, char32_t codePoint) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (codePoint < 0x80) {
    put(codePoint);
  } else if (codePoint < 0x800) {
    put(0xC0 | (codePoint >> 6));
    put(0x80 | (codePoint & 0x3F));
  } else if (codePoint < 0x10000) {
    put(0xE0 | (codePoint >> 12));
    put(0x80 | ((codePoint >> 6) & 0x3F));
    put(0x80 | (codePoint & 0x3F));
  } else {
    put(0xF0 | (codePoint >> 18));
    put(0x80 | ((codePoint >> 12) & 0x3F));
    put(0x80 | ((codePoint >> 6) & 0x3F));
    put(0x80 | (codePoint & 0x3F));
  }
}

std::size_t brokenLength(std::string_view bytes) {
  for (std::size_t length = std::min<std::size_t>(3, bytes.size()); length > 1; --length) {
    if (readUtf8(bytes.substr(0, length)).kind == Utf8Char::Kind::incomplete) return length;
  }
  return 1;
}

std::string toValidUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const Utf8Char next = readUtf8(bytes.substr(at));
    if (next.kind == Utf8Char::Kind::valid) {
      text.append(bytes, at, next.length);
      at += next.length;
    } else {
      text += kReplacementCharacter;
      at += brokenLength(bytes.substr(at));
    }
  }
  return text;
}

std::optional<std::size_t> findInvalidUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Utf8Char next = readUtf8(text.substr(at));
    if (next.kind != Utf8Char::Kind::valid) return at;
    at += next.length;
  }
  return std::nullopt;
}

}  // namespace strata
