#pragma once
// A disk as a test wants it: slow, full, or watched. The write() of this program asks onWrite first.
//
//   onWrite = [](const std::string& path, std::size_t bytes) { return path.find("/step-4") ? ENOSPC : 0; };
// What libraries write past this function (SQLite, stdio) is not seen. Set and reset it while nothing writes.

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <functional>
#include <string>
#include <thread>

namespace strata::testing {

/// Asked with the file's path; 0, or the errno that write() fails with.
inline std::function<int(const std::string& path, std::size_t bytes)> onWrite;

/// onWrite for the life of an object.
struct OnWrite {
  explicit OnWrite(std::function<int(const std::string& path, std::size_t bytes)> asked) { onWrite = std::move(asked); }
  ~OnWrite() { onWrite = nullptr; }
  OnWrite(const OnWrite&) = delete;
  OnWrite& operator=(const OnWrite&) = delete;
};

inline bool isInCheckpoint(const std::string& path) {
  return path.find("/checkpoints/") != std::string::npos;
}

/// Sleeps as a disk of this speed would take.
inline void throttle(std::size_t bytes, double bytesPerSecond) {
  std::this_thread::sleep_for(std::chrono::duration<double>(static_cast<double>(bytes) / bytesPerSecond));
}

}  // namespace strata::testing

extern "C" __attribute__((weak, used)) ssize_t write(int file, const void* data, std::size_t bytes) {
  if (strata::testing::onWrite) {
    char path[PATH_MAX];
    const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path, sizeof path);
    const int error =
        length > 0 ? strata::testing::onWrite(std::string(path, static_cast<std::size_t>(length)), bytes) : 0;
    if (error != 0) {
      errno = error;
      return -1;
    }
  }
  return ::syscall(SYS_write, file, data, bytes);
}
