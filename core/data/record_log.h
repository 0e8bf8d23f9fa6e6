#pragma once
// What becomes of a data set's records: which are dropped and why, which are equal, which are held out, and whether too
// many are broken.

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/data/dataset.h"
#include "core/data/records.h"

namespace strata {

/// 128 bits of SHA-256.
using ContentHash = std::array<std::uint64_t, 2>;
ContentHash hashOf(std::string_view text);
/// Of everything that a row is made of, but not of its id.
ContentHash contentHash(const DataRecord& record);

struct ContentHasher {
  std::size_t operator()(const ContentHash& hash) const { return static_cast<std::size_t>(hash[0]); }
};

class RecordLog {
 public:
  explicit RecordLog(const DataOptions& options) : m_options(options) {}

  /// Notes a record; whether it belongs to the part wanted. Error: text beside other shapes (kept going: dropped).
  Result<bool> take(const DataRecord& record);
  enum class Counted { no, already };
  /// `counted`: whether take() has seen the record. Error: too many are broken, unless kept going.
  Result<void> drop(DroppedRow&& row, Counted counted = Counted::no);
  /// The share of broken records, and what the report says of all.
  Result<void> finish();

  DataReport takeReport() { return std::move(m_report); }
  bool packed() const { return m_kindsSeen && !m_text; }

 private:
  struct Place {
    std::uint32_t file;
    std::int64_t line;
  };
  void noteDuplicate(const DataRecord& record, const ContentHash& hash);
  bool wanted(const DataRecord& record, const ContentHash& hash) const;
  Error tooManyBroken() const;

  const DataOptions& m_options;
  DataReport m_report;
  std::vector<DataFormat> m_formats;
  std::unordered_map<ContentHash, Place, ContentHasher> m_seen;
  bool m_kindsSeen = false;
  bool m_text = false;
  std::string m_unread;  // of the first file that could not be read to its end: where and why
};

/// Reads all records of `path` into `take`, but for those that the log drops or that another part holds.
Result<void> readThrough(const std::filesystem::path& path, const DataOptions& options, RecordLog& log,
                         const std::function<Result<void>(DataRecord&&)>& take);

}  // namespace strata
