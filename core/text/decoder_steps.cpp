#include "core/text/decoder_steps.h"

#include <algorithm>
#include <utility>

#include "core/text/byte_level.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

std::string replaced(std::string_view text, std::string_view pattern, std::string_view content) {
  std::string out;
  for (std::size_t at = 0; at < text.size() || pattern.empty();) {
    const std::size_t found = text.find(pattern, at);
    if (pattern.empty() || found == std::string_view::npos) return out.append(text.substr(at));
    out.append(text.substr(at, found - at)).append(content);
    at = found + pattern.size();
  }
  return out;
}

/// What a token may grow to by replacing: a file could make it grow without bound.
std::size_t mostBytes(std::string_view token) {
  return std::max(token.size(), std::size_t{64} << 20);
}

/// The spaces that BERT's tokenizer put before punctuation and English contractions.
std::string cleanedUp(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kReplacements[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [pattern, content] : kReplacements) text = replaced(text, pattern, content);
  return text;
}

std::optional<char> byteOf(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  unsigned value = 0;
  for (const char c : token.substr(3, 2)) {
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!((lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f'))) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(lower <= '9' ? lower - '0' : lower - 'a' + 10);
  }
  return static_cast<char>(value);
}

}  // namespace

void WholeTokenStep::endToken() {
  token(std::exchange(m_token, {}));
}

void WholeTokenStep::give(std::string_view token) {
  m_out.text(token);
  m_out.endToken();
}

void ByteLevelStep::token(std::string token) {
  m_bytes += byte_level::decode(token);
  drain(false);
}

void ByteLevelStep::finish() {
  drain(true);
  m_out.endToken();
  m_out.finish();
}

void ByteLevelStep::drain(bool all) {
  std::string text;
  std::size_t at = 0;
  while (at < m_bytes.size()) {
    const std::string_view rest = std::string_view(m_bytes).substr(at);
    const Utf8Char next = readUtf8(rest);
    if (next.kind == Utf8Char::Kind::valid) {
      text.append(rest.substr(0, next.length));
      at += next.length;
      continue;
    }
    if (next.kind == Utf8Char::Kind::incomplete && !all) break;
    text += kReplacementCharacter;
    at += brokenLength(rest);
  }
  m_bytes.erase(0, at);
  m_out.text(text);
}

void ByteFallbackStep::token(std::string token) {
  const std::optional<char> byte = byteOf(token);
  if (!byte) {
    endRun();
    give(token);
    return;
  }
  m_bytes += *byte;
  if (m_runs == ByteRuns::whole) return;
  std::size_t at = 0;
  while (at < m_bytes.size()) {
    const Utf8Char next = readUtf8(std::string_view(m_bytes).substr(at));
    if (next.kind == Utf8Char::Kind::incomplete) break;
    const bool valid = next.kind == Utf8Char::Kind::valid;
    give(valid ? std::string_view(m_bytes).substr(at, next.length) : kReplacementCharacter);
    at += valid ? next.length : 1;
  }
  m_bytes.erase(0, at);
}

void ByteFallbackStep::endRun() {
  if (m_bytes.empty()) return;
  if (findInvalidUtf8(m_bytes)) {
    for (std::size_t i = 0; i < m_bytes.size(); ++i) give(kReplacementCharacter);
  } else {
    give(m_bytes);
  }
  m_bytes.clear();
}

void ByteFallbackStep::finish() {
  endRun();
  m_out.finish();
}

void FuseStep::finish() {
  m_out.endToken();
  m_out.finish();
}

MetaspaceStep::MetaspaceStep(DecoderSink& out, char32_t replacement, bool dropsFirst)
    : DecoderStep(out), m_drops(dropsFirst) {
  appendUtf8(m_replacement, replacement);
}

void MetaspaceStep::text(std::string_view fragment) {
  m_out.text(replaced(fragment, m_replacement, m_drops ? "" : " "));
}

void MetaspaceStep::endToken() {
  m_drops = false;
  m_out.endToken();
}

ReplaceStringStep::ReplaceStringStep(DecoderSink& out, std::string pattern, std::string content)
    : DecoderStep(out), m_pattern(std::move(pattern)), m_content(std::move(content)) {}

void ReplaceStringStep::text(std::string_view fragment) {
  m_held += fragment;
  std::string out;
  std::size_t at = 0;
  for (std::size_t found = 0; (found = m_held.find(m_pattern, at)) != std::string::npos;
       at = found + m_pattern.size()) {
    if (out.size() > mostBytes(m_held)) break;
    out.append(m_held, at, found - at).append(m_content);
  }
  std::size_t held = std::min(m_pattern.size() - 1, m_held.size() - at);
  while (held > 0 && !m_pattern.starts_with(std::string_view(m_held).substr(m_held.size() - held))) --held;
  out.append(m_held, at, m_held.size() - held - at);
  m_held.erase(0, m_held.size() - held);
  m_out.text(out);
}

void ReplaceStringStep::endToken() {
  m_out.text(m_held);
  m_held.clear();
  m_out.endToken();
}

ReplaceStep::ReplaceStep(DecoderSink& out, std::shared_ptr<const Pattern> pattern, std::string content)
    : WholeTokenStep(out), m_pattern(std::move(pattern)), m_content(std::move(content)) {}

void ReplaceStep::token(std::string token) {
  std::vector<Stretch> stretches;
  m_pattern->find(token, stretches);
  std::string out;
  for (const Stretch& stretch : stretches) {
    const bool replaces = stretch.matched && out.size() <= mostBytes(token);
    out += replaces ? std::string_view(m_content)
                    : std::string_view(token).substr(stretch.begin, stretch.end - stretch.begin);
  }
  give(out);
}

StripStep::StripStep(DecoderSink& out, char32_t content, std::size_t start, std::size_t stop)
    : DecoderStep(out), m_start(start), m_stop(stop) {
  appendUtf8(m_content, content);
}

void StripStep::text(std::string_view fragment) {
  while (m_atStart && !fragment.empty()) {
    m_atStart = m_stripped < m_start && fragment.starts_with(m_content);
    if (!m_atStart) break;
    fragment.remove_prefix(m_content.size());
    ++m_stripped;
  }
  if (fragment.empty()) return;
  std::size_t trailing = 0;
  std::string_view kept = fragment;
  while (m_stop > 0 && kept.ends_with(m_content)) {
    kept.remove_suffix(m_content.size());
    ++trailing;
  }
  std::string out;
  if (m_stop > 0 && kept.empty()) {
    m_held += trailing;
  } else {
    for (; m_held > 0; --m_held) out += m_content;
    out += kept;
    m_held = trailing;
  }
  for (; m_held > m_stop; --m_held) out.insert(out.end(), m_content.begin(), m_content.end());
  m_out.text(out);
}

void StripStep::endToken() {
  m_held = m_stripped = 0;
  m_atStart = true;
  m_out.endToken();
}

WordPieceStep::WordPieceStep(DecoderSink& out, std::string prefix, bool cleanup)
    : WholeTokenStep(out), m_prefix(std::move(prefix)), m_cleanup(cleanup) {}

void WordPieceStep::token(std::string token) {
  if (!m_first) token = token.starts_with(m_prefix) ? token.substr(m_prefix.size()) : " " + token;
  m_first = false;
  give(m_cleanup ? cleanedUp(std::move(token)) : token);
}

SuffixStep::SuffixStep(DecoderSink& out, std::string suffix) : WholeTokenStep(out), m_suffix(std::move(suffix)) {}

void SuffixStep::token(std::string token) {
  if (m_last) give(replaced(*m_last, m_suffix, " "));
  m_last = std::move(token);
}

void SuffixStep::finish() {
  if (m_last) give(replaced(*m_last, m_suffix, ""));
  m_last.reset();
  m_out.finish();
}

CtcStep::CtcStep(DecoderSink& out, std::string pad, std::string delimiter, bool cleanup)
    : WholeTokenStep(out), m_pad(std::move(pad)), m_delimiter(std::move(delimiter)), m_cleanup(cleanup) {}

void CtcStep::token(std::string token) {
  if (m_previous == token) return;
  std::string out = replaced(token, m_pad, "");
  m_previous = std::move(token);
  if (m_cleanup) out = replaced(cleanedUp(std::move(out)), m_delimiter, " ");
  if (!out.empty()) give(out);
}

void JoinStep::separate() {
  if (!m_inToken && !m_first) m_out.text(" ");
  m_inToken = true;
  m_first = false;
}

void JoinStep::text(std::string_view fragment) {
  separate();
  m_out.text(fragment);
}

void JoinStep::endToken() {
  separate();
  m_inToken = false;
  m_out.endToken();
}

}  // namespace strata
