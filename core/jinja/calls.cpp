// Calls: of macros, of functions, of recursive loops.

#include "core/jinja/interpreter.h"
#include "core/jinja/parser.h"

namespace strata::jinja {

/// Counts calls within calls while it lives.
class Interpreter::CallLevel {
 public:
  explicit CallLevel(Interpreter& interpreter) : m_interpreter(interpreter) {
    const int most = interpreter.m_heap.limits().callDepth;
    if (interpreter.m_calls >= most) {
      throw Failure{Failure::Kind::limit, "more than " + std::to_string(most) + " calls are within one another", 0};
    }
    ++interpreter.m_calls;
  }
  ~CallLevel() { --m_interpreter.m_calls; }
  CallLevel(const CallLevel&) = delete;
  CallLevel& operator=(const CallLevel&) = delete;

 private:
  Interpreter& m_interpreter;
};

void Interpreter::collect(const CallArguments* given, Arguments& arguments) {
  if (given == nullptr) return;
  arguments.positional.reserve(given->positional.size());
  for (const Expr* expr : given->positional) arguments.positional.push_back(evaluate(*expr));
  for (const auto& [key, expr] : given->named) arguments.named.emplace_back(key, evaluate(*expr));
  if (given->list != nullptr) {
    const Value list = toList(evaluate(*given->list));
    m_heap.ensure(list.as<ListObject>().items.size() * sizeof(Value));
    for (const Value& item : list.as<ListObject>().items) arguments.positional.push_back(item);
  }
  if (given->dict != nullptr) {
    const Value dict = evaluate(*given->dict);
    if (!dict.is(Kind::dict)) refuse("what follows '**' must be a dictionary, not a " + typeName(dict));
    if (dict.as<DictObject>().entries().size() > 1000) refuse("a call has more than 1000 named arguments");
    for (const auto& [key, value] : dict.as<DictObject>().entries()) {
      if (!key.isString()) refuse("the names of arguments must be strings");
      for (const auto& [present, other] : arguments.named)
        if (present == textOf(key)) refuse("the argument '" + shown(present) + "' is given twice");
      m_heap.work(textOf(key).size() + arguments.named.size());
      arguments.named.emplace_back(textOf(key), value);
    }
  }
}

Value Interpreter::evaluateCall(const Expr& expr, const Value* caller) {
  const Value callee = evaluate(*expr.parts[0]);
  Arguments arguments;
  collect(expr.arguments.get(), arguments);
  if (caller != nullptr) arguments.named.emplace_back("caller", *caller);
  m_line = expr.line;
  return call(callee, arguments);
}

Value Interpreter::call(const Value& callee, Arguments& arguments) {
  switch (callee.kind()) {
    case Kind::function: {
      const auto& function = callee.as<FunctionObject>();
      return function.builtin->call(*this, function.subject, arguments);
    }
    case Kind::macro:
      return callMacro(callee.as<MacroObject>(), arguments);
    case Kind::loop:
      return callLoop(callee, arguments);
    case Kind::joiner: {
      auto& joiner = callee.as<JoinerObject>();
      bind("joiner", arguments, {});
      if (!std::exchange(joiner.used, true)) return string({});
      return joiner.separator;
    }
    case Kind::undefined:
      refuse(callee.as<UndefinedObject>().message);
    default:
      refuse("a " + typeName(callee) + " cannot be called");
  }
}

void Interpreter::defineMacro(const Statement& statement) {
  const std::string& name = m_program.names[static_cast<std::size_t>(statement.name)];
  assign(statement.name, Value::of(Kind::macro, m_heap.make<MacroObject>(statement, m_scope, name)));
}

void Interpreter::callBlock(const Statement& statement) {
  const Value caller = Value::of(Kind::macro, m_heap.make<MacroObject>(statement, m_scope, "caller"));
  print(*m_out, evaluateCall(*statement.value, &caller));
}

// Fills the current scope, in which defaults see the parameters before them.
void Interpreter::bindParameters(const MacroObject& macro, Arguments& arguments) {
  const Signature& signature = *macro.statement->signature;
  const std::size_t count = signature.names.size();
  const auto takeNamed = [&](const std::string& name) -> Value {
    for (auto entry = arguments.named.begin(); entry != arguments.named.end(); ++entry) {
      if (entry->first != name) continue;
      Value value = std::move(entry->second);
      arguments.named.erase(entry);
      return value;
    }
    return {};
  };
  std::vector<Value> given(count);
  for (std::size_t i = 0; i < count; ++i) {
    m_heap.step(1 + arguments.named.size());
    given[i] = i < arguments.positional.size()
                   ? arguments.positional[i]
                   : takeNamed(m_program.names[static_cast<std::size_t>(signature.names[i])]);
  }
  const auto idOf = [&](const char* name) { return m_program.nameIds.at(name); };
  if (signature.usesCaller) {
    Value caller = takeNamed("caller");
    if (caller.isMissing() || caller.isNone())
      caller = undefined("there is no caller; the macro was not called by a call block");
    assign(idOf("caller"), std::move(caller));
  }
  if (signature.usesKwargs) {
    DictBuilder rest(m_heap);
    for (auto& [key, value] : arguments.named) rest.set(key, std::move(value));
    assign(idOf("kwargs"), rest.dict());
  } else if (!arguments.named.empty()) {
    refuse("the macro '" + macro.name + "' has no parameter '" + shown(arguments.named.front().first) + "'");
  }
  if (signature.usesVarargs) {
    ListBuilder rest(m_heap);
    for (std::size_t i = count; i < arguments.positional.size(); ++i) rest.push(std::move(arguments.positional[i]));
    assign(idOf("varargs"), rest.tuple());
  } else if (arguments.positional.size() > count) {
    refuse("the macro '" + macro.name + "' takes at most " + std::to_string(count) + " arguments");
  }
  const std::size_t firstDefault = count - signature.defaults.size();
  for (std::size_t i = 0; i < count; ++i) {
    Value& value = given[i];
    if (value.isMissing() && i >= firstDefault) value = evaluate(*signature.defaults[i - firstDefault]);
    if (value.isMissing()) {
      value = undefined("the parameter '" + m_program.names[static_cast<std::size_t>(signature.names[i])] + "' of '" +
                        macro.name + "' was not given");
    }
    assign(signature.names[i], std::move(value));
  }
}

Value Interpreter::callMacro(const MacroObject& macro, Arguments& arguments) {
  const CallLevel level(*this);
  const Value inner = makeScope(macro.scope);
  const Value outer = std::exchange(m_scope, inner);
  bindParameters(macro, arguments);
  m_scope = outer;
  return string(capture(macro.statement->body, inner));
}

Value Interpreter::callLoop(const Value& loop, Arguments& arguments) {
  const auto& object = loop.as<LoopObject>();
  if (!object.statement->recursive) refuse("only a loop that is marked 'recursive' can be called");
  const CallLevel level(*this);
  const std::vector<Value> given = bind("loop", arguments, {"iterable"}, 1);
  TextBuilder text(m_heap);
  TextBuilder* out = std::exchange(m_out, &text);
  forLoop(*object.statement, given[0], object.scope, object.depth0 + 1);
  m_out = out;
  return string(text.take());
}

Value Interpreter::applyFilter(const std::string& name, const Value& subject, Arguments& arguments) {
  const Builtin* filter = findFilter(name);
  if (filter == nullptr) refuse("there is no filter '" + shown(name) + "'");
  return filter->call(*this, subject, arguments);
}

bool Interpreter::applyTest(const std::string& name, const Value& subject, Arguments& arguments) {
  const Builtin* test = findTest(name);
  if (test == nullptr) refuse("there is no test '" + shown(name) + "'");
  return truth(test->call(*this, subject, arguments));
}

std::vector<Value> bind(const char* function, Arguments& arguments, std::initializer_list<const char*> names,
                        std::size_t required) {
  if (arguments.positional.size() > names.size()) {
    refuse(std::string(function) + "() takes at most " + std::to_string(names.size()) + " arguments");
  }
  std::vector<Value> bound(names.size());
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) bound[i] = arguments.positional[i];
  for (auto& [key, value] : arguments.named) {
    std::size_t at = 0;
    while (at < names.size() && key != names.begin()[at]) ++at;
    if (at == names.size()) refuse(std::string(function) + "() has no argument '" + shown(key) + "'");
    if (!bound[at].isMissing()) refuse(std::string(function) + "() is given '" + shown(key) + "' twice");
    bound[at] = value;
  }
  for (std::size_t i = 0; i < required; ++i)
    if (bound[i].isMissing()) refuse(std::string(function) + "() wants the argument '" + names.begin()[i] + "'");
  return bound;
}

std::int64_t integerOf(const Value& value, const char* what) {
  refuseUndefined(value);
  if (!value.isInteger()) refuse(std::string(what) + " must be a whole number, not a " + typeName(value));
  return value.asInteger();
}

const std::string& textOf(const Value& value, const char* what) {
  refuseUndefined(value);
  if (!value.isString()) refuse(std::string(what) + " must be a string, not a " + typeName(value));
  return textOf(value);
}

}  // namespace strata::jinja
