#include "core/service/http_connection.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace strata {
namespace {

constexpr int kBodyPatience = 6;
constexpr std::size_t kMostHeaderBytes = 64u << 10;
constexpr std::chrono::milliseconds kLook{50};  // how often a wait looks whether the server stops

void addressOf(const sockaddr_storage& address, std::string& ip, int& port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    port = ntohs(v4->sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);  // an IPv4 client of an IPv6 socket
    constexpr int kPrefixBytes = 12;
    const auto* bytes = reinterpret_cast<const char*>(&v6->sin6_addr);
    inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? bytes + kPrefixBytes : bytes, text.data(), text.size());
    port = ntohs(v6->sin6_port);
  }
  ip = text.data();
}

}  // namespace

HttpConnection::~HttpConnection() {
  ::shutdown(m_socket, SHUT_WR);
  // Closing over unread bytes resets the connection, and the client may lose the answer that says why.
  const Clock::time_point until = Clock::now() + std::chrono::milliseconds(300);
  for (std::size_t drained = 0; drained < (1u << 20) && wait(POLLIN, until);) {
    const ssize_t count = ::recv(m_socket, m_buffer.data(), m_buffer.size(), MSG_DONTWAIT);
    if (count <= 0) break;
    drained += static_cast<std::size_t>(count);
  }
  ::close(m_socket);
}

bool HttpConnection::wait(short events, Clock::time_point until) const {
  while (!m_hungUp) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return false;
    pollfd file = {m_socket, events, 0};
    const int ready = ::poll(&file, 1, static_cast<int>(std::min(left, kLook).count()) + 1);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
  return false;
}

void HttpConnection::refuse(socket_t socket) {
  constexpr std::string_view kBusyAnswer =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
  ::send(socket, kBusyAnswer.data(), kBusyAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(socket, SHUT_WR);
  ::close(socket);
}

void HttpConnection::becomeIdle() {
  m_idleSince = Clock::now().time_since_epoch().count();
}

bool HttpConnection::beginRequest() {
  m_inHeader = true;
  m_headerBytes = 0;
  if (m_begin == m_end && !wait(POLLIN, Clock::now() + m_patience)) return false;
  m_deadline = Clock::now() + m_patience;
  return true;
}

void HttpConnection::beginBody() {
  m_inHeader = false;
  m_idleSince = kBusy;
  m_deadline = Clock::now() + kBodyPatience * m_patience;
}

std::optional<std::chrono::steady_clock::time_point> HttpConnection::idleSince() const {
  const Clock::rep since = m_idleSince;
  if (since == kBusy) return std::nullopt;
  return Clock::time_point(Clock::duration(since));
}

bool HttpConnection::isGone() const {
  if (m_hungUp) return true;
  pollfd file = {m_socket, POLLIN | POLLRDHUP, 0};
  if (::poll(&file, 1, 0) <= 0) return false;
  if ((file.revents & (POLLERR | POLLHUP | POLLNVAL | POLLRDHUP)) != 0) return true;
  char byte = 0;
  return ::recv(m_socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool HttpConnection::is_readable() const {
  return m_begin < m_end || wait(POLLIN, std::min(m_deadline, Clock::now() + m_patience));
}

bool HttpConnection::is_writable() const {
  return !isGone() && wait(POLLOUT, Clock::now() + m_patience);
}

ssize_t HttpConnection::read(char* bytes, size_t size) {
  if (m_begin == m_end) {
    if (!is_readable()) return -1;
    const ssize_t count = ::recv(m_socket, m_buffer.data(), m_buffer.size(), MSG_DONTWAIT);
    if (count <= 0) return count;
    m_begin = 0;
    m_end = static_cast<std::size_t>(count);
  }
  const std::size_t taken = std::min(size, m_end - m_begin);
  if (m_inHeader && (m_headerBytes += taken) > kMostHeaderBytes) return -1;
  std::memcpy(bytes, m_buffer.data() + m_begin, taken);
  m_begin += taken;
  return static_cast<ssize_t>(taken);
}

ssize_t HttpConnection::write(const char* bytes, size_t size) {
  for (std::size_t sent = 0; sent < size;) {  // all of it: not every caller looks at how much went
    if (!wait(POLLOUT, Clock::now() + m_patience)) return -1;
    const ssize_t count = ::send(m_socket, bytes + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN && errno != EINTR) return -1;
    sent += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
  return static_cast<ssize_t>(size);
}

void HttpConnection::get_remote_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getpeername(m_socket, reinterpret_cast<sockaddr*>(&address), &size) == 0) addressOf(address, ip, port);
}

void HttpConnection::get_local_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(m_socket, reinterpret_cast<sockaddr*>(&address), &size) == 0) addressOf(address, ip, port);
}

}  // namespace strata
