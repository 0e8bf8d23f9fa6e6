#include "core/data/dataset.h"

#include <algorithm>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "core/data/records.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMinRowTokens = 2;  // one to read, one to predict

/// Why a record adds nothing; nothing where it is fine.
std::optional<DroppedRow> dropReason(const DataRecord& record) {
  if (record.format == DataFormat::text && record.text.empty()) {
    return DroppedRow{record.line, "The text is empty.", record.file};
  }
  if (record.format == DataFormat::promptCompletion && record.completion.empty()) {
    return DroppedRow{record.line, "The completion is empty.", record.file};
  }
  return std::nullopt;
}

tl::unexpected<Error> noRows(const fs::path& path) {
  return fail(ErrorCode::invalidData, path.string() + " holds no rows to train on; add some.", path.string());
}

/// Turns records into rows, one after another.
class RowMaker {
 public:
  RowMaker(const Tokenizer& tokenizer, const DataOptions& options)
      : m_tokenizer(tokenizer),
        m_options(options),
        m_length(static_cast<std::size_t>(options.length)),
        m_vocab(options.vocab > 0 ? options.vocab : tokenizer.vocabSize()),
        m_eos(tokenizer.eosId()) {
    const std::vector<TokenId> added = tokenizer.withSpecials({});
    if (!added.empty() && tokenizer.bosId() == added.front()) m_bos = added.front();
  }

  Result<void> take(const DataRecord& record) {
    m_format = record.format;
    if (auto dropped = dropReason(record)) {
      m_report.dropped.push_back(std::move(*dropped));
      return {};
    }
    return record.format == DataFormat::text ? takeDocument(record) : takePair(record);
  }

  /// The last, shorter row of text, and what the report sums up.
  void finish() {
    if (m_stream.size() >= kMinRowTokens) addTextRow(m_stream.size());
    m_report.format = toString(m_format);
    m_report.rows = static_cast<std::int64_t>(m_rows.size());
    for (const Row& row : m_rows) {
      m_report.tokens += static_cast<std::int64_t>(row.ids.size());
      m_report.trainedTokens += std::count(row.trained.begin(), row.trained.end(), true);
    }
  }

  std::vector<Row> takeRows() { return std::move(m_rows); }
  DataReport takeReport() { return std::move(m_report); }
  bool packed() const { return m_format == DataFormat::promptCompletion; }

 private:
  Result<std::vector<TokenId>> encode(const std::string& text, const DataRecord& record) const {
    std::vector<TokenId> ids = m_tokenizer.encode(text);
    STRATA_CHECK(checkIds(ids, record));
    return ids;
  }

  Result<void> checkIds(const std::vector<TokenId>& ids, const DataRecord& record) const {
    for (const TokenId id : ids) {
      if (id < 0 || id >= m_vocab) {
        return fail(ErrorCode::invalidData,
                    record.where() + ": token id " + std::to_string(id) + " is outside the vocabulary of " +
                        std::to_string(m_vocab) + "; use the tokenizer that belongs to the model.",
                    record.where());
      }
    }
    return {};
  }

  Result<void> takeDocument(const DataRecord& record) {
    STRATA_TRY(const std::vector<TokenId> ids, encode(record.text, record));
    if (m_bos) m_stream.push_back(*m_bos);
    m_stream.insert(m_stream.end(), ids.begin(), ids.end());
    if (m_eos) m_stream.push_back(*m_eos);
    while (m_stream.size() - m_used >= m_length) addTextRow(m_length);
    m_stream.erase(m_stream.begin(), m_stream.begin() + static_cast<std::ptrdiff_t>(std::exchange(m_used, 0)));
    return {};
  }

  void addTextRow(std::size_t tokens) {
    const auto first = m_stream.begin() + static_cast<std::ptrdiff_t>(m_used);
    Row row{{first, first + static_cast<std::ptrdiff_t>(tokens)}, std::vector<bool>(tokens, true)};
    row.trained.front() = false;
    m_rows.push_back(std::move(row));
    m_used += tokens;
  }

