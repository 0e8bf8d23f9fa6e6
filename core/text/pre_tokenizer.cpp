#include "core/text/pre_tokenizer.h"

#include <algorithm>

#include "core/text/byte_level.h"
#include "core/text/unicode.h"
#include "core/text/utf8.h"
#include "core/text/word_scanners.h"

namespace strata {
namespace {

constexpr const char* kKnownPreTokenizers =
    "Sequence, ByteLevel, Split, Metaspace, Digits, Whitespace, WhitespaceSplit, Punctuation, CharDelimiterSplit, "
    "BertPreTokenizer and FixedLength";

/// Gives words that ByteLevel left as bytes their characters, for what comes after it.
void spellBytes(Words& words) {
  if (!words.bytes) return;
  Words spelled;
  spelled.most = words.most;
  for (const Word& word : words.words) {
    const std::string_view bytes = std::string_view(words.text).substr(word.begin, word.end - word.begin);
    const std::size_t begin = spelled.text.size();
    spelled.text += byte_level::encode(bytes);
    const std::size_t fromStart = byte_level::encode(bytes.substr(0, word.fromStart)).size();
    spelled.words.push_back({begin, spelled.text.size(), fromStart});
  }
  words = std::move(spelled);
}

void split(Words& words, const Pattern& pattern, SplitBehavior behavior, bool invert) {
  std::vector<Word> out;
  std::vector<Stretch> stretches;
  for (const Word& word : words.words) {
    stretches.clear();
    pattern.find(std::string_view(words.text).substr(word.begin, word.end - word.begin), stretches);
    if (invert) {
      for (Stretch& stretch : stretches) stretch.matched = !stretch.matched;
    }
    applyBehavior(behavior, stretches);
    out.reserve(out.size() + stretches.size());
    for (const Stretch& stretch : stretches) {
      if (stretch.matched || stretch.begin == stretch.end) continue;
      const std::size_t fromStart = word.fromStart > stretch.begin ? word.fromStart - stretch.begin : 0;
      out.push_back(
          {word.begin + stretch.begin, word.begin + stretch.end, std::min(fromStart, stretch.end - stretch.begin)});
    }
  }
  words.words = std::move(out);
}

/// Writes `prefix` before each word that `wants` it.
template <class Wants>
void prefixWords(Words& words, const std::string& prefix, Wants wants) {
  Words out;
  out.most = words.most;
  out.text.reserve(words.text.size() + prefix.size());
  for (const Word& word : words.words) {
    const std::string_view text = std::string_view(words.text).substr(word.begin, word.end - word.begin);
    const std::size_t begin = out.text.size();
    const bool prefixed = !text.empty() && wants(text, word);
    if (prefixed) out.text += prefix;
    out.text += text;
    out.words.push_back(
        {begin, out.text.size(), word.fromStart + (prefixed && word.fromStart > 0 ? prefix.size() : 0)});
  }
  words = std::move(out);
}

class Sequence final : public PreTokenizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PreTokenizer>> parts) : m_parts(std::move(parts)) {}
  void apply(Words& words) const override {
    for (const auto& part : m_parts) {
      if (words.text.size() <= words.most) part->apply(words);
    }
  }
  // An expression, then the bytes: what GPT-2's descendants have.
  bool looksOneWordAhead() const override {
    return m_parts.size() == 2 && m_parts[0]->looksOneWordAhead() && m_parts[1]->onlyMarksBytes();
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> m_parts;
};

class Split final : public PreTokenizer {
 public:
  Split(std::unique_ptr<Pattern> pattern, SplitBehavior behavior, bool invert)
      : m_pattern(std::move(pattern)), m_behavior(behavior), m_invert(invert) {}
  void apply(Words& words) const override {
    spellBytes(words);
    split(words, *m_pattern, m_behavior, m_invert);
  }
  bool looksOneWordAhead() const override {
    return m_behavior == SplitBehavior::isolated && m_pattern->looksOneStretchAhead();
  }

