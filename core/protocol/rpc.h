#pragma once
// JSON-RPC 2.0 (jsonrpc.org/specification) between window and engine: one message a frame, no batches.
//
//   STRATA_TRY(const RpcMessage message, parseRpc(body));
//   if (message.kind == RpcMessage::Kind::request) send(rpcResult(message.id, answer));

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

inline constexpr int kProtocolVersion = 1;

enum class RpcCode {
  parseError = -32700,
  invalidRequest = -32600,
  methodNotFound = -32601,
  invalidParams = -32602,
  internalError = -32603,
  engineError = -32000,      // an Error of the engine; "data" holds its code and context
  notInitialized = -32002,   // as the Language Server Protocol numbers it
  requestCancelled = -32800  // likewise
};

struct RpcMessage {
  enum class Kind { request, notification, response, errorResponse };
  Kind kind = Kind::request;
  Json id = nullptr;      // of a request or response: a whole number or a text
  std::string method;     // of a request or notification
  Json params = nullptr;  // likewise: an object, or null where none was given
  Json result = nullptr;  // of a response
  Error error;            // of an errorResponse
  RpcCode code = RpcCode::engineError;
};

/// What is wrong with a message, and how it is answered (its id where that much could be read, else null).
struct RpcProblem {
  RpcCode code = RpcCode::parseError;
  Json id = nullptr;
  Error error;
};

tl::expected<RpcMessage, RpcProblem> parseRpc(std::string_view body);

/// The id of a message of which only the start is at hand; null where that does not hold it.
Json idAtStart(std::string_view start);

std::string rpcRequest(std::int64_t id, const std::string& method, const Json& params);
std::string rpcNotification(const std::string& method, const Json& params);
std::string rpcResult(const Json& id, const Json& result);
/// {"code", "message", "data": {"code": the ErrorCode's name, "context"}}, and where the Error has a name "name" and
/// "arguments" in "data"
std::string rpcError(const Json& id, RpcCode code, const Error& error);
/// The code that an engine's error travels under.
RpcCode rpcCodeOf(const Error& error);

}  // namespace strata
