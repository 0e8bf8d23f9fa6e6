#include "core/data/overlap.h"

#include <algorithm>
#include <array>
#include <functional>
#include <new>
#include <unordered_set>

#include "core/data/record_log.h"

namespace strata {
namespace {

constexpr std::size_t kWords = 13;
constexpr std::uint32_t kMostRecords = 10;
constexpr std::size_t kMostGrams = 50'000'000;
constexpr std::size_t kMostListed = 100'000;

/// Calls `take` with a hash of every 13 words in a row.
template <class Take>
void eachGram(const std::string& text, const Take& take) {
  constexpr std::uint64_t kOffset = 0xcbf29ce484222325, kPrime = 0x100000001b3, kBase = 0x9e3779b97f4a7c15;
  static const std::uint64_t kLeaving = [] {
    std::uint64_t power = 1;
    for (std::size_t i = 0; i < kWords; ++i) power *= kBase;
    return power;
  }();
  std::array<std::uint64_t, kWords> ring{};
  std::uint64_t rolling = 0, word = kOffset;
  std::size_t words = 0;
  bool inWord = false;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const char c = at < text.size() ? text[at] : ' ';
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!space) {
      const bool upper = c >= 'A' && c <= 'Z';
      const bool kept =
          upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
      if (!kept) continue;
      word = (word ^ static_cast<unsigned char>(upper ? c - 'A' + 'a' : c)) * kPrime;
      inWord = true;
      continue;
    }
    if (!inWord) continue;
    std::uint64_t& slot = ring[words % kWords];
    rolling = rolling * kBase + word - slot * kLeaving;
    slot = word;
    if (++words >= kWords) take(rolling);
    word = kOffset;
    inWord = false;
  }
}

/// What a record can have in common with another.
struct Content {
  ContentHash row;
  std::vector<ContentHash> passages;  // and its prompt
  std::string text;
};

Content contentOf(const DataRecord& record) {
  Content content{contentHash(record), {}, {}};
  const auto add = [&](const std::string& text) { content.text += text + "\n"; };
  switch (record.kind) {
    case RecordKind::document:
      content.text = record.text;
      break;
    case RecordKind::pair:
      if (!record.prompt.empty()) content.passages.push_back(hashOf(record.prompt));
      add(record.prompt);
      add(record.completion);
      break;
    case RecordKind::question:
      for (const Passage& passage : record.question.passages) {
        content.passages.push_back(hashOf(passage.text));
        add(passage.text);
      }
      if (record.question.passages.empty()) content.passages.push_back(hashOf(record.question.question));
      add(record.question.question);
      break;
    case RecordKind::conversation: {
      std::string prompt;
      for (std::size_t i = 0; i < record.conversation.messages.size(); ++i) {
        const Json& message = record.conversation.messages[i];
        const std::string text = message.value("content", std::string());
        if (i < record.conversation.trained.front() && message.value("role", Json()) != "system") prompt += text + "\n";
        add(text);
      }
      if (!prompt.empty()) content.passages.push_back(hashOf(prompt));
      break;
    }
  }
  return content;
}

using TakeContent = std::function<void(const DataRecord&, const Content&)>;
using TakeDropped = std::function<void(const DroppedRow&)>;

Result<void> eachContent(const std::filesystem::path& path, const Columns& columns, const TakeContent& take,
                         const TakeDropped& drop) {
  RecordHandlers handlers;
  handlers.take = [&](DataRecord&& record) -> Result<void> {
    take(record, contentOf(record));
    return {};
  };
  handlers.drop = [&](DroppedRow&& row) -> Result<void> {
    drop(row);
    return {};
  };
  return readRecords(path, {.columns = columns, .skipBrokenFiles = true}, handlers);
}

