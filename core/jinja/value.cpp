#include "core/jinja/value.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/jinja/operators.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

constexpr std::size_t kUnindexed = 8;  // entries that a plain search finds as fast

std::size_t mix(std::uint64_t x) {  // the finaliser of SplitMix64
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return static_cast<std::size_t>(x ^ (x >> 31));
}

std::size_t hashText(std::string_view text) {
  return std::hash<std::string_view>()(text);
}

void checkDepth(Heap& heap, int depth) {
  if (depth > heap.limits().valueDepth) {
    throw Failure{Failure::Kind::limit,
                  "a value holds more than " + std::to_string(heap.limits().valueDepth) + " levels of lists", 0};
  }
}

}  // namespace

void ListBuilder::reserve(std::size_t count) {
  if (count <= m_items.capacity()) return;
  if (count > m_heap.limits().bytes / sizeof(Value)) m_heap.charge(m_heap.limits().bytes + 1);
  m_heap.charge(count * sizeof(Value));
  m_items.reserve(count);
  m_heap.release(m_charged);
  m_charged = count * sizeof(Value);
}

void ListBuilder::push(Value value) {
  m_heap.step();
  if (m_items.size() == m_items.capacity()) reserve(std::max<std::size_t>(4, m_items.capacity() * 2));
  m_items.push_back(std::move(value));
}

std::vector<Value> ListBuilder::take() {
  m_heap.release(m_charged);
  m_charged = 0;
  return std::move(m_items);
}

Value ListBuilder::list() {
  return makeList(m_heap, take(), Kind::list);
}

Value ListBuilder::tuple() {
  return makeList(m_heap, take(), Kind::tuple);
}

Value ListBuilder::generator() {
  return Value::of(Kind::generator, m_heap.make<GeneratorObject>(take()));
}

const Value* DictObject::find(Heap& heap, std::string_view key) const {
  const auto equal = [&](const Value& other) { return other.isString() && textOf(other) == key; };
  if (m_slots.empty()) {
    for (const Entry& entry : m_entries)
      if (equal(entry.first)) return &entry.second;
    return nullptr;
  }
  heap.work(key.size());
  const std::size_t at = locate(heap, hashText(key), equal);
  return m_slots[at] == 0 ? nullptr : &m_entries[m_slots[at] - 1].second;
}

const Value* DictObject::find(Heap& heap, const Value& key) const {
  const std::size_t hash = hashOf(heap, key);  // refuses what cannot be a key
  const auto equal = [&](const Value& other) { return equals(heap, other, key); };
  if (m_slots.empty()) {
    for (const Entry& entry : m_entries)
      if (equal(entry.first)) return &entry.second;
    return nullptr;
  }
  const std::size_t at = locate(heap, hash, equal);
  return m_slots[at] == 0 ? nullptr : &m_entries[m_slots[at] - 1].second;
}

// The slot of the key, or the free one where it would go.
template <class Equal>
std::size_t DictObject::locate(Heap& heap, std::size_t hash, Equal equal) const {
  std::size_t at = hash & (m_slots.size() - 1);
  while (m_slots[at] != 0 && !equal(m_entries[m_slots[at] - 1].first)) {
    heap.step();
    at = (at + 1) & (m_slots.size() - 1);
  }
  return at;
}

DictBuilder::DictBuilder(Heap& heap) : m_heap(heap), m_dict(heap.make<DictObject>()) {
  m_value = Value::of(Kind::dict, m_dict);
}

void DictBuilder::set(Value key, Value value) {
  const int depth = 1 + std::max(depthOf(key), depthOf(value));
  checkDepth(m_heap, depth);
  m_dict->m_depth = std::max(m_dict->m_depth, depth);
  m_heap.step();
  if (const Value* present = m_dict->find(m_heap, key)) {
    const_cast<Value&>(*present) = std::move(value);  // the dictionary is ours to fill
    return;
  }
  if (m_dict->m_entries.size() == m_dict->m_entries.capacity()) {
    const std::size_t capacity = std::max<std::size_t>(4, m_dict->m_entries.capacity() * 2);
    const std::size_t more = (capacity - m_dict->m_entries.capacity()) * sizeof(DictObject::Entry);
    m_heap.chargeTo(*m_dict, more);
    m_dict->m_entries.reserve(capacity);
  }
  m_dict->m_entries.emplace_back(std::move(key), std::move(value));
  index();
}

void DictBuilder::set(std::string_view key, Value value) {
  set(makeString(m_heap, std::string(key)), std::move(value));
}

// Enters the newest entry; makes the table anew where it is more than half full.
void DictBuilder::index() {
  std::vector<DictObject::Entry>& entries = m_dict->m_entries;
  std::vector<std::uint32_t>& slots = m_dict->m_slots;
  if (entries.size() <= kUnindexed) return;
  const auto enter = [&](std::size_t number) {
    const auto never = [](const Value&) { return false; };
    slots[m_dict->locate(m_heap, hashOf(m_heap, entries[number].first), never)] =
        static_cast<std::uint32_t>(number + 1);
  };
  if (entries.size() * 2 <= slots.size()) {
    enter(entries.size() - 1);
    return;
  }
  const std::size_t size = std::bit_ceil(entries.size() * 4);
  m_heap.chargeTo(*m_dict, (size - slots.size()) * sizeof(std::uint32_t));
  slots.assign(size, 0);
  for (std::size_t i = 0; i < entries.size(); ++i) enter(i);
}

