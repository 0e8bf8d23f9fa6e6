#include "core/text/normalizer.h"

#include <algorithm>

#include "core/text/byte_level.h"
#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

constexpr const char* kKnownNormalizers =
    "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Prepend, Replace, ByteLevel, Nmt and "
    "BertNormalizer";

class Sequence final : public Normalizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Normalizer>> parts) : m_parts(std::move(parts)) {}
  void apply(NormalizedText& text) const override {
    for (const auto& part : m_parts) {
      if (text.text.size() <= text.most) part->apply(text);
    }
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> m_parts;
};

/// Writes each character anew.
class CharacterNormalizer final : public Normalizer {
 public:
  using Write = void (*)(char32_t c, std::string& out);
  explicit CharacterNormalizer(Write write) : m_write(write) {}

  void apply(NormalizedText& text) const override {
    std::string out;
    out.reserve(text.text.size());
    std::size_t fromStart = 0;
    const char* const end = text.text.data() + text.text.size();
    for (const char* at = text.text.data(); at != end;) {
      const bool first = static_cast<std::size_t>(at - text.text.data()) < text.fromStart;
      m_write(nextCodePoint(at), out);
      if (first) fromStart = out.size();
    }
    text = {std::move(out), fromStart, text.most};
  }

 private:
  Write m_write;
};

class UnicodeForm final : public Normalizer {
 public:
  explicit UnicodeForm(unicode::Form form) : m_form(form) {}
  void apply(NormalizedText& text) const override {
    std::string out = unicode::normalize(m_form, text.text);
    if (text.fromStart > 0) {
      const std::string first = unicode::normalize(m_form, std::string_view(text.text).substr(0, text.fromStart));
      text.fromStart = std::min(first.size(), out.size());
      // What came later may have been composed with the last character of these.
      while (text.fromStart < out.size() && (static_cast<unsigned char>(out[text.fromStart]) & 0xC0) == 0x80) {
        ++text.fromStart;
      }
    }
    text.text = std::move(out);
  }

 private:
  unicode::Form m_form;
};

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : m_left(left), m_right(right) {}
  void apply(NormalizedText& text) const override {
    std::size_t begin = 0, end = 0;  // of what stays
    bool started = !m_left;
    const char* const last = text.text.data() + text.text.size();
    for (const char* at = text.text.data(); at != last;) {
      const auto start = static_cast<std::size_t>(at - text.text.data());
      if (unicode::isSpace(nextCodePoint(at))) continue;
      if (!started) begin = start;
      started = true;
      end = static_cast<std::size_t>(at - text.text.data());
    }
    if (!started) begin = text.text.size();
    if (!m_right) end = text.text.size();
    text.text = text.text.substr(begin, end > begin ? end - begin : 0);
    text.fromStart = begin < text.fromStart ? std::min(text.fromStart - begin, text.text.size()) : 0;
  }

 private:
  bool m_left, m_right;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string content) : m_content(std::move(content)) {}
  void apply(NormalizedText& text) const override {
    if (text.text.empty()) return;
    text.text.insert(0, m_content);
    if (text.fromStart > 0) text.fromStart += m_content.size();
  }

 private:
  std::string m_content;
};

class Replace final : public Normalizer {
 public:
  Replace(std::unique_ptr<Pattern> pattern, std::string content)
      : m_pattern(std::move(pattern)), m_content(std::move(content)) {}
  void apply(NormalizedText& text) const override {
    std::vector<Stretch> stretches;
    m_pattern->find(text.text, stretches);
    std::string out;
    out.reserve(text.text.size());
    std::size_t fromStart = 0;
    for (const Stretch& stretch : stretches) {
      if (stretch.matched && out.size() <= text.most) {
        out += m_content;
      } else {
        out.append(text.text, stretch.begin, stretch.end - stretch.begin);
      }
      // What replaces a stretch counts as coming from where the stretch's last character does.
      if (stretch.matched && stretch.end <= text.fromStart && text.fromStart > 0) fromStart = out.size();
      if (!stretch.matched && stretch.begin < text.fromStart && fromStart + stretch.end - stretch.begin == out.size()) {
        fromStart = out.size() - (stretch.end - std::min(stretch.end, text.fromStart));
      }
    }
    text = {std::move(out), fromStart, text.most};
  }

 private:
  std::unique_ptr<Pattern> m_pattern;
  std::string m_content;
};

void writeLower(char32_t c, std::string& out) {
  unicode::appendLower(out, c);
}

