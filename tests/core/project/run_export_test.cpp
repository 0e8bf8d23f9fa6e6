// Exports are read back: CSV by its rows, event files by their records, checksums and fields.

#include "core/project/run_export.h"

#include <cmath>
#include <cstring>
#include <map>

#include "core/project/project.h"
#include "core/project/run_database.h"
#include "support.h"

namespace strata {
namespace {

using testing::readText;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

class RunExport : public ::testing::Test {
 protected:
  void SetUp() override {
    const Project project = Project::openOrCreate(m_folder.path() / "project").value();
    const strata::Run run = strata::Run::create(project, "train", Json{{"steps", 3}}).value();
    m_run = run.folder();
    RunDatabase database = RunDatabase::open(m_run).value();
    for (int step = 1; step <= 3; ++step) {
      ASSERT_TRUE(database.addMetric({step, "loss", 1.0 / step, 10 * step, step / 4.0}));
    }
    ASSERT_TRUE(database.addMetric({2, "nll/stride:2", std::nan(""), 20, 0.5}));
    ASSERT_TRUE(database.flush());
  }
  fs::path out(const char* name) const { return m_folder.path() / name; }

  fs::path m_run;

 private:
  TemporaryFolder m_folder;
};

template <class T>
T take(std::string& bytes) {
  T value{};
  EXPECT_GE(bytes.size(), sizeof value);
  if (bytes.size() < sizeof value) return value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.erase(0, sizeof value);
  return value;
}
std::uint64_t takeVarint(std::string& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0; !bytes.empty() && shift < 64; shift += 7) {
    const auto byte = take<std::uint8_t>(bytes);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

/// The fields of a message by their numbers, numbers as their bytes.
std::map<std::uint64_t, std::string> fieldsOf(std::string bytes) {
  std::map<std::uint64_t, std::string> fields;
  while (!bytes.empty()) {
    const std::uint64_t tag = takeVarint(bytes);
    std::size_t length = 0;
    if (tag % 8 == 0) {
      fields[tag / 8] = std::to_string(takeVarint(bytes));
      continue;
    }
    if (tag % 8 == 1) length = 8;
    if (tag % 8 == 2) length = takeVarint(bytes);
    if (tag % 8 == 5) length = 4;
    EXPECT_GT(length, 0u) << "wire type " << tag % 8;
    fields[tag / 8] = bytes.substr(0, length);
    bytes.erase(0, length);
  }
  return fields;
}

std::vector<std::string> recordsOf(std::string bytes) {
  std::vector<std::string> records;
  while (!bytes.empty()) {
    const std::string length = bytes.substr(0, 8);
    const auto size = take<std::uint64_t>(bytes);
    EXPECT_EQ(take<std::uint32_t>(bytes), maskedCrc32c(length));
    records.push_back(bytes.substr(0, size));
    bytes.erase(0, size);
    EXPECT_EQ(take<std::uint32_t>(bytes), maskedCrc32c(records.back()));
  }
  return records;
}

TEST(Crc32c, IsThatOfTheStandard) {
  const auto unmasked = [](std::string_view bytes) {
    const std::uint32_t rotated = maskedCrc32c(bytes) - 0xa282ead8u;
    return (rotated >> 17) | (rotated << 15);
  };
  EXPECT_EQ(unmasked("123456789"), 0xe3069283u);            // the check value of CRC-32C
  EXPECT_EQ(unmasked(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(unmasked(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST_F(RunExport, ACsvHasAPointARow) {
  const auto points = exportCsv(m_run, out("run.csv"));
  ASSERT_TRUE(points) << points.error().message;
  EXPECT_EQ(*points, 4);
  EXPECT_EQ(readText(out("run.csv")),
            "metric,step,tokens,seconds,value\nloss,1,10,0.25,1\nloss,2,20,0.5,0.5\nloss,3,30,0.75,0.3333333333333333\n"
            "nll/stride:2,2,20,0.5,nan\n");
}

TEST_F(RunExport, AnEventFileHoldsTheScalarsByStep) {
  const auto points = exportTensorboard(m_run, out("logs/run"));
  ASSERT_TRUE(points) << points.error().message;
  EXPECT_EQ(*points, 4);
  const fs::path file = fs::directory_iterator(out("logs/run"))->path();
  EXPECT_NE(file.filename().string().find("tfevents"), std::string::npos);
  const std::vector<std::string> records = recordsOf(readText(file));
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(fieldsOf(records[0])[3], "brain.Event:2");
  std::vector<std::string> seen;
  for (std::size_t i = 1; i < records.size(); ++i) {
    auto event = fieldsOf(records[i]);
    auto scalar = fieldsOf(fieldsOf(event[5])[1]);
    const float value = take<float>(scalar[2]);
    seen.push_back(event[2] + " " + scalar[1] + " " + (std::isnan(value) ? "nan" : std::to_string(value)));
    EXPECT_GT(take<double>(event[1]), 1.7e9) << "seconds since 1970";
  }
  EXPECT_EQ(seen,
            (std::vector<std::string>{"1 loss 1.000000", "2 loss 0.500000", "2 nll/stride:2 nan", "3 loss 0.333333"}));
}

TEST_F(RunExport, WhatIsNoRunIsRefused) {
  EXPECT_FALSE(exportCsv(out("nothing"), out("run.csv")));
  EXPECT_FALSE(fs::exists(out("run.csv")));
}

}  // namespace
}  // namespace strata
