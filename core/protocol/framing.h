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
#include <utility>

#include "core/base/error.h"

namespace strata {

inline constexpr std::size_t kMostFrameBytes = 16u << 20;
/// What may stand before the first header: ssh banners and the greetings of login shells.
inline constexpr std::size_t kMostBannerBytes = 64u << 10;

/// Header and body.
std::string frameOf(std::string_view body);

class FrameReader {
 public:
  /// A frame over kMostFrameBytes: an error that ends reading, or passed over by its length, keeping none of it but its
  /// start.
  enum class Oversize { error, skip };
  struct Skipped {
    std::size_t bytes = 0;
    std::string start;  // the first kSkippedStart bytes
  };
  static constexpr std::size_t kSkippedStart = 4096;

  explicit FrameReader(Oversize oversize = Oversize::error) : m_oversize(oversize) {}
  void feed(std::string_view bytes) { m_bytes.append(bytes); }
  /// The next whole body; nothing where more bytes are needed. After an error (a header without a length, a frame over
  /// kMostFrameBytes, no header within kMostBannerBytes) the stream cannot be read any further, and every later call
  /// answers the same error.
  Result<std::optional<std::string>> next();
  /// A frame that next() has passed over since the last call.
  std::optional<Skipped> takeSkipped() { return std::exchange(m_skipped, std::nullopt); }
  /// What was skipped before the first header.
  const std::string& banner() const { return m_banner; }
  /// Whether bytes of an unfinished frame are held: an end of input here cuts one in two.
  bool holdsPart() const { return m_bytes.size() > m_begin; }

 private:
  Result<bool> skipBanner();
  bool skipSome();
  Result<std::optional<std::size_t>> readHeader();

  std::string m_bytes, m_banner;
  std::size_t m_begin = 0;              // of what is not read yet
  std::optional<std::size_t> m_length;  // of the frame whose header was read
  bool m_started = false;
  std::optional<Error> m_failed;
  Oversize m_oversize;
  std::size_t m_toSkip = 0;  // of the frame that is being passed over
  Skipped m_skipping;
  std::optional<Skipped> m_skipped;
};

}  // namespace strata