void writeUnaccented(char32_t c, std::string& out) {
  if (!unicode::isCombiningMark(c)) appendUtf8(out, c);
}

void writeWithoutNonspacing(char32_t c, std::string& out) {
  if (!unicode::isNonspacingMark(c)) appendUtf8(out, c);
}

void writeBytes(char32_t c, std::string& out) {
  std::string bytes;
  appendUtf8(bytes, c);
  out += byte_level::encode(bytes);
}

void writeNmt(char32_t c, std::string& out) {
  const auto between = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (between(1, 8) || c == 0xB || between(0xE, 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F) return;
  const bool space = c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == 0x1680 || between(0x200B, 0x200F) ||
                     c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
  appendUtf8(out, space ? U' ' : c);
}

void writeClean(char32_t c, std::string& out) {
  if (c == '\t' || c == '\n' || c == '\r') {
    out += ' ';
  } else if (c != 0 && c != 0xFFFD && !unicode::isControl(c)) {
    appendUtf8(out, unicode::isSpace(c) ? U' ' : c);
  }
}

void writeChineseApart(char32_t c, std::string& out) {
  const auto between = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  const bool chinese = between(0x4E00, 0x9FFF) || between(0x3400, 0x4DBF) || between(0x20000, 0x2A6DF) ||
                       between(0x2A700, 0x2B73F) || between(0x2B740, 0x2B81F) || between(0x2B920, 0x2CEAF) ||
                       between(0xF900, 0xFAFF) || between(0x2F800, 0x2FA1F);
  if (chinese) out += ' ';
  appendUtf8(out, c);
  if (chinese) out += ' ';
}

std::unique_ptr<Normalizer> each(CharacterNormalizer::Write write) {
  return std::make_unique<CharacterNormalizer>(write);
}

Result<std::unique_ptr<Normalizer>> makeBert(const Component& component) {
  STRATA_TRY(const bool clean, component.flag("clean_text"));
  STRATA_TRY(const bool chinese, component.flag("handle_chinese_chars"));
  STRATA_TRY(const bool lowercase, component.flag("lowercase"));
  STRATA_TRY(const bool accents, component.flag("strip_accents", lowercase));
  std::vector<std::unique_ptr<Normalizer>> parts;
  if (clean) parts.push_back(each(writeClean));
  if (chinese) parts.push_back(each(writeChineseApart));
  if (accents) {
    parts.push_back(std::make_unique<UnicodeForm>(unicode::Form::nfd));
    parts.push_back(each(writeWithoutNonspacing));
  }
  if (lowercase) parts.push_back(each(writeLower));
  return std::make_unique<Sequence>(std::move(parts));
}

}  // namespace

Result<std::unique_ptr<Normalizer>> makeNormalizer(const Component& component) {
  STRATA_TRY(const std::string type, component.type());
  if (type == "Sequence") {
    std::vector<std::unique_ptr<Normalizer>> parts;
    STRATA_TRY(const std::vector<Component> children, component.parts("normalizers"));
    for (const Component& child : children) {
      STRATA_TRY(auto part, makeNormalizer(child));
      parts.push_back(std::move(part));
    }
    return std::make_unique<Sequence>(std::move(parts));
  }
  if (type == "NFC") return std::make_unique<UnicodeForm>(unicode::Form::nfc);
  if (type == "NFD") return std::make_unique<UnicodeForm>(unicode::Form::nfd);
  if (type == "NFKC") return std::make_unique<UnicodeForm>(unicode::Form::nfkc);
  if (type == "NFKD") return std::make_unique<UnicodeForm>(unicode::Form::nfkd);
  if (type == "Lowercase") return each(writeLower);
  if (type == "StripAccents") return each(writeUnaccented);
  if (type == "ByteLevel") return each(writeBytes);
  if (type == "Nmt") return each(writeNmt);
  if (type == "BertNormalizer") return makeBert(component);
  if (type == "Strip") {
    STRATA_TRY(const bool left, component.flag("strip_left"));
    STRATA_TRY(const bool right, component.flag("strip_right"));
    return std::make_unique<Strip>(left, right);
  }
  if (type == "Prepend") {
    STRATA_TRY(std::string content, component.text("prepend"));
    return std::make_unique<Prepend>(std::move(content));
  }
  if (type == "Replace") {
    STRATA_TRY(auto pattern, component.pattern("pattern"));
    STRATA_TRY(std::string content, component.text("content"));
    return std::make_unique<Replace>(std::move(pattern), std::move(content));
  }
  return component.unsupported(type, kKnownNormalizers);
}

}  // namespace strata
