#include "core/protocol/framing.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace strata {
namespace {

constexpr std::string_view kLengthHeader = "Content-Length:";
constexpr std::size_t kMostHeaderBytes = 4096;

bool startsWithHeader(std::string_view text) {
  return text.size() >= kLengthHeader.size() &&
         strncasecmp(text.data(), kLengthHeader.data(), kLengthHeader.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

Error broken(std::string message) {
  return {ErrorCode::invalidData, std::move(message), "Content-Length"};
}

}  // namespace

std::string frameOf(std::string_view body) {
  std::string framed = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  framed += body;
  return framed;
}

Result<std::optional<std::string>> FrameReader::next() {
  if (m_failed) return tl::unexpected(*m_failed);
  const auto remember = [this](const Error& error) -> Result<std::optional<std::string>> {
    m_failed = error;
    return tl::unexpected(error);
  };
  if (!m_started) {
    const Result<bool> skipped = skipBanner();
    if (!skipped) return remember(skipped.error());
    if (!*skipped) return std::optional<std::string>();
  }
  if (m_toSkip > 0 && !skipSome()) return std::optional<std::string>();
  if (!m_length) {
    Result<std::optional<std::size_t>> length = readHeader();
    if (!length) return remember(length.error());
    if (!*length) return std::optional<std::string>();
    m_length = *length;
    if (*m_length > kMostFrameBytes) {
      m_toSkip = *m_length;
      m_skipping = {*m_length, {}};
      m_length.reset();
      skipSome();
      return std::optional<std::string>();
    }
  }
  if (m_bytes.size() - m_begin < *m_length) return std::optional<std::string>();
  std::string body = m_bytes.substr(m_begin, *m_length);
  m_begin += *m_length;
  m_length.reset();
  constexpr std::size_t kKept = 64u << 10;  // what was read is dropped now and then, not after each frame
  if (m_begin == m_bytes.size() || m_begin > kKept) {
    m_bytes.erase(0, m_begin);
    m_begin = 0;
  }
  return std::optional<std::string>(std::move(body));
}

/// Passes over what is there of a frame that is too large. True once it is behind.
bool FrameReader::skipSome() {
  const std::string_view there = std::string_view(m_bytes).substr(m_begin, m_toSkip);
  m_skipping.start += there.substr(0, kSkippedStart - m_skipping.start.size());
  m_toSkip -= there.size();
  m_bytes.erase(0, m_begin + there.size());
  m_begin = 0;
  if (m_toSkip > 0) return false;
  m_skipped = std::exchange(m_skipping, {});
  return true;
}

/// Lines before the first header. False where the header may still come.
Result<bool> FrameReader::skipBanner() {
  while (true) {
    const std::string_view rest = std::string_view(m_bytes).substr(m_begin);
    if (startsWithHeader(rest)) {
      m_started = true;
      return true;
    }
    const std::size_t end = rest.find('\n');
    const std::size_t read = end == std::string_view::npos ? rest.size() : end + 1;
    if (m_banner.size() + read > kMostBannerBytes) {
      return tl::unexpected(broken("No message came within the first " + std::to_string(kMostBannerBytes / 1024) +
                                   " KiB; the command that was started is not an engine (strata engine)."));
    }
    if (end == std::string_view::npos) return false;
    m_banner += rest.substr(0, read);
    m_bytes.erase(0, m_begin + read);
    m_begin = 0;
  }
}

/// The length in the header block at m_begin, which is then behind it; nothing while the block is incomplete.
Result<std::optional<std::size_t>> FrameReader::readHeader() {
  const std::string_view rest = std::string_view(m_bytes).substr(m_begin);
  std::optional<std::size_t> length;
  for (std::size_t at = 0;;) {
    const std::size_t end = rest.find('\n', at);
    if (end == std::string_view::npos || end > kMostHeaderBytes) {
      if (rest.size() - at <= kMostHeaderBytes && end == std::string_view::npos) return std::optional<std::size_t>();
      return tl::unexpected(
          broken("A message's header is longer than " + std::to_string(kMostHeaderBytes) + " bytes."));
    }
    const std::string_view line = trimmed(rest.substr(at, end - at));
    at = end + 1;
    if (line.empty()) {
      if (!length) return tl::unexpected(broken("A message has no Content-Length header."));
      m_begin += at;
      return length;
    }
    if (!startsWithHeader(line)) continue;
    const std::string_view digits = trimmed(line.substr(kLengthHeader.size()));
    std::size_t value = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool refused = value > kMostFrameBytes && m_oversize == Oversize::error;
    if (error != std::errc() || stop != digits.data() + digits.size() || digits.empty() || refused) {
      return tl::unexpected(broken("A message's Content-Length is \"" + std::string(digits.substr(0, 40)) +
                                   "\"; it is a whole number of at most " + std::to_string(kMostFrameBytes) + "."));
    }
    length = value;
  }
}

}  // namespace strata