class OverlapFinder {
 public:
  Result<OverlapReport> find(const std::filesystem::path& data, const std::filesystem::path& other,
                             const Columns& columns) {
    STRATA_CHECK(readOther(other, columns));
    if (m_report.others == 0 && !columns.empty()) STRATA_CHECK(readOther(other, {}));
    if (m_report.others == 0) {
      return fail(ErrorCode::invalidData,
                  other.string() + " holds no record to compare with" +
                      (m_report.firstDropped.empty() ? "; give other data." : ": " + m_report.firstDropped),
                  other.string());
    }
    std::sort(m_grams.begin(), m_grams.end());
    m_grams.erase(std::unique(m_grams.begin(), m_grams.end()), m_grams.end());
    m_counts.assign(m_grams.size(), 0);
    const auto countDropped = [&](const DroppedRow&) { ++m_report.recordsDropped; };
    STRATA_CHECK(eachContent(
        data, columns, [&](const DataRecord&, const Content& content) { count(content); }, countDropped));
    STRATA_CHECK(eachContent(
        data, columns, [&](const DataRecord& record, const Content& content) { judge(record, content); },
        [](const DroppedRow&) {}));
    return std::move(m_report);
  }

 private:
  Result<void> readOther(const std::filesystem::path& other, const Columns& columns) {
    m_report.othersDropped = 0;
    m_report.firstDropped.clear();
    return eachContent(
        other, columns, [&](const DataRecord&, const Content& content) { remember(content); },
        [&](const DroppedRow& row) {
          if (m_report.othersDropped++ == 0) m_report.firstDropped = row.sentence();
        });
  }

  void remember(const Content& content) {
    ++m_report.others;
    m_rows.insert(content.row);
    m_passages.insert(content.passages.begin(), content.passages.end());
    eachGram(content.text, [&](std::uint64_t gram) {
      if (m_grams.size() < kMostGrams) {
        m_grams.push_back(gram);
      } else {
        m_report.wordsCut = true;
      }
    });
  }

  /// Indices of the other set's grams in this record, each once.
  std::vector<std::uint32_t> hits(const Content& content) const {
    std::vector<std::uint32_t> found;
    eachGram(content.text, [&](std::uint64_t gram) {
      const auto at = std::lower_bound(m_grams.begin(), m_grams.end(), gram);
      if (at != m_grams.end() && *at == gram) found.push_back(static_cast<std::uint32_t>(at - m_grams.begin()));
    });
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  void count(const Content& content) {
    for (const std::uint32_t gram : hits(content)) ++m_counts[gram];
  }

  void judge(const DataRecord& record, const Content& content) {
    ++m_report.records;
    const auto isPassage = [&](const ContentHash& hash) { return m_passages.contains(hash); };
    if (m_rows.contains(content.row)) {
      ++m_report.sameRows;
      note(record, OverlapKind::sameRow);
    } else if (std::any_of(content.passages.begin(), content.passages.end(), isPassage)) {
      ++m_report.samePassages;
      note(record, OverlapKind::samePassage);
    } else {
      const std::vector<std::uint32_t> found = hits(content);
      if (std::none_of(found.begin(), found.end(), [&](std::uint32_t gram) { return m_counts[gram] <= kMostRecords; }))
        return;
      ++m_report.sameWords;
      note(record, OverlapKind::sameWords);
    }
  }

  void note(const DataRecord& record, OverlapKind kind) {
    if (m_report.rows.size() < kMostListed) m_report.rows.push_back({record.file, record.line, kind});
  }

  OverlapReport m_report;
  std::unordered_set<ContentHash, ContentHasher> m_rows, m_passages;
  std::vector<std::uint64_t> m_grams;   // of the other set, ascending
  std::vector<std::uint32_t> m_counts;  // records of the first set that hold each
};

}  // namespace

const char* toString(OverlapKind kind) {
  switch (kind) {
    case OverlapKind::sameRow:
      return "same row";
    case OverlapKind::samePassage:
      return "same passage or prompt";
    case OverlapKind::sameWords:
      return "13 words in a row";
  }
  return "";
}

Result<OverlapReport> findOverlap(const std::filesystem::path& data, const std::filesystem::path& other,
                                  const Columns& columns) {
  try {
    return OverlapFinder().find(data, other, columns);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory,
                "The memory does not suffice to compare " + data.string() + " with " + other.string() + ".",
                data.string());
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, data.string() + ": the overlap cannot be found: " + exception.what(),
                data.string());
  }
}

}  // namespace strata
