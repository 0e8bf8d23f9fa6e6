#include "core/protocol/rpc.h"

#include <array>

namespace strata {
namespace {

constexpr std::array kErrorCodes = {
    ErrorCode::usage,       ErrorCode::notFound,    ErrorCode::invalidData, ErrorCode::io,   ErrorCode::diskFull,
    ErrorCode::outOfMemory, ErrorCode::unsupported, ErrorCode::cancelled,   ErrorCode::busy, ErrorCode::internal};

ErrorCode errorCodeNamed(const std::string& name) {
  for (const ErrorCode code : kErrorCodes) {
    if (name == toString(code)) return code;
  }
  return ErrorCode::internal;
}

bool isId(const Json& id) {
  return id.is_number_integer() || id.is_string();
}

tl::unexpected<RpcProblem> problem(RpcCode code, const Json& id, const std::string& message) {
  return tl::unexpected<RpcProblem>(RpcProblem{code, id, Error{ErrorCode::invalidData, message, "message"}});
}

std::string textOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Error errorOf(const Json& error, RpcCode& code) {
  Error read{ErrorCode::internal, textOf(error, "message"), {}};
  const auto number = error.find("code");
  if (number != error.end() && number->is_number_integer()) code = static_cast<RpcCode>(number->get<int>());
  const auto data = error.find("data");
  if (data != error.end() && data->is_object()) {
    read.code = errorCodeNamed(textOf(*data, "code"));
    read.context = textOf(*data, "context");
    read.name = textOf(*data, "name");
    const auto arguments = data->find("arguments");
    if (arguments != data->end() && arguments->is_object()) {
      for (const auto& each : arguments->items()) {
        if (each.value().is_string()) read.arguments[each.key()] = each.value().get<std::string>();
      }
    }
  }
  if (code == RpcCode::requestCancelled) read.code = ErrorCode::cancelled;
  if (read.message.empty()) read.message = "The engine gave an error without a message.";
  return read;
}

/// Takes the value of the key "id" of the outermost object.
class IdReader final : public nlohmann::json_sax<Json> {
 public:
  Json id = nullptr;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t value) override { return take(value); }
  bool number_unsigned(number_unsigned_t value) override { return take(value); }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t& value) override { return take(value); }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return ++m_depth > 0; }
  bool end_object() override { return --m_depth > 0; }
  bool start_array(std::size_t) override { return ++m_depth > 0; }
  bool end_array() override { return --m_depth > 0; }
  bool key(string_t& name) override {
    m_atId = m_depth == 1 && name == "id";
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  template <class T>
  bool take(const T& value) {
    if (!m_atId || m_depth != 1) return true;
    id = value;
    return false;  // no more is needed
  }

  int m_depth = 0;
  bool m_atId = false;
};

Json envelope(const Json& id) {
  Json message = {{"jsonrpc", "2.0"}};
  message["id"] = id;
  return message;
}

}  // namespace

tl::expected<RpcMessage, RpcProblem> parseRpc(std::string_view body) {
  Result<Json> parsed = parseJson(body, "message");
  if (!parsed) return tl::unexpected<RpcProblem>(RpcProblem{RpcCode::parseError, nullptr, parsed.error()});
  const Json& json = *parsed;
  if (!json.is_object()) {
    return problem(RpcCode::invalidRequest, nullptr, "A message is a JSON object; batches are not taken.");
  }
  RpcMessage message;
  const auto id = json.find("id");
  const bool hasId = id != json.end();
  if (hasId && isId(*id)) message.id = *id;
  if (textOf(json, "jsonrpc") != "2.0") {
    return problem(RpcCode::invalidRequest, message.id, "A message says \"jsonrpc\": \"2.0\".");
  }
  const auto method = json.find("method");
  if (method != json.end()) {
    if (!method->is_string()) return problem(RpcCode::invalidRequest, message.id, "\"method\" is a text.");
    if (hasId && !isId(*id)) {
      return problem(RpcCode::invalidRequest, nullptr, "\"id\" is a whole number or a text.");
    }
    message.kind = hasId ? RpcMessage::Kind::request : RpcMessage::Kind::notification;
    message.method = method->get<std::string>();
    const auto params = json.find("params");
    if (params != json.end()) message.params = *params;
    if (!message.params.is_object() && !message.params.is_null()) {
      return problem(RpcCode::invalidParams, message.id, "\"params\" is an object with the parameters' names.");
    }
    return message;
  }
  const auto error = json.find("error");
  if (error != json.end() && error->is_object()) {
    message.kind = RpcMessage::Kind::errorResponse;
    message.error = errorOf(*error, message.code);
    return message;
  }
  const auto result = json.find("result");
  if (!hasId || !isId(*id) || result == json.end()) {
    return problem(RpcCode::invalidRequest, message.id, "A message has a \"method\", or an \"id\" with a \"result\".");
  }
  message.kind = RpcMessage::Kind::response;
  message.result = *result;
  return message;
}

Json idAtStart(std::string_view start) {
  IdReader reader;
  Json::sax_parse(start.begin(), start.end(), &reader);
  return reader.id;
}

std::string rpcRequest(std::int64_t id, const std::string& method, const Json& params) {
  Json message = envelope(id);
  message["method"] = method;
  message["params"] = params;
  return dumpLine(message);
}

std::string rpcNotification(const std::string& method, const Json& params) {
  Json message = {{"jsonrpc", "2.0"}, {"method", method}};
  message["params"] = params;
  return dumpLine(message);
}

std::string rpcResult(const Json& id, const Json& result) {
  Json message = envelope(id);
  message["result"] = result;
  return dumpLine(message);
}

std::string rpcError(const Json& id, RpcCode code, const Error& error) {
  Json message = envelope(id);
  Json data = {{"code", toString(error.code)}, {"context", error.context}};
  if (!error.name.empty()) {
    data["name"] = error.name;
    data["arguments"] = error.arguments;
  }
  message["error"] = {{"code", static_cast<int>(code)}, {"message", error.message}, {"data", std::move(data)}};
  return dumpLine(message);
}

RpcCode rpcCodeOf(const Error& error) {
  return error.code == ErrorCode::cancelled ? RpcCode::requestCancelled : RpcCode::engineError;
}

}  // namespace strata
