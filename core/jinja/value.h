#pragma once
// The values of a template. They are immutable as Python's are in Jinja's sandbox, namespaces, loops, cyclers and
// joiners excepted. A Value is 16 bytes; copies share what lies on the heap.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/jinja/heap.h"

namespace strata::jinja {

enum class Kind : std::uint8_t {
  missing,  // no value at all: a parameter that was not given
  undefined,
  none,
  boolean,
  integer,
  floating,
  bigInteger,  // a number of the data beyond 64 bits, which can only be printed
  string,
  list,
  tuple,
  dict,
  view,  // dict.items(), keys(), values()
  range,
  generator,  // what map, select and others give: can be walked once
  space,      // namespace()
  function,
  macro,
  loop,
  cycler,
  joiner,
  scope,  // of variables; never seen by a template
};

class Value {
 public:
  Value() = default;
  Value(const Value& other) : m_kind(other.m_kind), m_data(other.m_data) {
    if (isObject()) ++m_data.object->m_references;
  }
  Value(Value&& other) noexcept : m_kind(other.m_kind), m_data(other.m_data) { other.m_kind = Kind::missing; }
  Value& operator=(Value other) noexcept {
    std::swap(m_kind, other.m_kind);
    std::swap(m_data, other.m_data);
    return *this;
  }
  ~Value() {
    if (isObject() && --m_data.object->m_references == 0) m_data.object->m_heap->drop(m_data.object);
  }

  static Value none() { return Value(Kind::none); }
  static Value boolean(bool b) {
    Value value(Kind::boolean);
    value.m_data.integer = b ? 1 : 0;
    return value;
  }
  static Value integer(std::int64_t n) {
    Value value(Kind::integer);
    value.m_data.integer = n;
    return value;
  }
  static Value floating(double x) {
    Value value(Kind::floating);
    value.m_data.floating = x;
    return value;
  }
  static Value of(Kind kind, Object* object) {
    Value value(kind);
    value.m_data.object = object;
    ++object->m_references;
    return value;
  }

  Kind kind() const { return m_kind; }
  bool is(Kind kind) const { return m_kind == kind; }
  bool isMissing() const { return m_kind == Kind::missing; }
  bool isUndefined() const { return m_kind == Kind::undefined; }
  bool isNone() const { return m_kind == Kind::none; }
  bool isString() const { return m_kind == Kind::string; }
  /// Python's bool is an int: 0 or 1.
  bool isInteger() const { return m_kind == Kind::integer || m_kind == Kind::boolean; }
  bool isNumber() const { return isInteger() || m_kind == Kind::floating; }
  bool isSequence() const { return m_kind == Kind::list || m_kind == Kind::tuple; }

  bool asBoolean() const { return m_data.integer != 0; }
  std::int64_t asInteger() const { return m_data.integer; }
  double asFloating() const { return m_data.floating; }
  double asNumber() const { return isInteger() ? static_cast<double>(m_data.integer) : m_data.floating; }
  template <class T>
  T& as() const {
    return *static_cast<T*>(m_data.object);
  }
  const Object* object() const { return isObject() ? m_data.object : nullptr; }

 private:
  explicit Value(Kind kind) : m_kind(kind) {}
  bool isObject() const { return m_kind == Kind::undefined || m_kind >= Kind::bigInteger; }
  Kind m_kind = Kind::missing;
  union {
    std::int64_t integer;
    double floating;
    Object* object;
  } m_data = {0};
};

/// A list of values that grows under the heap's eye.
class ListBuilder {
 public:
  explicit ListBuilder(Heap& heap) : m_heap(heap) {}
  ~ListBuilder() { m_heap.release(m_charged); }
  ListBuilder(const ListBuilder&) = delete;
  ListBuilder& operator=(const ListBuilder&) = delete;
  void reserve(std::size_t count);
  void push(Value value);
  std::vector<Value>& items() { return m_items; }
  std::size_t size() const { return m_items.size(); }
  Value list();
  Value tuple();
  Value generator();

