// Filters for HTML and addresses, and those that are refused.

#include "core/jinja/filters.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

std::string escaped(Interpreter& interpreter, const Value& value) {
  const std::string text = interpreter.text(value);
  interpreter.heap().ensure(text.size() * 6);
  interpreter.heap().scan(text.size());
  return escapeHtml(text);
}

Value escape(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("escape", arguments, {});
  if (value.isString() && value.as<StringObject>().markup) return value;
  return interpreter.string(escaped(interpreter, value), true);
}

Value forceEscape(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("forceescape", arguments, {});
  return interpreter.string(escaped(interpreter, value), true);
}

Value safe(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("safe", arguments, {});
  return interpreter.string(interpreter.text(value), true);
}

void appendQuoted(TextBuilder& out, std::string_view text, bool forQuery) {
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '.' || c == '-' || c == '~' || (c == '/' && !forQuery);
    if (plain) {
      out.append(c);
    } else if (c == ' ' && forQuery) {
      out.append('+');
    } else {
      char code[4];
      std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out.append(code);
    }
  }
}

Value urlEncode(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("urlencode", arguments, {});
  TextBuilder out(interpreter.heap());
  const bool pairs = value.is(Kind::dict) || value.isSequence() || value.is(Kind::generator) || value.is(Kind::view) ||
                     value.is(Kind::range);
  if (!pairs) {
    appendQuoted(out, interpreter.text(value), false);
    return interpreter.string(out.take());
  }
  const Value list = interpreter.toList(
      value.is(Kind::dict) ? Value::of(Kind::view, interpreter.heap().make<ViewObject>(value, ViewObject::What::items))
                           : value);
  for (const Value& pair : list.as<ListObject>().items) {
    const Value parts = interpreter.toList(pair);
    const std::vector<Value>& both = parts.as<ListObject>().items;
    if (both.size() != 2) refuse("urlencode wants pairs of a key and a value");
    if (out.size() > 0) out.append('&');
    appendQuoted(out, interpreter.text(both[0]), true);
    out.append('=');
    appendQuoted(out, interpreter.text(both[1]), true);
  }
  return interpreter.string(out.take());
}

Value stripTags(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  bind("striptags", arguments, {});
  std::string text = interpreter.text(value);
  const auto without = [&](std::string_view open, std::string_view close) {
    std::string out;
    for (std::size_t at = 0;;) {
      const std::size_t begin = findText(interpreter.heap(), text, open, at);
      const std::size_t end = begin == std::string::npos ? begin : findText(interpreter.heap(), text, close, begin);
      if (end == std::string::npos) {
        out.append(text, at);
        break;
      }
      out.append(text, at, begin - at);
      at = end + close.size();
    }
    text = std::move(out);
  };
  without("<!--", "-->");
  without("<", ">");
  Arguments none;
  const Value words = interpreter.call(interpreter.attribute(interpreter.string(text), "split"), none);
  text = joinItems(interpreter, " ", words, true);
  static constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&lt;", "<"}, {"&gt;", ">"}, {"&#34;", "\""}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}};
  for (const auto& [entity, plain] : kEntities)
    text = replaceText(interpreter, text, std::string(entity), std::string(plain), -1);
  return interpreter.string(text);
}

Value xmlAttributes(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("xmlattr", arguments, {"autospace"});
  refuseUndefined(value);
  if (!value.is(Kind::dict)) refuse("xmlattr wants a dictionary, not a " + typeName(value));
  TextBuilder out(interpreter.heap());
  for (const auto& [key, attribute] : value.as<DictObject>().entries()) {
    if (attribute.isNone() || attribute.isUndefined()) continue;
    const std::string& name = textOf(key, "the name of an attribute");
    if (name.find_first_of(" \t\n\r\f\v/>=") != std::string::npos)
      refuse("'" + shown(name) + "' is no name of an attribute");
    if (out.size() > 0 || given[0].isMissing() || truth(given[0])) out.append(' ');
    out.append(escaped(interpreter, key) + "=\"");
    Arguments none;
    out.append(textOf(escape(interpreter, attribute, none)));
    out.append('"');
  }
  return interpreter.string(out.take());
}

Value attributeRefused(Interpreter&, const Value&, Arguments&) {
  refuse("the filter 'attr' is refused: a template reaches values by '.' and '[ ]' alone");
}

Value randomRefused(Interpreter&, const Value&, Arguments&) {
  refuse("the filter 'random' is refused: a prompt must be the same each time");
}

Value linksRefused(Interpreter&, const Value&, Arguments&) {
  refuse("the filter 'urlize' is refused: a prompt is not HTML");
}

constexpr Builtin kHtmlBuiltins[] = {
    {"escape", escape},           {"e", escape},
    {"forceescape", forceEscape}, {"safe", safe},
    {"urlencode", urlEncode},     {"striptags", stripTags},
    {"xmlattr", xmlAttributes},   {"attr", attributeRefused},
    {"random", randomRefused},    {"urlize", linksRefused},
};

}  // namespace

const std::span<const Builtin> kHtmlFilters = kHtmlBuiltins;

}  // namespace strata::jinja
