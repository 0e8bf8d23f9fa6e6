#include "core/data/record_log.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "core/base/files.h"
#include "core/base/philox.h"

namespace strata {
namespace {

constexpr std::size_t kMostListed = 100'000;
constexpr std::int64_t kFirstRecords = 100;
constexpr std::int64_t kBrokenOneIn = 10;

/// Parts of a record one after another, each with its size, so that no two records write the same bytes.
void append(std::string& bytes, std::string_view part) {
  bytes += std::to_string(part.size());
  bytes += ':';
  bytes += part;
}

}  // namespace

ContentHash hashOf(std::string_view text) {
  const std::string hex = sha256(std::as_bytes(std::span(text.data(), text.size())));
  ContentHash hash{};
  std::from_chars(hex.data(), hex.data() + 16, hash[0], 16);
  std::from_chars(hex.data() + 16, hex.data() + 32, hash[1], 16);
  return hash;
}

ContentHash contentHash(const DataRecord& record) {
  std::string bytes;
  switch (record.kind) {
    case RecordKind::document:
      append(bytes, record.text);
      break;
    case RecordKind::pair:
      append(bytes, record.prompt);
      append(bytes, record.completion);
      break;
    case RecordKind::conversation:
      append(bytes, dumpLine(record.conversation.messages));
      append(bytes, dumpLine(record.conversation.tools));
      break;
    case RecordKind::question:
      append(bytes, record.question.question);
      for (const Passage& passage : record.question.passages) append(bytes, passage.text);
      append(bytes, record.question.target);
      break;
  }
  return hashOf(bytes);
}

Result<bool> RecordLog::take(const DataRecord& record) {
  const bool text = record.kind == RecordKind::document;
  if (m_kindsSeen && text != m_text) {
    STRATA_CHECK(drop({record.line,
                       std::string("this is ") + toString(record.format) + ", but the data set began with " +
                           toString(m_formats.front()) + "; keep text apart from other shapes.",
                       record.file}));
    return false;
  }
  m_kindsSeen = true;
  m_text = text;
  ++m_report.records;
  if (std::find(m_formats.begin(), m_formats.end(), record.format) == m_formats.end())
    m_formats.push_back(record.format);
  const ContentHash hash = contentHash(record);
  noteDuplicate(record, hash);
  return wanted(record, hash);
}

void RecordLog::noteDuplicate(const DataRecord& record, const ContentHash& hash) {
  if (m_report.files.empty() || m_report.files.back() != record.file) m_report.files.push_back(record.file);
  const auto file = static_cast<std::uint32_t>(m_report.files.size() - 1);
  const auto [seen, isNew] = m_seen.try_emplace(hash, Place{file, record.line});
  if (isNew) return;
  ++m_report.duplicateRows;
  if (m_report.duplicates.size() == kMostListed) return;
  m_report.duplicates.push_back({record.file, record.line, m_report.files[seen->second.file], seen->second.line});
}

bool RecordLog::wanted(const DataRecord& record, const ContentHash& hash) const {
  if (m_options.split <= 0 || m_options.part == DataPart::all) return true;
  // All records of a group, and equal records without one, draw the same.
  const std::uint64_t key = record.group.empty() ? hash[0] : hashOf(record.group)[0];
  const bool held = randomUniform({.seed = m_options.seed,
                                   .step = static_cast<std::uint32_t>(key),
                                   .group = static_cast<std::uint32_t>(key >> 32),
                                   .stream = RandomStream::split}) < m_options.split;
  return held == (m_options.part == DataPart::held);
}

Result<void> RecordLog::drop(DroppedRow&& row, Counted counted) {
  if (counted == Counted::no) ++m_report.records;
  if (row.broken) ++m_report.broken;
  if (row.fileEnds && m_unread.empty()) m_unread = row.sentence();
  ++m_report.droppedRows;
  if (m_report.dropped.size() < kMostListed) m_report.dropped.push_back(std::move(row));
  const bool hopeless = m_report.broken >= kFirstRecords && m_report.broken == m_report.records;
  if (hopeless && !m_options.keepGoing) return tl::unexpected(tooManyBroken());
  return {};
}

Error RecordLog::tooManyBroken() const {
  constexpr int kShown = 3;
  std::string message;
  std::string context;
  int shown = 0;
  for (const DroppedRow& row : m_report.dropped) {
    if (!row.broken || shown == kShown) continue;
    if (shown++ == 0) {
      context = placeOf(row.file, row.line);
    } else {
      message += " ";
    }
    message += row.sentence();
  }
  if (m_report.records > 1) {
    message += " Broken are " + std::to_string(m_report.broken) + " of " + std::to_string(m_report.records) +
               " records; up to a tenth would be left out with a warning.";
  }
  return {ErrorCode::invalidData, std::move(message), std::move(context)};
}

Result<void> RecordLog::finish() {
  for (const DataFormat format : m_formats) {
    m_report.format += (m_report.format.empty() ? "" : " + ") + std::string(toString(format));
  }
  m_report.refusal = m_unread;
  m_report.readToTheEnd = m_unread.empty();
  if (m_report.broken * kBrokenOneIn <= m_report.records) return {};
  Error error = tooManyBroken();
  if (!m_options.keepGoing) return tl::unexpected(std::move(error));
  m_report.refusal = std::move(error.message);
  return {};
}

Result<void> readThrough(const std::filesystem::path& path, const DataOptions& options, RecordLog& log,
                         const std::function<Result<void>(DataRecord&&)>& take) {
  RecordHandlers handlers;
  std::int64_t records = 0;
  handlers.take = [&](DataRecord&& record) -> Result<void> {
    if (options.goOn && !options.goOn(++records)) {
      return fail(ErrorCode::cancelled, "The reading of " + path.string() + " was cancelled.", path.string());
    }
    STRATA_TRY(const bool wanted, log.take(record));
    return wanted ? take(std::move(record)) : Result<void>();
  };
  handlers.drop = [&](DroppedRow&& row) { return log.drop(std::move(row)); };
  STRATA_CHECK(readRecords(path, {.columns = options.columns, .skipBrokenFiles = options.keepGoing}, handlers));
  return log.finish();
}

}  // namespace strata
