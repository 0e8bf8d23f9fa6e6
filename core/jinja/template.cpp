#include "core/jinja/template.h"

#include <ctime>

#include "core/jinja/interpreter.h"
#include "core/jinja/parser.h"
#include "core/jinja/text.h"

namespace strata::jinja {
namespace {

tl::unexpected<Error> toError(const Failure& failure, const std::string& name, int line) {
  const std::string where = name + ":" + std::to_string(failure.line != 0 ? failure.line : line);
  const ErrorCode code = failure.kind == Failure::Kind::limit ? ErrorCode::unsupported : ErrorCode::invalidData;
  if (failure.kind == Failure::Kind::raised) {
    return fail(code, where + ": the template refuses its input: " + failure.message, where);
  }
  constexpr std::size_t kMostCharacters = 300;
  return fail(code, where + ": the template fails: " + shown(failure.message, kMostCharacters) + ".", where);
}

// Bytes that the values of `json` may take as strings, lists and dictionaries of the interpreter.
std::size_t sizeOf(const Json& json) {
  std::size_t size = sizeof(StringObject) + 64;
  if (json.is_string()) size += json.get_ref<const std::string&>().size();
  if (json.is_array())
    for (const Json& item : json) size += sizeOf(item);
  if (json.is_object())
    for (const auto& [key, value] : json.items()) size += sizeof(StringObject) + 128 + key.size() + sizeOf(value);
  return size;
}

}  // namespace

Template::Template(std::shared_ptr<const Program> program) : m_program(std::move(program)) {}

const std::string& Template::name() const {
  return m_program->name;
}

Result<Template> Template::parse(std::string source, const std::string& name, const Limits& limits) {
  if (source.size() > limits.sourceBytes) {
    return fail(ErrorCode::unsupported,
                name + ": the template has " + std::to_string(source.size()) + " bytes, more than the " +
                    std::to_string(limits.sourceBytes) + " that one may have.",
                name);
  }
  if (!isUtf8(source)) return fail(ErrorCode::invalidData, name + ": the template is not UTF-8.", name);
  auto program = std::make_shared<Program>();
  program->source = std::move(source);
  program->name = name;
  try {
    Parser(*program, limits).parse();
  } catch (const Failure& failure) {
    return toError(failure, name, 1);
  }
  return Template(std::move(program));
}

Result<Rendered> Template::render(const Json& variables, const RenderOptions& options) const {
  if (!variables.is_object()) {
    return fail(ErrorCode::usage, "The variables of a template must be a JSON object.", m_program->name);
  }
  Limits limits = options.limits;
  const std::size_t given = sizeOf(variables);
  limits.bytes += 4 * given;
  limits.steps += given;
  Interpreter interpreter(*m_program, options, limits);
  try {
    return interpreter.run(variables);
  } catch (const Failure& failure) {
    return toError(failure, m_program->name, interpreter.line());
  }
}

}  // namespace strata::jinja
