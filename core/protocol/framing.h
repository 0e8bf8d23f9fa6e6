#pragma once
// Content-Length framing, as the Language Server Protocol has it (LSP 3.17, base protocol): header lines ended by \r\n,
// an empty line, then Content-Length bytes of JSON.
//
//   FrameReader reader;
//   reader.feed(bytes);
//   while (true) { STRATA_TRY(auto body, reader.next()); if (!body) break; … }
// One thread.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace strata {

inline constexpr std::size_t kMostFrameBytes = 16u << 20;
/// What may stand before the first header: ssh banners and the greetings of login shells.
inline constexpr std::size_t kMostBannerBytes = 64u << 10;

/// Header and body.
std::string frameOf(std::string_view body);

class FrameReader {
 public:
  void feed(std::string_view bytes) { m_bytes.append(bytes); }
  /// The next whole body; nothing where more bytes are needed. After an error (a header without a length, a frame over
  /// kMostFrameBytes, no header within kMostBannerBytes) the stream cannot be read any further, and every later call
  /// answers the same error.
  Result<std::optional<std::string>> next();
  /// What was skipped before the first header.
  const std::string& banner() const { return m_banner; }
  /// Whether bytes of an unfinished frame are held: an end of input here cuts one in two.
  bool holdsPart() const { return m_bytes.size() > m_begin; }

 private:
  Result<bool> skipBanner();
  Result<std::optional<std::size_t>> readHeader();

  std::string m_bytes, m_banner;
  std::size_t m_begin = 0;              // of what is not read yet
  std::optional<std::size_t> m_length;  // of the frame whose header was read
  bool m_started = false;
  std::optional<Error> m_failed;
};

}  // namespace strata
