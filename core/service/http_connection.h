#pragma once
// One client's socket, read and written with deadlines: a request's header within 5 s of its first byte whatever it
// trickles, its body within 30 s with no pause over 5 s, and an answer that the client takes within 5 s a piece.
// Between requests it waits without holding anything but its thread. Used by one thread; hangUp() by any.

#include <httplib.h>

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>

namespace strata {

class HttpConnection : public httplib::Stream {
 public:
  HttpConnection(socket_t socket, std::chrono::milliseconds patience) : m_socket(socket), m_patience(patience) {}
  /// Closes the socket, after the client had a moment to read what was sent last.
  ~HttpConnection() override;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Sends 503 without waiting, and closes the socket.
  static void refuse(socket_t socket);
  /// The last request is answered: from here to the end of the next header the client is idle.
  void becomeIdle();
  /// Waits for a request's first byte; false where none came in time.
  bool beginRequest();
  /// The header is read: the body's time begins.
  void beginBody();
  /// When the wait for a request's first byte and header began; nothing while a request is answered.
  std::optional<std::chrono::steady_clock::time_point> idleSince() const;
  /// Whether hangUp() was called.
  bool isHungUp() const { return m_hungUp; }
  /// Whether the client has gone, or the server is going.
  bool isGone() const;
  /// Makes every wait end; the server stops.
  void hangUp() { m_hungUp = true; }
  /// This request's body was not read: nothing else may be read after it.
  void closeAfterThis() { m_last = true; }
  bool isLast() const { return m_last; }

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* bytes, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return m_socket; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::rep kBusy = -1;
  /// False where the time is over or the server stops.
  bool wait(short events, Clock::time_point until) const;

  socket_t m_socket;
  std::chrono::milliseconds m_patience;
  std::array<char, 16384> m_buffer{};
  std::size_t m_begin = 0, m_end = 0;
  std::size_t m_headerBytes = 0;
  bool m_inHeader = true;
  bool m_last = false;
  Clock::time_point m_deadline{};
  std::atomic<bool> m_hungUp = false;
  std::atomic<Clock::rep> m_idleSince = kBusy;
};

}  // namespace strata
