#include "core/base/files.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

#include "small_disk.h"
#include "support.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using ::strata::testing::readText;
using ::strata::testing::SmallDisk;
using ::strata::testing::TemporaryFolder;
using ::strata::testing::writeText;

std::vector<std::string> namesIn(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;

TEST(Files, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\xff", 4);
  ASSERT_TRUE(writeFile(folder.path() / "x", bytes));
  EXPECT_EQ(*readFile(folder.path() / "x"), bytes);
  ASSERT_TRUE(writeFile(folder.path() / "x", ""));
  EXPECT_EQ(*readFile(folder.path() / "x"), "");
  EXPECT_EQ(namesIn(folder.path()), Names{"x"});
}

TEST(Files, ReadsFilesWhoseSizeIsNotKnownBeforehand) {
  const auto text = readFile("/proc/self/status");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_NE(text->find("Pid:"), std::string::npos);
  EXPECT_FALSE(readFile("/proc/self/status", 10));
}

TEST(Files, RefusesFilesOverTheLimit) {
  const TemporaryFolder folder;
  writeText(folder.path() / "x", "12345");
  EXPECT_TRUE(readFile(folder.path() / "x", 5));
  const auto refused = readFile(folder.path() / "x", 4);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("larger than the 4 bytes"), std::string::npos);
}

TEST(Files, RefusesWhatIsNotARegularFileWithoutWaitingForIt) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder.path() / "fifo").c_str(), 0600), 0);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (folder.path() / "socket").c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  for (const auto& [path, kind] : {std::pair<fs::path, std::string>{folder.path() / "fifo", "a FIFO"},
                                   {folder.path() / "socket", "a socket"},
                                   {folder.path(), "a folder"},
                                   {"/dev/zero", "a device"}}) {
    const auto read = readFile(path);
    ASSERT_FALSE(read) << path;
    EXPECT_NE(read.error().message.find(path.string() + " is " + kind), std::string::npos) << read.error().message;
    EXPECT_FALSE(MappedFile::open(path)) << path;
  }
  close(listener);
}

TEST(Files, SaysNotFoundForAnAbsentFile) {
  const auto read = readFile("/nowhere/at/all");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::notFound);
  EXPECT_EQ(read.error().context, "/nowhere/at/all");
}

TEST(Files, WritesIntoNoFolderThatIsNotThere) {
  const TemporaryFolder folder;
  EXPECT_EQ(writeFile(folder.path() / "absent" / "x", "1").error().code, ErrorCode::notFound);
  EXPECT_FALSE(writeFile(folder.path() / "", "1"));
  EXPECT_FALSE(writeFile("", "1"));
}

TEST(Files, KeepsTheOldFileWhenAWriterIsAbandoned) {
  const TemporaryFolder folder;
  writeText(folder.path() / "x", "old");
  {
    auto writer = FileWriter::create(folder.path() / "x");
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->write(std::string_view("new")));
    EXPECT_EQ(namesIn(folder.path()).size(), 2u);
  }
  EXPECT_EQ(readText(folder.path() / "x"), "old");
  EXPECT_EQ(namesIn(folder.path()), Names{"x"});
}

TEST(Files, AppearsOnlyWithCommitAndOnlyOnce) {
  const TemporaryFolder folder;
  auto writer = FileWriter::create(folder.path() / "x");
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->write(std::string_view("a")));
  ASSERT_TRUE(writer->write(std::as_bytes(std::span("b", 1))));
  EXPECT_FALSE(fs::exists(folder.path() / "x"));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(readText(folder.path() / "x"), "ab");
  EXPECT_FALSE(writer->commit());
  EXPECT_FALSE(writer->write(std::string_view("c")));
}

TEST(Files, LeavesNothingWhenTheDestinationIsAFolder) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "x");
  EXPECT_FALSE(writeFile(folder.path() / "x", "1"));
  EXPECT_EQ(namesIn(folder.path()), Names{"x"});
}

TEST(Files, WritesNamesOfTheGreatestLength) {
  const TemporaryFolder folder;
  const std::string name(255, 'n');
  ASSERT_TRUE(writeFile(folder.path() / name, "1"));
  EXPECT_EQ(readText(folder.path() / name), "1");
}

TEST(Files, TwoWritersOfOneFileDoNotMix) {
  const TemporaryFolder folder;
  const auto fill = [&](char letter) {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(writeFile(folder.path() / "x", std::string(100000, letter)));
  };
  std::thread other([&] { fill('a'); });
  fill('b');
  other.join();
  const std::string text = readText(folder.path() / "x");
  EXPECT_EQ(text, std::string(100000, text[0]));
  EXPECT_EQ(namesIn(folder.path()), Names{"x"});
}