  Result<void> takePair(const DataRecord& record) {
    auto [prompt, completion] = encodePair(m_tokenizer, record.prompt, record.completion);
    STRATA_CHECK(checkIds(prompt, record));
    STRATA_CHECK(checkIds(completion, record));
    if (completion.empty()) {
      m_report.dropped.push_back({record.line, "The completion has no tokens.", record.file});
      return {};
    }
    if (m_eos) completion.push_back(*m_eos);
    const std::size_t room = m_length - (m_bos ? 1 : 0);
    if (prompt.size() + completion.size() > room) {
      ++m_report.truncated;
      completion.resize(std::min(completion.size(), room));
      const std::size_t kept = std::min(prompt.size(), room - completion.size());
      prompt.erase(prompt.begin(), prompt.end() - static_cast<std::ptrdiff_t>(kept));
    }
    if (m_bos) prompt.insert(prompt.begin(), *m_bos);
    Row row;
    row.trained.assign(prompt.size(), m_options.trainOnPrompt);
    row.trained.resize(prompt.size() + completion.size(), true);
    row.trained.front() = false;
    row.ids = std::move(prompt);
    row.ids.insert(row.ids.end(), completion.begin(), completion.end());
    if (row.ids.size() < kMinRowTokens) {
      m_report.dropped.push_back(
          {record.line, "The row has a single token: there is nothing to predict.", record.file});
      return {};
    }
    m_rows.push_back(std::move(row));
    return {};
  }

  const Tokenizer& m_tokenizer;
  const DataOptions m_options;
  const std::size_t m_length;
  const std::int64_t m_vocab;
  std::optional<TokenId> m_bos, m_eos;
  DataFormat m_format = DataFormat::text;
  std::vector<TokenId> m_stream;  // text not yet cut into rows
  std::size_t m_used = 0;         // its ids that rows already hold
  std::vector<Row> m_rows;
  DataReport m_report;
};

}  // namespace

Dataset Dataset::fromRows(std::vector<Row> rows, int length, bool packed) {
  Dataset data;
  data.m_options.length = length;
  data.m_packed = packed;
  data.m_report.format = "ids";
  data.m_report.rows = static_cast<std::int64_t>(rows.size());
  for (const Row& row : rows) {
    data.m_report.tokens += static_cast<std::int64_t>(row.ids.size());
    data.m_report.trainedTokens += std::count(row.trained.begin(), row.trained.end(), true);
  }
  data.m_rows = std::move(rows);
  return data;
}

Result<Dataset> Dataset::open(const fs::path& path, const Tokenizer& tokenizer, const DataOptions& options) {
  if (options.length < static_cast<int>(kMinRowTokens)) {
    return fail(ErrorCode::usage,
                "A sequence needs 2 tokens or more; the length given is " + std::to_string(options.length) + ".",
                "length");
  }
  try {
    RowMaker maker(tokenizer, options);
    STRATA_CHECK(readRecords(path, [&](DataRecord&& record) { return maker.take(record); }));
    maker.finish();
    Dataset data;
    data.m_rows = maker.takeRows();
    data.m_report = maker.takeReport();
    data.m_options = options;
    data.m_packed = maker.packed();
    if (data.m_rows.empty()) return noRows(path);
    if (data.m_rows.size() > std::numeric_limits<std::uint32_t>::max()) {
      return fail(ErrorCode::unsupported, path.string() + " has more than 2^32 rows; split it.", path.string());
    }
    if (data.m_report.trainedTokens == 0) {
      return fail(ErrorCode::invalidData, "In " + path.string() + " no token is trained on; check its completions.",
                  path.string());
    }
    return data;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory,
                "The data set " + path.string() + " does not fit into memory; use a part of it.", path.string());
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, path.string() + ": the data set cannot be read: " + exception.what(),
                path.string());
  }
}

Result<DataReport> checkData(const fs::path& path) {
  try {
    DataReport report;
    STRATA_CHECK(readRecords(path, [&](DataRecord&& record) -> Result<void> {
      report.format = toString(record.format);
      if (auto dropped = dropReason(record)) {
        report.dropped.push_back(std::move(*dropped));
      } else {
        ++report.rows;
      }
      return {};
    }));
    if (report.rows == 0) return noRows(path);
    return report;
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, path.string() + ": the data set cannot be read: " + exception.what(),
                path.string());
  }
}

}  // namespace strata
