// Where cuts in a text fall among its ids.
//
// Where a cut has no place among the ids of the whole, the pieces around it are tokenised apart. A tokenizer that puts
// a space before a text (SentencePiece's dummy prefix, Prepend, Metaspace) would put one before each piece, which the
// text does not have and a model would learn to write; so all but the first are tokenised as what goes on behind an
// anchor, a short text whose ids do not depend on what follows.

#include <algorithm>
#include <optional>
#include <span>
#include <string>

#include "core/text/tokenizer.h"

namespace strata {
namespace {

using Difference = std::vector<TokenId>::difference_type;

bool startsWith(std::span<const TokenId> ids, std::span<const TokenId> first) {
  return first.size() <= ids.size() && std::equal(first.begin(), first.end(), ids.begin());
}

/// What a text is tokenised behind; the empty one: nothing.
struct Anchor {
  std::string text = {};
  std::vector<TokenId> ids = {};
};

/// A text's ids, and those of the texts that it begins with.
class Tokenisation {
 public:
  Tokenisation(const Tokenizer& tokenizer, std::string_view text, Anchor anchor = {})
      : m_tokenizer(&tokenizer), m_anchor(std::move(anchor)), m_text(m_anchor.text + std::string(text)) {
    m_ids = tokenizer.encodeWithRestarts(m_text, m_restarts);
  }

  /// Whether the anchor's ids are what they are alone.
  bool keepsAnchor() const { return startsWith(m_ids, m_anchor.ids); }

  std::span<const TokenId> ids() const { return std::span(m_ids).subspan(m_anchor.ids.size()); }

  /// How many ids stand for the text before `cut`, if its own ids are these. Cuts must ascend.
  std::optional<std::size_t> idsBefore(std::size_t cut) {
    const std::size_t end = m_anchor.text.size() + cut;
    while (m_next < m_restarts.size() && m_restarts[m_next].validFrom <= end) m_best = m_restarts[m_next++];
    const std::vector<TokenId> tail = m_tokenizer->encodeFrom(std::string_view(m_text).substr(0, end), m_best);
    if (!startsWith(std::span(m_ids).subspan(m_best.ids), tail)) return std::nullopt;
    const std::size_t count = m_best.ids + tail.size();
    return count - std::min(count, m_anchor.ids.size());
  }

 private:
  const Tokenizer* m_tokenizer;
  Anchor m_anchor;
  std::string m_text;  // behind the anchor's
  std::vector<Tokenizer::Restart> m_restarts;
  std::vector<TokenId> m_ids;
  Tokenizer::Restart m_best;
  std::size_t m_next = 0;
};

/// Tokenises what goes on after another text.
class Continuations {
 public:
  explicit Continuations(const Tokenizer& tokenizer) : m_tokenizer(tokenizer) {
    if (!putsSpaceBeforeTexts()) return;
    // A line break merges with nothing in most vocabularies; the others are for texts that begin with white space.
    for (const char* text : {"\n", "0", "|", "a"}) {
      Anchor anchor{text, tokenizer.encode(text)};
      // An unknown token could take what follows into itself.
      const std::string shown = tokenizer.decode(anchor.ids).value_or("");
      if (shown == text || shown == std::string(" ") + text) m_anchors.push_back(std::move(anchor));
    }
  }

  Tokenisation of(std::string_view text) const {
    for (const Anchor& anchor : m_anchors) {
      Tokenisation behind(m_tokenizer, text, anchor);
      if (behind.keepsAnchor()) return behind;
    }
    return {m_tokenizer, text};
  }

 private:
  bool putsSpaceBeforeTexts() const {
    std::vector<TokenId> twice = m_tokenizer.encode("a");
    const std::vector<TokenId> once = twice;
    twice.insert(twice.end(), once.begin(), once.end());
    return m_tokenizer.decode(twice).value_or("").find(' ') != std::string::npos;
  }

  const Tokenizer& m_tokenizer;
  std::vector<Anchor> m_anchors;  // none: every text is tokenised as if something stood before it
};

}  // namespace

std::vector<TokenId> Tokenizer::encodeWithRestarts(std::string_view text, std::vector<Restart>&) const {
  return encode(text);
}

std::vector<TokenId> Tokenizer::encodeFrom(std::string_view text, const Restart& restart) const {
  return encode(text.substr(restart.at));
}

SegmentedIds encodeSegments(const Tokenizer& tokenizer, std::string_view text, const std::vector<std::size_t>& cuts) {
  SegmentedIds out;
  std::size_t start = 0;     // where the tokenisation in force begins in the text
  std::size_t startIds = 0;  // and in the ids
  std::size_t previous = 0;  // the cut before
  Tokenisation rest(tokenizer, text);
  std::optional<Continuations> continuations;
  for (const std::size_t cut : cuts) {
    if (const std::optional<std::size_t> count = rest.idsBefore(cut - start)) {
      const std::size_t before = out.idsBefore.empty() ? 0 : out.idsBefore.back();
      out.idsBefore.push_back(std::max(before, startIds + *count));
    } else {
      const std::size_t kept = out.idsBefore.empty() ? 0 : out.idsBefore.back();
      if (!continuations) continuations.emplace(tokenizer);
      const auto append = [&](std::span<const TokenId> ids) { out.ids.insert(out.ids.end(), ids.begin(), ids.end()); };
      append(rest.ids().first(kept - startIds));
      const std::string_view piece = text.substr(previous, cut - previous);
      if (previous == 0) {
        append(tokenizer.encode(piece));
      } else {
        append(continuations->of(piece).ids());
      }
      start = cut;
      startIds = out.ids.size();
      out.idsBefore.push_back(startIds);
      rest = continuations->of(text.substr(cut));
    }
    previous = cut;
  }
  out.ids.insert(out.ids.end(), rest.ids().begin(), rest.ids().end());
  return out;
}

PromptAndCompletion encodePair(const Tokenizer& tokenizer, std::string_view prompt, std::string_view completion) {
  SegmentedIds whole = encodeSegments(tokenizer, std::string(prompt).append(completion), {prompt.size()});
  const auto boundary = whole.ids.begin() + static_cast<Difference>(whole.idsBefore.front());
  PromptAndCompletion pair;
  pair.completion.assign(boundary, whole.ids.end());
  whole.ids.erase(boundary, whole.ids.end());
  pair.prompt = std::move(whole.ids);
  return pair;
}

}  // namespace strata
