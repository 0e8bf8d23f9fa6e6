// A mapped file that changes under its reader.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "core/base/files.h"
#include "support.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public ::testing::Test {
 protected:
  MappedFileTest() {
    std::ofstream(m_path, std::ios::binary) << std::string(3 * 65536, 'x');
    m_file = MappedFile::open(m_path).value();
  }
  std::size_t count(char what) const {
    return static_cast<std::size_t>(std::count(m_file->bytes().begin(), m_file->bytes().end(), std::byte(what)));
  }
  TemporaryFolder m_folder;
  fs::path m_path = m_folder.path() / "file";
  std::shared_ptr<const MappedFile> m_file;
};

TEST_F(MappedFileTest, ReadsAsZerosWhereItWasCutOff) {
  EXPECT_TRUE(m_file->checkUnchanged());
  fs::resize_file(m_path, 65536);
  EXPECT_EQ(count('x'), 65536U);
  EXPECT_EQ(count('\0'), 2 * 65536U);
  const auto changed = m_file->checkUnchanged();
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().message, m_path.string() + " was cut short after it was opened; open it again.");
  fs::resize_file(m_path, 3 * 65536);
  EXPECT_FALSE(m_file->checkUnchanged()) << "zeros were read meanwhile";
}

TEST_F(MappedFileTest, IsReadByManyThreadsWhileItIsCutOff) {
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([this] {
      for (int round = 0; round < 50; ++round) EXPECT_LE(count('x'), 3 * 65536U);
    });
  }
  fs::resize_file(m_path, 100);
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(m_file->checkUnchanged());
}

TEST_F(MappedFileTest, SaysThatItWasOverwrittenOrReplaced) {
  fs::last_write_time(m_path, fs::last_write_time(m_path) + std::chrono::seconds(1));
  EXPECT_NE(m_file->checkUnchanged().error().message.find("overwritten"), std::string::npos);
  m_file = MappedFile::open(m_path).value();
  EXPECT_TRUE(m_file->checkUnchanged());
  fs::copy_file(m_path, m_folder.path() / "new");
  fs::rename(m_folder.path() / "new", m_path);
  EXPECT_NE(m_file->checkUnchanged().error().message.find("replaced"), std::string::npos);
}

TEST_F(MappedFileTest, StaysAsItWasWhenItIsRemoved) {
  fs::remove(m_path);
  EXPECT_TRUE(m_file->checkUnchanged());
  EXPECT_EQ(count('x'), 3 * 65536U);
}

TEST_F(MappedFileTest, IsReadPastTheMapWithASentenceAtItsEnd) {
  std::vector<std::byte> bytes(65536);
  ASSERT_TRUE(m_file->read(65536, bytes));
  EXPECT_EQ(bytes.back(), std::byte('x'));
  fs::resize_file(m_path, 70000);
  const auto read = m_file->read(65536, bytes);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("was cut short while it was read"), std::string::npos);
}

}  // namespace
}  // namespace strata::testing
