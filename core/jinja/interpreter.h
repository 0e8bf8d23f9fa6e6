#pragma once
// Walks a Program. One Interpreter renders once; it owns the heap of that rendering.

#include <functional>
#include <string>
#include <string_view>

#include "core/jinja/operators.h"
#include "core/jinja/program.h"
#include "core/jinja/template.h"
#include "core/jinja/value.h"

namespace strata::jinja {

/// Variables by the number of their name, and those around them.
struct ScopeObject : Object {
  explicit ScopeObject(Value around) : parent(std::move(around)) {}
  void clear() override {
    parent = {};
    variables.clear();
  }
  Value parent;  // a scope, or missing
  std::vector<std::pair<int, Value>> variables;
};

struct MacroObject : Object {
  MacroObject(const Statement& definition, Value around, std::string macroName)
      : statement(&definition), scope(std::move(around)), name(std::move(macroName)) {}
  void clear() override { scope = {}; }
  std::size_t extent() const override { return name.capacity(); }
  const Statement* statement;
  Value scope;
  std::string name;
};

/// The `loop` of a for block. Items are fetched one ahead where asked for, as the test of a loop may depend on what its
/// body did.
struct LoopObject : Object {
  LoopObject(const Statement& loop, Value list, Value around, std::int64_t depth)
      : statement(&loop), items(std::move(list)), scope(std::move(around)), test(loop.test), depth0(depth) {}
  void clear() override { items = scope = after = current = before = lastChanged = {}; }
  const Statement* statement;
  Value items;  // a list or a tuple
  Value scope;
  const Expr* test;
  std::size_t position = 0;  // of the next item to look at
  Value after, current, before, lastChanged;
  std::int64_t index0 = -1;
  std::int64_t length = -1;  // not known yet
  std::int64_t depth0;
};

class Interpreter {
 public:
  Interpreter(const Program& program, const RenderOptions& options, const Limits& limits);
  Rendered run(const Json& variables);
  int line() const { return m_line; }

  // What builtins need
  Heap& heap() { return m_heap; }
  Dialect dialect() const { return m_options.dialect; }
  const std::optional<std::chrono::local_seconds>& now() const { return m_options.now; }
  Value string(std::string text, bool markup = false) { return makeString(m_heap, std::move(text), markup); }
  Value undefined(std::string message) { return makeUndefined(m_heap, std::move(message)); }
  Value boundMethod(const Builtin& method, const Value& self);
  /// str(value), and repr(value).
  std::string text(const Value& value);
  std::string repr(const Value& value);
  void print(TextBuilder& out, const Value& value);
  /// object.name: methods first, then items; and object[key]: items first.
  Value attribute(const Value& object, std::string_view name);
  Value item(const Value& object, const Value& key);
  Value slice(const Value& object, const Value& start, const Value& stop, const Value& step);
  /// A list or a tuple as it is, else a list of what the value gives when it is walked.
  Value toList(const Value& value);
  Value call(const Value& callee, Arguments& arguments);
  Value applyFilter(const std::string& name, const Value& subject, Arguments& arguments);
  bool applyTest(const std::string& name, const Value& subject, Arguments& arguments);
  Value loopAttribute(const Value& loop, std::string_view name);
  Value next(LoopObject& loop);  // missing where there is none
  std::int64_t lengthOf(LoopObject& loop);

 private:
  enum class Flow { on, breaking, continuing };

  // Statements
  Flow execute(const Block& block);
  Flow execute(const Statement& statement);
  Flow branch(const Statement& statement);
  void forLoop(const Statement& statement, const Value& items, const Value& scope, std::int64_t depth);
  void setBlock(const Statement& statement);
  void with(const Statement& statement);
  void callBlock(const Statement& statement);
  void generation(const Statement& statement);
  void inScope(const Block& block, const Value& parent);
  std::string capture(const Block& block, const Value& scope);
  void defineMacro(const Statement& statement);

  // Expressions
  Value evaluate(const Expr& expr);
  Value evaluateOperator(const Expr& expr);
  Value evaluateLiteral(const Expr& expr);
  Value evaluateCompare(const Expr& expr);
  Value evaluateConcat(const Expr& expr);
  Value evaluateSlice(const Expr& expr);
  Value evaluateCall(const Expr& expr, const Value* caller);
  Value evaluateFilter(const Expr& expr);
  Value evaluateTest(const Expr& expr);
  Value name(int id);
  void collect(const CallArguments* given, Arguments& arguments);

  // Calls
  Value callMacro(const MacroObject& macro, Arguments& arguments);
  void bindParameters(const MacroObject& macro, Arguments& arguments);
  Value callLoop(const Value& loop, Arguments& arguments);

  // Scopes
  Value makeScope(const Value& parent);
  void assign(int id, Value value);
  void assignTo(const Expr& target, const Value& value);
  const Value* find(int id);

  /// Counts the interpreter's own recursion, and puts back what a block changes when it is left in any way.
  class Level {
   public:
    explicit Level(Interpreter& interpreter);
    ~Level() { --m_interpreter.m_level; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Interpreter& m_interpreter;
  };
  class CallLevel;

  const Program& m_program;
  const RenderOptions& m_options;
  Heap m_heap;
  TextBuilder m_root;
  TextBuilder* m_out;
  Value m_context;  // the outermost scope
  Value m_scope;
  Value m_filtered;  // the text of the filter block being filtered
  std::vector<Value> m_texts;
  std::vector<Span> m_generations;
  int m_level = 0;
  int m_calls = 0;
  int m_line = 0;
};

/// The shortest text that reads back as the same number: 1.0, 1e-05, nan.
std::string printFloat(double number);
/// Where `part` first stands in `text` at or after byte `from`; the work is counted.
std::size_t findText(Heap& heap, std::string_view text, std::string_view part, std::size_t from = 0);
/// "%s" % values
Value formatPercent(Interpreter& interpreter, const Value& format, const Value& values);
/// str.format
Value formatBraces(Interpreter& interpreter, const Value& format, Arguments& arguments);
/// json.dumps as transformers' tojson calls it.
Value toJson(Interpreter& interpreter, const Value& value, Arguments& arguments);
void printJsonString(TextBuilder& out, std::string_view text, bool asciiOnly);
/// What strftime writes for `format` at `time`.
std::string formatTime(std::string_view format, std::chrono::local_seconds time);

/// The value of each parameter in `names`, missing where it was not given; refuses what the function does not take.
std::vector<Value> bind(const char* function, Arguments& arguments, std::initializer_list<const char*> names,
                        std::size_t required = 0);
std::int64_t integerOf(const Value& value, const char* what);
const std::string& textOf(const Value& value, const char* what);

/// Methods of a kind of value, by name; null where it has none of that name.
const Builtin* findMethod(const Value& object, std::string_view name);
/// A method that exists in Python and that the sandbox hides.
bool isHidden(const Value& object, std::string_view name);
const Builtin* findGlobal(std::string_view name);

}  // namespace strata::jinja
