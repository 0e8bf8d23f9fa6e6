#pragma once
// A file in memory, for readers that take a path.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace strata::fuzz {

class MemoryFile {
 public:
  MemoryFile() : m_fd(memfd_create("input", 0)) {
    if (m_fd < 0) std::abort();
  }
  ~MemoryFile() { close(m_fd); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// The path of a file that holds these bytes and nothing else.
  std::filesystem::path with(const std::uint8_t* data, std::size_t size) {
    if (ftruncate(m_fd, 0) != 0 || pwrite(m_fd, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
    return "/proc/self/fd/" + std::to_string(m_fd);
  }

 private:
  int m_fd;
};

}  // namespace strata::fuzz
