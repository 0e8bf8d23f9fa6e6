// Scopes, statements' helpers and the run itself; statements.cpp, expressions.cpp and calls.cpp hold the rest.

#include "core/jinja/interpreter.h"

#include <cstring>

#include "core/jinja/text.h"

namespace strata::jinja {

namespace {
constexpr int kDeepest = 1200;  // evaluations within one another: some hundred kilobytes of stack
}  // namespace

Interpreter::Interpreter(const Program& program, const RenderOptions& options, const Limits& limits)
    : m_program(program), m_options(options), m_heap(limits), m_root(m_heap), m_out(&m_root) {
  m_texts.resize(static_cast<std::size_t>(program.texts));
}

Interpreter::Level::Level(Interpreter& interpreter) : m_interpreter(interpreter) {
  if (++interpreter.m_level > kDeepest) {
    --interpreter.m_level;
    throw Failure{Failure::Kind::limit, "it nests too deep while it runs", 0};
  }
}

Rendered Interpreter::run(const Json& variables) {
  m_context = makeScope({});
  m_scope = m_context;
  for (const auto& [key, value] : variables.items()) {
    const auto known = m_program.nameIds.find(key);  // what the template never names it never sees
    if (known != m_program.nameIds.end()) assign(known->second, fromJson(m_heap, value));
  }
  execute(m_program.body);
  return {m_root.take(), std::move(m_generations), m_heap.steps(), m_heap.peak()};
}

Value Interpreter::makeScope(const Value& parent) {
  return Value::of(Kind::scope, m_heap.make<ScopeObject>(parent));
}

void Interpreter::assign(int id, Value value) {
  auto& scope = m_scope.as<ScopeObject>();
  m_heap.step(1 + scope.variables.size() / 16);
  for (auto& [other, present] : scope.variables) {
    if (other != id) continue;
    present = std::move(value);
    return;
  }
  m_heap.chargeTo(scope, 2 * sizeof(scope.variables[0]));
  scope.variables.emplace_back(id, std::move(value));
}

const Value* Interpreter::find(int id) {
  for (const Value* at = &m_scope; at->is(Kind::scope); at = &at->as<ScopeObject>().parent) {
    const auto& variables = at->as<ScopeObject>().variables;
    m_heap.step(1 + variables.size() / 16);
    for (const auto& [other, value] : variables)
      if (other == id) return &value;
  }
  return nullptr;
}

Value Interpreter::name(int id) {
  if (const Value* value = find(id)) return *value;
  const std::string& name = m_program.names[static_cast<std::size_t>(id)];
  if (const Builtin* global = findGlobal(name)) return boundMethod(*global, {});
  if (dialect() == Dialect::javascript && name == "null") return Value::none();
  return undefined("'" + name + "' is undefined");
}

void Interpreter::assignTo(const Expr& target, const Value& value) {
  if (target.kind == Expr::Kind::name) {
    assign(static_cast<int>(target.number), value);
    return;
  }
  m_line = target.line;
  if (target.kind == Expr::Kind::field) {
    const Value space = name(static_cast<int>(target.number));
    if (!space.is(Kind::space)) refuse("only an attribute of a namespace can be set, not of a " + typeName(space));
    DictBuilder(m_heap, space.as<NamespaceObject>().fields.as<DictObject>()).set(target.text, value);
    return;
  }
  const Value list = toList(value);
  const std::vector<Value>& items = list.as<ListObject>().items;
  if (items.size() != target.parts.size()) {
    refuse(std::to_string(target.parts.size()) + " names are set to " + std::to_string(items.size()) + " values");
  }
  for (std::size_t i = 0; i < items.size(); ++i) assignTo(*target.parts[i], items[i]);
}

Value Interpreter::boundMethod(const Builtin& method, const Value& self) {
  return Value::of(Kind::function, m_heap.make<FunctionObject>(method, self));
}

std::string Interpreter::text(const Value& value) {
  if (value.isString()) return textOf(value);
  TextBuilder out(m_heap);
  print(out, value);
  return out.take();
}

Value Interpreter::toList(const Value& value) {
  if (value.isSequence()) return value;
  ListBuilder items(m_heap);
  switch (value.kind()) {
    case Kind::undefined:
      break;
    case Kind::string: {
      const std::string& text = textOf(value);
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t start = at;
        nextCharacter(text, at);
        items.push(string(text.substr(start, at - start)));
      }
      break;
    }
    case Kind::dict:
      for (const auto& [key, present] : value.as<DictObject>().entries()) items.push(key);
      break;
    case Kind::view:
      for (const auto& [key, present] : value.as<ViewObject>().dict.as<DictObject>().entries()) {
        const ViewObject::What what = value.as<ViewObject>().what;
        items.push(what == ViewObject::What::keys     ? key
                   : what == ViewObject::What::values ? present
                                                      : makeList(m_heap, {key, present}, Kind::tuple));
      }
      break;
    case Kind::range: {
      const auto& range = value.as<RangeObject>();
      items.reserve(static_cast<std::size_t>(range.count));
      for (std::int64_t i = 0; i < range.count; ++i) items.push(Value::integer(range.start + i * range.step));
      break;
    }
    case Kind::generator: {
      auto& generator = value.as<GeneratorObject>();
      for (; generator.next < generator.items.size(); ++generator.next) items.push(generator.items[generator.next]);
      break;
    }
    default:
      refuse("a " + typeName(value) + " cannot be walked");
  }
  return items.list();
}

std::size_t findText(Heap& heap, std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) return std::string::npos;
  if (part.empty()) return from;
  // memmem is linear whatever the texts are; std::string::find is not.
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  const std::size_t at =
      found == nullptr ? std::string::npos : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
  heap.work((at == std::string::npos ? text.size() : at) - from + part.size());
  return at;
}

}  // namespace strata::jinja
