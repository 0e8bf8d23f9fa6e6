#include "core/text/pattern.h"

#include <algorithm>
#include <functional>

#include "core/text/utf8.h"

namespace strata {
namespace {

class StringPattern final : public Pattern {
 public:
  explicit StringPattern(std::string content) : m_content(std::move(content)) {}

  void find(std::string_view text, std::vector<Stretch>& stretches) const override {
    if (text.empty()) {
      stretches.push_back({0, 0, false});
      return;
    }
    std::size_t done = 0;
    const auto searcher = std::boyer_moore_horspool_searcher(m_content.begin(), m_content.end());
    while (true) {
      const auto [begin, end] = searcher(text.begin() + static_cast<std::ptrdiff_t>(done), text.end());
      if (begin == text.end()) break;
      const auto at = static_cast<std::size_t>(begin - text.begin());
      if (at > done) stretches.push_back({done, at, false});
      done = static_cast<std::size_t>(end - text.begin());
      stretches.push_back({at, done, true});
    }
    if (done < text.size()) stretches.push_back({done, text.size(), false});
  }

 private:
  std::string m_content;
};

/// Matches nothing before every character and at the end.
class EmptyPattern final : public Pattern {
 public:
  void find(std::string_view text, std::vector<Stretch>& stretches) const override {
    if (text.empty()) {
      stretches.push_back({0, 0, false});
      return;
    }
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t length = readUtf8(text.substr(at)).length;
      stretches.push_back({at, at, true});
      stretches.push_back({at, at + length, false});
      at += length;
    }
    stretches.push_back({at, at, true});
  }
};

class CharacterPattern final : public Pattern {
 public:
  explicit CharacterPattern(std::function<bool(char32_t)> isMatch) : m_isMatch(std::move(isMatch)) {}

  void find(std::string_view text, std::vector<Stretch>& stretches) const override {
    if (text.empty()) {
      stretches.push_back({0, 0, false});
      return;
    }
    std::size_t done = 0;
    for (const char* next = text.data(); next != text.data() + text.size();) {
      const auto at = static_cast<std::size_t>(next - text.data());
      if (!m_isMatch(nextCodePoint(next))) continue;
      if (at > done) stretches.push_back({done, at, false});
      done = static_cast<std::size_t>(next - text.data());
      stretches.push_back({at, done, true});
    }
    if (done < text.size()) stretches.push_back({done, text.size(), false});
  }

 private:
  std::function<bool(char32_t)> m_isMatch;
};

/// Merges runs of neighbours of the same kind; the first stretch counts as after one that did not match.
void mergeAlike(std::vector<Stretch>& stretches) {
  std::size_t kept = 0;
  bool previous = false;
  for (const Stretch& stretch : stretches) {
    if (stretch.matched == previous && kept > 0) {
      stretches[kept - 1].end = stretch.end;
    } else {
      stretches[kept++] = stretch;
    }
    previous = stretch.matched;
  }
  stretches.resize(kept);
}

/// Joins the first match of a run to what stands before it.
void mergeBackward(std::vector<Stretch>& stretches) {
  std::size_t kept = 0;
  bool previous = false;
  for (const Stretch stretch : stretches) {
    if (stretch.matched && !previous && kept > 0) {
      stretches[kept - 1].end = stretch.end;
    } else {
      stretches[kept++] = stretch;
    }
    previous = stretch.matched;
  }
  stretches.resize(kept);
}

/// The same from the other end.
void mergeForward(std::vector<Stretch>& stretches) {
  std::size_t kept = stretches.size();
  bool following = false;
  for (std::size_t i = stretches.size(); i-- > 0;) {
    const Stretch stretch = stretches[i];
    if (stretch.matched && !following && kept < stretches.size()) {
      stretches[kept].begin = stretch.begin;
    } else {
      stretches[--kept] = stretch;
    }
    following = stretch.matched;
  }
  stretches.erase(stretches.begin(), stretches.begin() + static_cast<std::ptrdiff_t>(kept));
}

}  // namespace

std::unique_ptr<Pattern> stringPattern(std::string content) {
  if (content.empty()) return std::make_unique<EmptyPattern>();
  return std::make_unique<StringPattern>(std::move(content));
}

std::unique_ptr<Pattern> characterPattern(bool (*isMatch)(char32_t)) {
  return std::make_unique<CharacterPattern>(isMatch);
}

std::unique_ptr<Pattern> characterPattern(char32_t c) {
  return std::make_unique<CharacterPattern>([c](char32_t other) { return other == c; });
}

void applyBehavior(SplitBehavior behavior, std::vector<Stretch>& stretches) {
  if (behavior == SplitBehavior::removed) return;
  if (behavior == SplitBehavior::contiguous) mergeAlike(stretches);
  if (behavior == SplitBehavior::mergedWithPrevious) mergeBackward(stretches);
  if (behavior == SplitBehavior::mergedWithNext) mergeForward(stretches);
  for (Stretch& stretch : stretches) stretch.matched = false;
}

}  // namespace strata