 private:
  std::unique_ptr<Pattern> m_pattern;
  SplitBehavior m_behavior;
  bool m_invert;
};

class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool addPrefixSpace, bool useExpression)
      : m_addPrefixSpace(addPrefixSpace), m_expression(useExpression ? wordScanner(kGpt2Expression) : nullptr) {}
  void apply(Words& words) const override {
    spellBytes(words);
    if (m_addPrefixSpace) {
      prefixWords(words, " ", [](std::string_view word, const Word&) { return !word.starts_with(' '); });
    }
    if (m_expression) split(words, *m_expression, SplitBehavior::isolated, false);
    words.bytes = true;
  }
  bool looksOneWordAhead() const override { return !m_addPrefixSpace && m_expression != nullptr; }
  bool onlyMarksBytes() const override { return !m_addPrefixSpace && m_expression == nullptr; }

 private:
  bool m_addPrefixSpace;
  std::unique_ptr<Pattern> m_expression;
};

enum class PrependScheme { always, never, first };

class Metaspace final : public PreTokenizer {
 public:
  Metaspace(char32_t replacement, PrependScheme scheme, bool splits)
      : m_scheme(scheme), m_splits(splits), m_pattern(characterPattern(replacement)) {
    appendUtf8(m_replacement, replacement);
  }

  void apply(Words& words) const override {
    spellBytes(words);
    replaceSpaces(words);
    if (m_scheme != PrependScheme::never) {
      prefixWords(words, m_replacement, [&](std::string_view text, const Word& word) {
        return !text.starts_with(m_replacement) && (m_scheme == PrependScheme::always || word.fromStart > 0);
      });
    }
    if (m_splits) split(words, *m_pattern, SplitBehavior::mergedWithNext, false);
  }

 private:
  void replaceSpaces(Words& words) const {
    Words out;
    out.most = words.most;
    out.text.reserve(words.text.size() + words.text.size() / 2);
    for (const Word& word : words.words) {
      Word copy{out.text.size(), 0, 0};
      for (std::size_t at = word.begin; at < word.end; ++at) {
        if (words.text[at] == ' ') {
          out.text += m_replacement;
        } else {
          out.text += words.text[at];
        }
        if (at < word.begin + word.fromStart) copy.fromStart = out.text.size() - copy.begin;
      }
      copy.end = out.text.size();
      out.words.push_back(copy);
    }
    words = std::move(out);
  }

  std::string m_replacement;
  PrependScheme m_scheme;
  bool m_splits;
  std::unique_ptr<Pattern> m_pattern;
};

/// \w+|[^\w\s]+ where the zero-width joiners count as word characters.
class Whitespace final : public PreTokenizer {
 public:
  void apply(Words& words) const override {
    spellBytes(words);
    split(words, *m_space, SplitBehavior::removed, false);
    split(words, *m_word, SplitBehavior::contiguous, false);
  }

 private:
  static bool isWord(char32_t c) { return unicode::isWord(c) || c == 0x200C || c == 0x200D; }
  std::unique_ptr<Pattern> m_space = characterPattern(unicode::isSpace);
  std::unique_ptr<Pattern> m_word = characterPattern(isWord);
};

class BertPreTokenizer final : public PreTokenizer {
 public:
  void apply(Words& words) const override {
    spellBytes(words);
    split(words, *m_space, SplitBehavior::removed, false);
    split(words, *m_punctuation, SplitBehavior::isolated, false);
  }

 private:
  std::unique_ptr<Pattern> m_space = characterPattern(unicode::isSpace);
  std::unique_ptr<Pattern> m_punctuation = characterPattern(unicode::isPunctuation);
};

/// A match for each run of so many characters.
class FixedLengthPattern final : public Pattern {
 public:
  explicit FixedLengthPattern(std::size_t length) : m_length(length) {}
  void find(std::string_view text, std::vector<Stretch>& stretches) const override {
    std::size_t count = 0, begin = 0;
    for (const char* at = text.data(); at != text.data() + text.size();) {
      nextCodePoint(at);
      const auto end = static_cast<std::size_t>(at - text.data());
      if (++count % m_length != 0 && end != text.size()) continue;
      stretches.push_back({begin, end, false});
      begin = end;
    }
  }