const Builtin* findBuiltin(std::span<const Builtin> builtins, std::string_view name) {
  for (const Builtin& builtin : builtins)
    if (builtin.name == name) return &builtin;
  return nullptr;
}

Value makeString(Heap& heap, std::string text, bool markup) {
  if (text.capacity() > 2 * text.size() + 32) text.shrink_to_fit();
  heap.work(text.size());
  const std::size_t length = countCharacters(text);
  return Value::of(Kind::string, heap.make<StringObject>(std::move(text), length, markup));
}

Value makeUndefined(Heap& heap, std::string message, bool unsafe) {
  return Value::of(Kind::undefined, heap.make<UndefinedObject>(std::move(message), unsafe));
}

Value makeList(Heap& heap, std::vector<Value> items, Kind kind) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, depthOf(item));
  checkDepth(heap, depth + 1);
  return Value::of(kind, heap.make<ListObject>(std::move(items), depth + 1));
}

Value fromJson(Heap& heap, const Json& json, int depth) {
  checkDepth(heap, depth);
  switch (json.type()) {
    case Json::value_t::boolean:
      return Value::boolean(json.get<bool>());
    case Json::value_t::number_integer:
      return Value::integer(json.get<std::int64_t>());
    case Json::value_t::number_unsigned: {
      const auto number = json.get<std::uint64_t>();
      if (number <= static_cast<std::uint64_t>(INT64_MAX)) return Value::integer(static_cast<std::int64_t>(number));
      return Value::of(Kind::bigInteger, heap.make<BigIntegerObject>(number));
    }
    case Json::value_t::number_float:
      return Value::floating(json.get<double>());
    case Json::value_t::string:
      return makeString(heap, json.get<std::string>());
    case Json::value_t::array: {
      ListBuilder items(heap);
      items.reserve(json.size());
      for (const Json& item : json) items.push(fromJson(heap, item, depth + 1));
      return items.list();
    }
    case Json::value_t::object: {
      DictBuilder dict(heap);
      for (const auto& [key, value] : json.items()) dict.set(key, fromJson(heap, value, depth + 1));
      return dict.dict();
    }
    default:
      return Value::none();
  }
}

std::string typeName(const Value& value) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::undefined:
      return "Undefined";
    case Kind::none:
      return "NoneType";
    case Kind::boolean:
      return "bool";
    case Kind::integer:
    case Kind::bigInteger:
      return "int";
    case Kind::floating:
      return "float";
    case Kind::string:
      return "str";
    case Kind::list:
      return "list";
    case Kind::tuple:
      return "tuple";
    case Kind::dict:
      return "dict";
    case Kind::view:
      switch (value.as<ViewObject>().what) {
        case ViewObject::What::items:
          return "dict_items";
        case ViewObject::What::keys:
          return "dict_keys";
        default:
          return "dict_values";
      }
    case Kind::range:
      return "range";
    case Kind::generator:
      return "generator";
    case Kind::space:
      return "Namespace";
    case Kind::function:
      return "function";
    case Kind::macro:
      return "Macro";
    case Kind::loop:
      return "LoopContext";
    case Kind::cycler:
      return "Cycler";
    case Kind::joiner:
      return "Joiner";
    case Kind::scope:
      return "Context";
  }
  return "object";
}

int depthOf(const Value& value) {
  switch (value.kind()) {
    case Kind::list:
    case Kind::tuple:
      return value.as<ListObject>().depth;
    case Kind::dict:
      return value.as<DictObject>().depth();
    case Kind::view:
      return depthOf(value.as<ViewObject>().dict);
    case Kind::space:
      return depthOf(value.as<NamespaceObject>().fields);
    default:
      return 0;
  }
}

std::size_t hashOf(Heap& heap, const Value& value) {
  switch (value.kind()) {
    case Kind::string:
      heap.work(textOf(value).size());
      return hashText(textOf(value));
    case Kind::boolean:
    case Kind::integer:
      return mix(static_cast<std::uint64_t>(value.asInteger()));
    case Kind::floating: {
      const double x = value.asFloating();
      if (std::floor(x) == x && std::fabs(x) < 9e18)
        return mix(static_cast<std::uint64_t>(static_cast<std::int64_t>(x)));
      return mix(std::bit_cast<std::uint64_t>(x));
    }
    case Kind::tuple: {
      std::size_t hash = 1;
      for (const Value& item : value.as<ListObject>().items) {
        heap.step();
        hash = mix(hash + hashOf(heap, item));
      }
      return hash;
    }
    case Kind::list:
    case Kind::dict:
    case Kind::view:
      refuse("unhashable type: '" + typeName(value) + "'");
    case Kind::none:
    case Kind::undefined:
      return mix(static_cast<std::uint64_t>(value.kind()));
    case Kind::bigInteger:
      return mix(value.as<BigIntegerObject>().value);
    default:
      return mix(reinterpret_cast<std::uintptr_t>(value.object()));
  }
}

}  // namespace strata::jinja
