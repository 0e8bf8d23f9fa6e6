#include "core/jinja/heap.h"

#include <algorithm>

#include "core/jinja/text.h"

namespace strata::jinja {

void refuse(std::string message) {
  throw Failure{Failure::Kind::wrong, std::move(message), 0};
}

std::string shown(std::string_view text, std::size_t characters) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < characters && at < text.size(); ++i) {
    const char32_t c = nextCharacter(text, at);
    const bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
    appendCharacter(out, control ? U'?' : c);
  }
  if (at < text.size()) out += "...";
  return out;
}

Heap::~Heap() {
  // Nothing may go while others still point at it: one more reference each, then all let go, then all are deleted.
  for (Object* object = m_first; object != nullptr; object = object->m_next) ++object->m_references;
  for (Object* object = m_first; object != nullptr; object = object->m_next) object->clear();
  while (m_first != nullptr) {
    Object* object = m_first;
    m_first = object->m_next;
    delete object;
  }
}

void Heap::adopt(Object* object, std::size_t bytes) {
  object->m_heap = this;
  object->m_bytes = bytes;
  object->m_next = m_first;
  if (m_first != nullptr) m_first->m_previous = object;
  m_first = object;
  const std::size_t extent = object->extent();
  if (extent > m_limits.bytes - m_bytes) {
    drop(object);
    refuseBytes();
  }
  charge(extent);
  object->m_bytes += extent;
}

void Heap::unlink(Object* object) {
  if (object->m_previous != nullptr) {
    object->m_previous->m_next = object->m_next;
  } else {
    m_first = object->m_next;
  }
  if (object->m_next != nullptr) object->m_next->m_previous = object->m_previous;
}

void Heap::drop(Object* object) {
  m_dropped.push_back(object);
  if (m_dropping) return;
  m_dropping = true;
  while (!m_dropped.empty()) {
    Object* next = m_dropped.back();
    m_dropped.pop_back();
    unlink(next);
    release(next->m_bytes);
    delete next;
  }
  m_dropping = false;
}

void Heap::refuseSteps() const {
  throw Failure{Failure::Kind::limit,
                "it takes more than " + std::to_string(m_limits.steps) + " steps, which is what a template may take",
                0};
}

void Heap::refuseBytes() const {
  throw Failure{Failure::Kind::limit,
                "it needs more than " + std::to_string(m_limits.bytes >> 20) + " MiB, which is what a template may use",
                0};
}

void TextBuilder::grow(std::size_t extra) {
  const std::size_t needed = m_text.size() + extra;
  const std::size_t capacity = std::max<std::size_t>({needed, m_text.capacity() * 2, 64});
  // Old and new are both there while the text moves.
  m_heap.charge(capacity);
  m_text.reserve(capacity);
  m_heap.release(m_charged);
  m_charged = capacity;
}

void TextBuilder::append(std::string_view text) {
  m_heap.work(text.size());
  if (m_text.capacity() - m_text.size() < text.size()) grow(text.size());
  m_text.append(text);
}

void TextBuilder::append(std::size_t count, std::string_view text) {
  if (text.empty()) return;
  if (count > m_heap.limits().bytes / text.size()) m_heap.charge(m_heap.limits().bytes + 1);
  m_heap.work(count * text.size());
  if (m_text.capacity() - m_text.size() < count * text.size()) grow(count * text.size());
  for (std::size_t i = 0; i < count; ++i) m_text.append(text);
}

std::string TextBuilder::take() {
  m_heap.release(m_charged);
  m_charged = 0;
  return std::move(m_text);
}

}  // namespace strata::jinja
