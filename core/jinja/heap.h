#pragma once
// The memory and the time of one rendering: every object that a template makes is counted here, and so is every step.
// Objects are reference-counted; what a cycle keeps alive (a macro in the scope that it captured) goes with the heap.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/jinja/limits.h"

namespace strata::jinja {

/// Thrown inside the interpreter alone; Template turns it into an Error.
struct Failure {
  enum class Kind { wrong, raised, limit };
  Kind kind = Kind::wrong;
  std::string message;  // a sentence without a full stop
  int line = 0;         // 0: where the interpreter stands
};

[[noreturn]] void refuse(std::string message);
/// What of a template's own text a message may repeat: at most `characters` of it, control characters as "?".
std::string shown(std::string_view text, std::size_t characters = 80);

class Heap;

/// Something on the heap. `extent` is what it holds beside itself, in bytes.
class Object {
 public:
  Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() = default;
  /// Lets go of every value that the object holds.
  virtual void clear() {}
  virtual std::size_t extent() const { return 0; }

 private:
  friend class Heap;
  friend class Value;
  Heap* m_heap = nullptr;
  Object* m_next = nullptr;
  Object* m_previous = nullptr;
  std::size_t m_bytes = 0;
  std::uint32_t m_references = 0;
};

class Heap {
 public:
  explicit Heap(const Limits& limits) : m_limits(limits) {}
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  template <class T, class... Arguments>
  T* make(Arguments&&... arguments) {
    charge(sizeof(T) + kOverhead);
    T* object = new T(std::forward<Arguments>(arguments)...);
    adopt(object, sizeof(T) + kOverhead);
    return object;
  }

  void step(std::uint64_t count = 1) {
    m_steps += count;
    if (m_steps > m_limits.steps) refuseSteps();
  }
  /// The steps of looking at or copying `bytes`.
  void work(std::size_t bytes) { step(1 + bytes / 32); }
  /// The same where each character is looked at.
  void scan(std::size_t bytes) { step(1 + bytes / 8); }
  /// Counts bytes that the caller is about to take; refuses before they are taken.
  void charge(std::size_t bytes) {
    if (bytes > m_limits.bytes - m_bytes) refuseBytes();
    m_bytes += bytes;
    if (m_bytes > m_peak) m_peak = m_bytes;
  }
  void release(std::size_t bytes) { m_bytes -= bytes; }
  /// The same for an object that grows: given back when it goes.
  void chargeTo(Object& object, std::size_t bytes) {
    charge(bytes);
    object.m_bytes += bytes;
  }
  /// Refuses what could not be charged, and counts the work of filling it.
  void ensure(std::size_t bytes) {
    if (bytes > m_limits.bytes - m_bytes) refuseBytes();
    work(bytes);
  }

  const Limits& limits() const { return m_limits; }
  std::uint64_t steps() const { return m_steps; }
  std::size_t peak() const { return m_peak; }

 private:
  friend class Value;
  static constexpr std::size_t kOverhead = 16;  // of the allocator
  void adopt(Object* object, std::size_t bytes);
  void drop(Object* object);
  void unlink(Object* object);
  [[noreturn]] void refuseSteps() const;
  [[noreturn]] void refuseBytes() const;

  Limits m_limits;
  std::uint64_t m_steps = 0;
  std::size_t m_bytes = 0;
  std::size_t m_peak = 0;
  Object* m_first = nullptr;
  std::vector<Object*> m_dropped;  // waiting to go: a chain of objects ends without recursion
  bool m_dropping = false;
};

/// A text that grows under the heap's eye.
class TextBuilder {
 public:
  explicit TextBuilder(Heap& heap) : m_heap(heap) {}
  ~TextBuilder() { m_heap.release(m_charged); }
  TextBuilder(const TextBuilder&) = delete;
  TextBuilder& operator=(const TextBuilder&) = delete;
  void append(std::string_view text);
  void append(char c) { append(std::string_view(&c, 1)); }
  void append(std::size_t count, std::string_view text);
  std::size_t size() const { return m_text.size(); }
  const std::string& text() const { return m_text; }
  /// The text; nothing is charged for it any more.
  std::string take();

 private:
  void grow(std::size_t extra);
  Heap& m_heap;
  std::string m_text;
  std::size_t m_charged = 0;
};

}  // namespace strata::jinja
