#pragma once
// A parsed template: expressions and statements, owned by the Program in one place each and never changed after
// parsing.

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/jinja/value.h"

namespace strata::jinja {

struct Expr;

struct CallArguments {
  std::vector<const Expr*> positional;
  std::vector<std::pair<std::string, const Expr*>> named;
  const Expr* list = nullptr;  // *list
  const Expr* dict = nullptr;  // **dict
};

struct Expr {
  enum class Kind : std::uint8_t {
    none,
    boolean,
    integer,
    floating,
    text,
    name,   // number: id of the name
    field,  // a target: text of the namespace `number`
    list,   // parts: the items
    tuple,
    dict,       // parts: key, value, key, value …
    attribute,  // parts[0].text
    item,       // parts[0][parts[1]]
    slice,      // parts[0][parts[1]:parts[2]:parts[3]], null where left out
    call,       // parts[0](arguments)
    filter,     // parts[0] | text(arguments); parts[0] is null for the text of a block
    test,       // parts[0] is text(arguments)
    negative,
    positive,
    logicalNot,
    logicalAnd,
    logicalOr,
    arithmetic,  // parts[0] operation parts[1]
    compare,     // parts[0] operations[0] parts[1] operations[1] parts[2] …
    concat,
    condition,  // parts[0] if parts[1] else parts[2] (null where left out)
  };
  Kind kind = Kind::none;
  char operation = 0;  // + - * / f(loor) % p(ower)
  std::int16_t depth = 1;
  int line = 0;
  union {
    std::int64_t number;
    double floating;
  };
  std::string text;  // of compare: one letter an operation: = ! < l > g i(n) n(ot in)
  std::vector<const Expr*> parts;
  std::unique_ptr<CallArguments> arguments;
  const Builtin* builtin = nullptr;  // of a filter or a test; null: there is none of that name
};

struct Statement;
using Block = std::vector<const Statement*>;

/// What a macro or a call block takes. Defaults belong to the last parameters.
struct Signature {
  std::vector<int> names;
  std::vector<const Expr*> defaults;
  bool usesCaller = false;
  bool usesVarargs = false;
  bool usesKwargs = false;
};

struct Statement {
  enum class Kind : std::uint8_t {
    text,
    output,      // value
    branch,      // branches, otherwise
    loop,        // target in value if test: body, otherwise
    set,         // target = value
    setBlock,    // target = body through value (a filter, or null)
    macro,       // name: signature, body
    call,        // value is the call; signature, body: its caller
    filter,      // body through value
    with,        // assignments, body
    block,       // body with no more than the template's own variables
    scope,       // body in a scope of its own
    generation,  // body
    breakLoop,
    continueLoop,
  };
  Kind kind = Kind::text;
  bool recursive = false;
  int line = 0;
  int name = -1;  // of a macro
  std::string text;
  const Expr* value = nullptr;
  const Expr* target = nullptr;
  const Expr* test = nullptr;
  Block body;
  Block otherwise;
  std::vector<std::pair<const Expr*, Block>> branches;
  std::vector<std::pair<const Expr*, const Expr*>> assignments;
  std::unique_ptr<Signature> signature;
};

struct Program {
  std::string source;
  std::string name;
  std::deque<Expr> expressions;
  std::deque<Statement> statements;
  std::vector<std::string> names;  // every name the template speaks of, by id
  std::unordered_map<std::string, int> nameIds;
  int texts = 0;  // text constants; Expr::number counts them
  Block body;

  int idOf(const std::string& name) {
    const auto [entry, isNew] = nameIds.try_emplace(name, static_cast<int>(names.size()));
    if (isNew) names.push_back(name);
    return entry->second;
  }
};

}  // namespace strata::jinja
