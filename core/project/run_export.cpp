#include "core/project/run_export.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <functional>
#include <map>
#include <vector>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/project/run_reader.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPoints = 50'000;  // read at once

/// Every point of every metric, a stretch of one metric at a time.
Result<std::int64_t> forEachStretch(const fs::path& runFolder,
                                    const std::function<Result<void>(const MetricPoints&)>& call) {
  STRATA_TRY(RunReader reader, RunReader::open(runFolder));
  std::int64_t points = 0;
  for (;;) {
    STRATA_TRY(const std::vector<MetricPoints> some, reader.next(kMostPoints));
    if (some.empty()) return points;
    for (const MetricPoints& each : some) {
      STRATA_CHECK(call(each));
      points += static_cast<std::int64_t>(each.step.size());
    }
  }
}

/// Seconds since 1970 of "2026-11-22T09:30:00Z"; 0 for anything else.
double secondsOf(const std::string& created) {
  std::tm parts = {};
  return ::strptime(created.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr ? 0
                                                                              : static_cast<double>(::timegm(&parts));
}

std::string print(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

template <class T>
std::string littleEndian(T value) {
  static_assert(std::endian::native == std::endian::little);
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

// Fields of a protocol buffer: tag = number << 3 | wire type.
std::string doubleField(int number, double value) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 1) + littleEndian(value);
}
std::string floatField(int number, float value) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 5) + littleEndian(value);
}
std::string intField(int number, std::int64_t value) {
  return varint(static_cast<std::uint64_t>(number) << 3) + varint(static_cast<std::uint64_t>(value));
}
std::string bytesField(int number, const std::string& bytes) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 2) + varint(bytes.size()) + bytes;
}

/// tensorflow.Event {wall_time = 1, step = 2, summary = 5 {value = 1 {tag = 1, simple_value = 2}}}
std::string scalarEvent(double wallTime, std::int64_t step, const std::string& tag, double value) {
  const std::string scalar = bytesField(1, tag) + floatField(2, static_cast<float>(value));
  return doubleField(1, wallTime) + intField(2, step) + bytesField(5, bytesField(1, scalar));
}

}  // namespace

std::uint32_t maskedCrc32c(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
      table[i] = crc;
    }
    return table;
  }();
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) crc = kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xff] ^ (crc >> 8);
  return std::rotr(~crc, 15) + 0xa282ead8u;
}

std::string tfRecord(std::string_view bytes) {
  const std::string length = littleEndian(static_cast<std::uint64_t>(bytes.size()));
  std::string record = length + littleEndian(maskedCrc32c(length));
  record += bytes;
  return record + littleEndian(maskedCrc32c(bytes));
}

Result<std::int64_t> exportCsv(const fs::path& runFolder, const fs::path& file) {
  std::map<std::string, std::string> rows;  // by metric
  STRATA_TRY(const std::int64_t points, forEachStretch(runFolder, [&](const MetricPoints& some) -> Result<void> {
               std::string& text = rows[some.name];
               for (std::size_t i = 0; i < some.step.size(); ++i) {
                 text += some.name + "," + print(some.step[i]) + ",";
                 text += (some.tokens.empty() ? "" : print(some.tokens[i])) + ",";
                 text += (some.seconds.empty() ? "" : print(some.seconds[i])) + "," + print(some.value[i]) + "\n";
               }
               return {};
             }));
  STRATA_TRY(FileWriter writer, FileWriter::create(file));
  STRATA_CHECK(writer.write(std::string_view("metric,step,tokens,seconds,value\n")));
  for (const auto& [name, text] : rows) STRATA_CHECK(writer.write(text));
  STRATA_CHECK(writer.commit());
  return points;
}

Result<std::int64_t> exportTensorboard(const fs::path& runFolder, const fs::path& folder) {
  STRATA_TRY(const RunInfo info, readRun(runFolder));
  const double created = secondsOf(info.created);
  struct Point {
    std::int64_t step;
    double wallTime;
    std::string tag;
    double value;
  };
  std::vector<Point> points;
  STRATA_CHECK(forEachStretch(runFolder, [&](const MetricPoints& some) -> Result<void> {
    for (std::size_t i = 0; i < some.step.size(); ++i) {
      const double seconds = some.seconds.empty() ? 0 : some.seconds[i];
      points.push_back({static_cast<std::int64_t>(some.step[i]), created + seconds, some.name, some.value[i]});
    }
    return {};
  }));
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.step < b.step; });
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return systemFailure(error.value(), "make", folder);
  // TensorBoard takes what has "tfevents" in its name, and orders by the number behind.
  char began[32];
  std::snprintf(began, sizeof began, "%010lld", static_cast<long long>(created));
  const std::string name = std::string("events.out.tfevents.") + began + "." + info.id;
  STRATA_TRY(FileWriter writer, FileWriter::create(folder / name));
  STRATA_CHECK(writer.write(tfRecord(doubleField(1, created) + bytesField(3, "brain.Event:2"))));
  for (const Point& each : points) {
    STRATA_CHECK(writer.write(tfRecord(scalarEvent(each.wallTime, each.step, each.tag, each.value))));
  }
  STRATA_CHECK(writer.commit());
  return static_cast<std::int64_t>(points.size());
}

}  // namespace strata
