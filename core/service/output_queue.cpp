#include "core/service/output_queue.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/config/visit.h"
#include "core/protocol/framing.h"
#include "core/protocol/rpc.h"

namespace strata {
namespace {

constexpr auto kBetweenTokens = std::chrono::microseconds(1'000'000 / 60);

std::string bodyOf(const protocol::Tokens& tokens) {
  return rpcNotification(protocol::Tokens::kName, configToJson(tokens));
}

}  // namespace

OutputQueue::OutputQueue(int fd, std::function<void()> onBroken)
    : m_fd(fd), m_onBroken(std::move(onBroken)), m_thread([this] { work(); }) {}

OutputQueue::~OutputQueue() {
  {
    const std::lock_guard lock(m_mutex);
    m_ending = true;
  }
  m_changed.notify_one();
  m_thread.join();
}

void OutputQueue::post(std::string body) {
  const std::lock_guard lock(m_mutex);
  if (m_broken) return;
  m_frames.push_back({"", std::move(body)});
  m_changed.notify_one();
}

void OutputQueue::postLatest(const std::string& key, std::string body) {
  const std::lock_guard lock(m_mutex);
  if (m_broken) return;
  std::erase_if(m_frames, [&](const Frame& frame) { return frame.key == key; });
  m_frames.push_back({key, std::move(body)});
  m_changed.notify_one();
}

void OutputQueue::tokens(const Json& request, const std::string& stream, const std::string& text,
                         const std::vector<int>& ids, std::int64_t kvBytesUsed) {
  const std::lock_guard lock(m_mutex);
  if (m_broken) return;
  Gathered& gathered = m_gathered[request.dump()];
  const bool wake = gathered.tokens.ids.empty();  // else the writer knows already when to send
  if (wake) {
    gathered.tokens.request = request;
    gathered.tokens.stream = stream;
  }
  gathered.tokens.text += text;
  gathered.tokens.ids.insert(gathered.tokens.ids.end(), ids.begin(), ids.end());
  gathered.tokens.kvBytesUsed = kvBytesUsed;
  if (wake) m_changed.notify_one();
}

void OutputQueue::answer(const Json& request, std::string body) {
  const std::lock_guard lock(m_mutex);
  if (m_broken) return;
  if (const auto found = m_gathered.find(request.dump()); found != m_gathered.end()) {
    if (!found->second.tokens.ids.empty()) m_frames.push_back({"", bodyOf(found->second.tokens)});
    m_gathered.erase(found);
  }
  m_frames.push_back({"", std::move(body)});
  m_changed.notify_one();
}

bool OutputQueue::drain(std::chrono::milliseconds most) {
  std::unique_lock lock(m_mutex);
  return m_drained.wait_for(lock, most, [this] { return m_broken || (m_frames.empty() && !m_writing); });
}

/// Tokens whose time has come become frames; when the next ones do.
OutputQueue::Clock::time_point OutputQueue::gather(Clock::time_point now) {
  auto next = Clock::time_point::max();
  for (auto& [id, gathered] : m_gathered) {
    if (gathered.tokens.ids.empty()) continue;
    if (gathered.sent + kBetweenTokens > now) {
      next = std::min(next, gathered.sent + kBetweenTokens);
      continue;
    }
    m_frames.push_back({"", bodyOf(gathered.tokens)});
    gathered.tokens.text.clear();
    gathered.tokens.ids.clear();
    gathered.sent = now;
  }
  return next;
}

bool OutputQueue::write(const std::string& bytes) const {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t count = ::write(m_fd, bytes.data() + at, bytes.size() - at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    at += static_cast<std::size_t>(count);
  }
  return true;
}

void OutputQueue::work() {
  std::unique_lock lock(m_mutex);
  while (true) {
    const auto next = gather(Clock::now());
    if (m_frames.empty()) {
      m_drained.notify_all();
      if (m_ending) return;
      if (next == Clock::time_point::max()) {
        m_changed.wait(lock);
      } else {
        m_changed.wait_until(lock, next);
      }
      continue;
    }
    std::string bytes;
    for (const Frame& frame : m_frames) bytes += frameOf(frame.body);
    m_frames.clear();
    m_writing = true;
    lock.unlock();
    const bool written = write(bytes);
    lock.lock();
    m_writing = false;
    if (written) continue;
    m_broken = true;
    m_frames.clear();
    m_gathered.clear();
    m_drained.notify_all();
    lock.unlock();
    m_onBroken();
    return;
  }
}

}  // namespace strata
