// What the CUDA compiler gave each device kernel, against tests/kernels/cuda_resources.tsv. After a change that is
// meant, STRATA_UPDATE_TABLES=1 rewrites the table.

#include <cxxabi.h>

#include <cstdlib>
#include <map>
#include <regex>

#include "support.h"

namespace strata::kernels::testing {
namespace {

struct Resources {
  int registers = 0;
  int sharedBytes = 0;
  int spillBytes = 0;
};

using Table = std::map<std::string, Resources>;  // by "sm_90 kernel<…>"

std::filesystem::path tableFile() {
  return strata::testing::sourceFolder() / "tests/kernels/cuda_resources.tsv";
}

std::string readableName(const std::string& mangled) {
  char* name = abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, nullptr);
  std::string readable = name == nullptr ? mangled : name;
  std::free(name);
  for (const std::string part : {"void ", "strata::kernels::cuda::", "strata::kernels::"}) {
    for (std::size_t at = readable.find(part); at != std::string::npos; at = readable.find(part)) {
      readable.erase(at, part.size());
    }
  }
  return readable.substr(0, readable.rfind('('));  // a template's argument may be a cast
}

/// Reads what `ptxas -v` printed: lines that name a kernel, then its spills, then its registers and shared memory.
Table readCompilerOutput(const std::string& text) {
  static const std::regex kEntry("Compiling entry function '([^']+)' for '([^']+)'");
  static const std::regex kSpill("(\\d+) bytes spill stores, (\\d+) bytes spill loads");
  static const std::regex kUsed("Used (\\d+) registers");
  static const std::regex kShared("(\\d+) bytes smem");
  Table table;
  Resources* current = nullptr;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, match, kEntry)) current = &table[match[2].str() + " " + readableName(match[1])];
    if (current == nullptr) continue;
    if (std::regex_search(line, match, kSpill)) current->spillBytes = std::stoi(match[1]) + std::stoi(match[2]);
    if (std::regex_search(line, match, kUsed)) current->registers = std::stoi(match[1]);
    if (std::regex_search(line, match, kShared)) current->sharedBytes = std::stoi(match[1]);
  }
  return table;
}

Table readTable() {
  Table table;
  std::istringstream lines(strata::testing::readText(tableFile()));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string architecture, kernel, registers, sharedBytes, spillBytes;
    std::getline(fields, architecture, '\t');
    std::getline(fields, kernel, '\t');
    std::getline(fields, registers, '\t');
    std::getline(fields, sharedBytes, '\t');
    std::getline(fields, spillBytes, '\t');
    table[architecture + " " + kernel] = {std::stoi(registers), std::stoi(sharedBytes), std::stoi(spillBytes)};
  }
  return table;
}

void writeTable(const Table& table) {
  std::ofstream file(tableFile());
  file << "architecture\tkernel\tregisters\tshared bytes\tspill bytes\n";
  for (const auto& [name, resources] : table) {
    const std::size_t space = name.find(' ');
    file << name.substr(0, space) << '\t' << name.substr(space + 1) << '\t' << resources.registers << '\t'
         << resources.sharedBytes << '\t' << resources.spillBytes << '\n';
  }
}

TEST(CudaResources, AreThoseOfTheTable) {
  const std::filesystem::path folder = std::filesystem::path(STRATA_BINARY_DIR) / "kernels/cuda";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the device kernels were not compiled: no nvcc";
  Table compiled;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().string().ends_with(".resources.txt") &&
        std::filesystem::exists(strata::testing::sourceFolder() / "kernels/cuda" /
                                (entry.path().stem().stem().string() + ".cu"))) {
      compiled.merge(readCompilerOutput(strata::testing::readText(entry.path())));
    }
  }
  ASSERT_FALSE(compiled.empty());
  if (std::getenv("STRATA_UPDATE_TABLES") != nullptr) writeTable(compiled);
  const Table table = readTable();
  EXPECT_EQ(compiled.size(), table.size());
  for (const auto& [name, resources] : compiled) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(table.contains(name));
    EXPECT_EQ(resources.sharedBytes, table.at(name).sharedBytes);
    EXPECT_EQ(resources.spillBytes, 0);
    EXPECT_LE(resources.registers, table.at(name).registers) << "fewer blocks fit a processor";
  }
}

TEST(CudaResources, ReadsTheCompilersOutput) {
  const Table table = readCompilerOutput(
      "ptxas info    : Compiling entry function '_Z1fv' for 'sm_80'\n"
      "    8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads\n"
      "ptxas info    : Used 40 registers, used 1 barriers, 1056 bytes smem, 440 bytes cmem[0]\n");
  ASSERT_TRUE(table.contains("sm_80 f"));
  EXPECT_EQ(table.at("sm_80 f").registers, 40);
  EXPECT_EQ(table.at("sm_80 f").sharedBytes, 1056);
  EXPECT_EQ(table.at("sm_80 f").spillBytes, 16);
}

}  // namespace
}  // namespace strata::kernels::testing
