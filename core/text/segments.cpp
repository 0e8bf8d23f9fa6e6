// Where cuts in a text fall among its ids.

#include <algorithm>
#include <optional>

#include "core/text/tokenizer.h"

namespace strata {
namespace {

using Difference = std::vector<TokenId>::difference_type;

/// The tokenisation in force: of the text from `start` on.
class Tokenisation {
 public:
  Tokenisation(const Tokenizer& tokenizer, std::string_view text) : m_tokenizer(&tokenizer), m_text(text) {
    m_ids = tokenizer.encodeWithRestarts(text, m_restarts);
  }

  const std::vector<TokenId>& ids() const { return m_ids; }

  /// How many ids stand for the text before `cut`, if its own ids are these. Cuts must ascend.
  std::optional<std::size_t> idsBefore(std::size_t cut) {
    while (m_next < m_restarts.size() && m_restarts[m_next].validFrom <= cut) m_best = m_restarts[m_next++];
    const std::vector<TokenId> tail = m_tokenizer->encodeFrom(m_text.substr(0, cut), m_best);
    const std::size_t left = m_ids.size() - m_best.ids;
    if (tail.size() > left ||
        !std::equal(tail.begin(), tail.end(), m_ids.begin() + static_cast<Difference>(m_best.ids))) {
      return std::nullopt;
    }
    return m_best.ids + tail.size();
  }

 private:
  const Tokenizer* m_tokenizer;
  std::string_view m_text;
  std::vector<Tokenizer::Restart> m_restarts;
  std::vector<TokenId> m_ids;
  Tokenizer::Restart m_best;
  std::size_t m_next = 0;
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
  for (const std::size_t cut : cuts) {
    if (const std::optional<std::size_t> count = rest.idsBefore(cut - start)) {
      const std::size_t before = out.idsBefore.empty() ? 0 : out.idsBefore.back();
      out.idsBefore.push_back(std::max(before, startIds + *count));
    } else {
      const std::size_t kept = out.idsBefore.empty() ? 0 : out.idsBefore.back();
      out.ids.insert(out.ids.end(), rest.ids().begin(), rest.ids().begin() + static_cast<Difference>(kept - startIds));
      const std::vector<TokenId> piece = tokenizer.encode(text.substr(previous, cut - previous));
      out.ids.insert(out.ids.end(), piece.begin(), piece.end());
      start = cut;
      startIds = out.ids.size();
      out.idsBefore.push_back(startIds);
      rest = Tokenisation(tokenizer, text.substr(cut));
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