 private:
  std::size_t m_length;
};

std::unique_ptr<PreTokenizer> splitter(std::unique_ptr<Pattern> pattern, SplitBehavior behavior) {
  return std::make_unique<Split>(std::move(pattern), behavior, false);
}

Result<std::unique_ptr<PreTokenizer>> makeMetaspace(const Component& component) {
  STRATA_TRY(const char32_t replacement, component.character("replacement"));
  PrependScheme scheme = PrependScheme::always;
  if (component.has("prepend_scheme")) {
    STRATA_TRY(const std::string name, component.text("prepend_scheme"));
    if (name != "always" && name != "never" && name != "first") {
      return component.refuse("must have always, never or first as \"prepend_scheme\"");
    }
    scheme = name == "never" ? PrependScheme::never : name == "first" ? PrependScheme::first : PrependScheme::always;
  }
  if (component.has("add_prefix_space")) {
    STRATA_TRY(const bool prefix, component.flag("add_prefix_space"));
    if (!prefix && component.has("prepend_scheme") && scheme != PrependScheme::never) {
      return component.refuse("has an \"add_prefix_space\" that contradicts its \"prepend_scheme\"");
    }
    if (!prefix) scheme = PrependScheme::never;
  }
  STRATA_TRY(const bool splits, component.flag("split", true));
  return std::make_unique<Metaspace>(replacement, scheme, splits);
}

}  // namespace

Result<std::unique_ptr<PreTokenizer>> makePreTokenizer(const Component& component) {
  STRATA_TRY(const std::string type, component.type());
  if (type == "Sequence") {
    std::vector<std::unique_ptr<PreTokenizer>> parts;
    STRATA_TRY(const std::vector<Component> children, component.parts("pretokenizers"));
    for (const Component& child : children) {
      STRATA_TRY(auto part, makePreTokenizer(child));
      parts.push_back(std::move(part));
    }
    return std::make_unique<Sequence>(std::move(parts));
  }
  if (type == "ByteLevel") {
    STRATA_TRY(const bool prefix, component.flag("add_prefix_space"));
    STRATA_TRY(const bool expression, component.flag("use_regex", true));
    return std::make_unique<ByteLevel>(prefix, expression);
  }
  if (type == "Split") {
    STRATA_TRY(auto pattern, component.pattern("pattern"));
    STRATA_TRY(const SplitBehavior behavior, component.behavior("behavior"));
    STRATA_TRY(const bool invert, component.flag("invert"));
    return std::make_unique<Split>(std::move(pattern), behavior, invert);
  }
  if (type == "Metaspace") return makeMetaspace(component);
  if (type == "Digits") {
    STRATA_TRY(const bool individual, component.flag("individual_digits"));
    return splitter(characterPattern(unicode::isNumeric),
                    individual ? SplitBehavior::isolated : SplitBehavior::contiguous);
  }
  if (type == "Punctuation") {
    SplitBehavior behavior = SplitBehavior::isolated;
    if (component.has("behavior")) {
      STRATA_TRY(behavior, component.behavior("behavior"));
    }
    return splitter(characterPattern(unicode::isPunctuation), behavior);
  }
  if (type == "WhitespaceSplit") return splitter(characterPattern(unicode::isSpace), SplitBehavior::removed);
  if (type == "CharDelimiterSplit") {
    STRATA_TRY(const char32_t delimiter, component.character("delimiter"));
    return splitter(characterPattern(delimiter), SplitBehavior::removed);
  }
  if (type == "Whitespace") return std::make_unique<Whitespace>();
  if (type == "BertPreTokenizer") return std::make_unique<BertPreTokenizer>();
  if (type == "FixedLength") {
    std::int64_t length = 5;
    if (component.has("length")) {
      STRATA_TRY(length, component.number("length"));
    }
    if (length == 0) return component.refuse("must have a whole number from 1 as \"length\"");
    return splitter(std::make_unique<FixedLengthPattern>(static_cast<std::size_t>(length)), SplitBehavior::isolated);
  }
  return component.unsupported(type, kKnownPreTokenizers);
}

}  // namespace strata