TEST(Files, MapsAFileAndAnEmptyOne) {
  const TemporaryFolder folder;
  writeText(folder.path() / "x", "12345");
  writeText(folder.path() / "empty", "");
  const auto mapped = MappedFile::open(folder.path() / "x");
  ASSERT_TRUE(mapped);
  EXPECT_EQ((*mapped)->bytes().size(), 5u);
  EXPECT_EQ((*mapped)->bytes()[4], std::byte{'5'});
  const auto empty = MappedFile::open(folder.path() / "empty");
  ASSERT_TRUE(empty);
  EXPECT_TRUE((*empty)->bytes().empty());
}

TEST(StagedFolder, AppearsWholeOrNotAtAll) {
  const TemporaryFolder folder;
  {
    auto staged = StagedFolder::create(folder.path() / "run");
    ASSERT_TRUE(staged);
    writeText(staged->path() / "a" / "b", "1");
  }
  EXPECT_TRUE(namesIn(folder.path()).empty());
  auto staged = StagedFolder::create(folder.path() / "run" / "");
  ASSERT_TRUE(staged);
  writeText(staged->path() / "a" / "b", "1");
  EXPECT_FALSE(fs::exists(folder.path() / "run"));
  ASSERT_TRUE(staged->commit());
  EXPECT_EQ(readText(folder.path() / "run" / "a" / "b"), "1");
  EXPECT_EQ(namesIn(folder.path()), Names{"run"});
}

TEST(StagedFolder, ReplacesAnEmptyFolderAndNothingElse) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "empty");
  auto first = StagedFolder::create(folder.path() / "empty");
  ASSERT_TRUE(first);
  writeText(first->path() / "x", "1");
  EXPECT_TRUE(first->commit());
  for (const std::string taken : {"empty", "file"}) {
    if (taken == "file") writeText(folder.path() / "file", "keep");
    auto staged = StagedFolder::create(folder.path() / taken);
    ASSERT_TRUE(staged);
    EXPECT_FALSE(staged->commit());
  }
  EXPECT_EQ(readText(folder.path() / "file"), "keep");
  EXPECT_EQ(readText(folder.path() / "empty" / "x"), "1");
  EXPECT_EQ(namesIn(folder.path()), (Names{"empty", "file"}));
}

TEST(Files, AFullDiskIsSaidAndLeavesTheOldFileAlone) {
  const SmallDisk disk("1m");
  STRATA_NEEDS(disk);
  ASSERT_TRUE(writeFile(disk.path() / "x", "old"));
  const auto written = writeFile(disk.path() / "x", std::string(2 << 20, 'n'));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::diskFull) << written.error().message;
  EXPECT_NE(written.error().message.find((disk.path() / "x").string()), std::string::npos);
  EXPECT_EQ(readText(disk.path() / "x"), "old");
  EXPECT_EQ(namesIn(disk.path()), Names{"x"});
  EXPECT_TRUE(writeFile(disk.path() / "y", std::string(500000, 'n')));
}

TEST(Files, AFullDiskLeavesNoStagedFolder) {
  const SmallDisk disk("1m");
  STRATA_NEEDS(disk);
  {
    auto staged = StagedFolder::create(disk.path() / "run");
    ASSERT_TRUE(staged);
    ASSERT_TRUE(writeFile(staged->path() / "a", std::string(500000, 'n')));
    EXPECT_EQ(writeFile(staged->path() / "b", std::string(1 << 20, 'n')).error().code, ErrorCode::diskFull);
  }
  EXPECT_TRUE(namesIn(disk.path()).empty());
}

// FIPS 180-4, the examples published with it.
TEST(Sha256, GivesTheKnownAnswers) {
  EXPECT_EQ(sha256({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(std::as_bytes(std::span("abc", 3))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, OfAFileEqualsThatOfItsBytes) {
  const TemporaryFolder folder;
  std::string bytes(9 << 20, 'a');  // more than two of the pieces it is read in
  bytes[5 << 20] = 'b';
  writeText(folder.path() / "x", bytes);
  EXPECT_EQ(*sha256OfFile(folder.path() / "x"), sha256(std::as_bytes(std::span(bytes))));
  EXPECT_FALSE(sha256OfFile(folder.path() / "absent"));
}

TEST(Errors, HaveANameForMachines) {
  EXPECT_STREQ(toString(ErrorCode::diskFull), "disk_full");
  EXPECT_STREQ(toString(ErrorCode::usage), "usage");
}

}  // namespace
}  // namespace strata
