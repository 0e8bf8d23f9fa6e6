#pragma once
// A file system that is full soon. Only root may mount one: elsewhere a test is skipped, but never in CI.
//
//   const SmallDisk disk("64k");
//   STRATA_NEEDS(disk);

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "support.h"

namespace strata::testing {

/// Whether a check that this machine does not allow is a failure (CI=true, as CI services and .ci/run set it).
inline bool mustRunEverything() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string(ci) == "true";
}

class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) {
    m_mounted = ::mount("tmpfs", m_folder.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
    if (!m_mounted) m_missing = std::string("A small file system cannot be mounted here: ") + std::strerror(errno);
  }
  ~SmallDisk() {
    if (m_mounted) ::umount(m_folder.path().c_str());
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  const std::filesystem::path& path() const { return m_folder.path(); }
  /// Why it is not there; empty: it is.
  const std::string& missing() const { return m_missing; }

 private:
  TemporaryFolder m_folder;
  bool m_mounted = false;
  std::string m_missing;
};

/// Ends a test that lacks what it needs (`thing.missing()`): skipped, or failed in CI.
#define STRATA_NEEDS(thing)                                                                  \
  if (!(thing).missing().empty()) {                                                          \
    if (::strata::testing::mustRunEverything()) FAIL() << (thing).missing() << " (CI=true)"; \
    GTEST_SKIP() << (thing).missing();                                                       \
  }

}  // namespace strata::testing
