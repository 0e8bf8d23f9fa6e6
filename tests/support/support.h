#pragma once
// What tests share: where data lies, and a folder that vanishes.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace strata::testing {

/// Whether sanitizers watch this build. Then all takes many times longer, and some things more than others: what
/// something costs is measured in the other builds.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

inline std::filesystem::path sourceFolder() {
  return STRATA_SOURCE_DIR;
}

/// The shared data folder, or empty where this checkout has none.
inline std::filesystem::path sharedData() {
  const char* given = std::getenv("STRATA_SHARED_DATA");
  std::filesystem::path folder = given != nullptr ? given : STRATA_SHARED_DATA_DEFAULT;
  return std::filesystem::is_directory(folder) ? folder : std::filesystem::path();
}

#define STRATA_NEEDS_SHARED_DATA()                                   \
  if (::strata::testing::sharedData().empty()) {                     \
    GTEST_SKIP() << "no shared data folder; set STRATA_SHARED_DATA"; \
  }

/// A fresh folder, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "strata-test-XXXXXX").string();
    m_path = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return m_path; }

 private:
  std::filesystem::path m_path;
};

inline std::string readText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void writeText(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace strata::testing