 private:
  std::vector<Value> take();
  Heap& m_heap;
  std::vector<Value> m_items;
  std::size_t m_charged = 0;
};

struct UndefinedObject : Object {
  UndefinedObject(std::string text, bool isUnsafe) : message(std::move(text)), unsafe(isUnsafe) {}
  std::size_t extent() const override { return message.capacity(); }
  std::string message;  // what an operation on it says
  bool unsafe;          // something that the sandbox hides
};

struct StringObject : Object {
  StringObject(std::string bytes, std::size_t characters, bool isMarkup)
      : text(std::move(bytes)), length(characters), markup(isMarkup) {}
  std::size_t extent() const override { return text.capacity(); }
  bool ascii() const { return length == text.size(); }
  std::string text;
  std::size_t length;  // in code points
  bool markup;         // marked as HTML by safe or escape: what joins it is escaped
};

struct BigIntegerObject : Object {
  explicit BigIntegerObject(std::uint64_t number) : value(number) {}
  std::uint64_t value;
};

/// A list or a tuple.
struct ListObject : Object {
  ListObject(std::vector<Value> values, int depthOfValues) : items(std::move(values)), depth(depthOfValues) {}
  void clear() override { items.clear(); }
  std::size_t extent() const override { return items.capacity() * sizeof(Value); }
  std::vector<Value> items;
  int depth;
  bool group = false;  // of groupby: has .grouper and .list
};

/// Keeps the order in which keys came.
class DictObject : public Object {
 public:
  using Entry = std::pair<Value, Value>;
  void clear() override { m_entries.clear(); }
  const std::vector<Entry>& entries() const { return m_entries; }
  const Value* find(Heap& heap, std::string_view key) const;
  const Value* find(Heap& heap, const Value& key) const;
  int depth() const { return m_depth; }

 private:
  friend class DictBuilder;
  template <class Equal>
  std::size_t locate(Heap& heap, std::size_t hash, Equal equal) const;
  std::vector<Entry> m_entries;
  std::vector<std::uint32_t> m_slots;  // entry number + 1; a power of two, none while there are few entries
  int m_depth = 1;
};

/// Fills a dictionary that nobody else sees yet, or the fields of a namespace.
class DictBuilder {
 public:
  explicit DictBuilder(Heap& heap);
  explicit DictBuilder(Heap& heap, DictObject& dict) : m_heap(heap), m_dict(&dict) {}
  void set(Value key, Value value);
  void set(std::string_view key, Value value);
  Value dict() const { return m_value; }

 private:
  void index();
  Heap& m_heap;
  Value m_value;
  DictObject* m_dict;
};

struct ViewObject : Object {
  enum class What { items, keys, values };
  ViewObject(Value of, What part) : dict(std::move(of)), what(part) {}
  void clear() override { dict = {}; }
  Value dict;
  What what;
};

struct RangeObject : Object {
  RangeObject(std::int64_t first, std::int64_t end, std::int64_t by, std::int64_t size)
      : start(first), stop(end), step(by), count(size) {}
  std::int64_t start, stop, step, count;
};

struct GeneratorObject : Object {
  explicit GeneratorObject(std::vector<Value> values) : items(std::move(values)) {}
  void clear() override { items.clear(); }
  std::size_t extent() const override { return items.capacity() * sizeof(Value); }
  std::vector<Value> items;
  std::size_t next = 0;
};

struct NamespaceObject : Object {
  explicit NamespaceObject(Value dict) : fields(std::move(dict)) {}
  void clear() override { fields = {}; }
  Value fields;
};

class Interpreter;
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};
/// A filter, a test, a method or a global function; `subject` is what it is applied to.
using BuiltinCall = Value (*)(Interpreter&, const Value& subject, Arguments&);
struct Builtin {
  std::string_view name;
  BuiltinCall call;
};
/// Null where no entry has the name.
const Builtin* findBuiltin(std::span<const Builtin> builtins, std::string_view name);

struct FunctionObject : Object {
  FunctionObject(const Builtin& function, Value self) : builtin(&function), subject(std::move(self)) {}
  void clear() override { subject = {}; }
  const Builtin* builtin;
  Value subject;
};

struct CyclerObject : Object {
  explicit CyclerObject(std::vector<Value> values) : items(std::move(values)) {}
  void clear() override { items.clear(); }
  std::size_t extent() const override { return items.capacity() * sizeof(Value); }
  std::vector<Value> items;
  std::size_t position = 0;
};

struct JoinerObject : Object {
  explicit JoinerObject(Value text) : separator(std::move(text)) {}
  void clear() override { separator = {}; }
  Value separator;
  bool used = false;
};

Value makeString(Heap& heap, std::string text, bool markup = false);
Value makeUndefined(Heap& heap, std::string message, bool unsafe = false);
Value makeList(Heap& heap, std::vector<Value> items, Kind kind = Kind::list);
/// Text, of which `text.as<StringObject>()` is the value.
inline const std::string& textOf(const Value& text) {
  return text.as<StringObject>().text;
}

/// The data of a template: objects become dictionaries, in their order.
Value fromJson(Heap& heap, const Json& json, int depth = 0);

/// "str", "int", "NoneType", … as Python's messages name types.
std::string typeName(const Value& value);
/// How deep lists and dictionaries nest in it.
int depthOf(const Value& value);
std::size_t hashOf(Heap& heap, const Value& value);

}  // namespace strata::jinja
