// Bytes of a pipe: frames, messages, and the parameters of methods. What is read is written and read again alike.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/protocol/framing.h"
#include "core/protocol/messages.h"
#include "core/protocol/rpc.h"

namespace {

using namespace strata;

template <class T>
void readAs(const Json& json) {
  T value{};
  if (!configFromJson(json, "fuzzed", value)) return;
  const Json written = configToJson(value);
  T again{};
  if (!configFromJson(written, "written", again) || configToJson(again) != written) std::abort();
}

void take(std::string_view body) {
  const auto message = parseRpc(body);
  if (!message) {
    if (message.error().error.message.empty()) std::abort();
    return;
  }
  if (message->kind == RpcMessage::Kind::response || message->kind == RpcMessage::Kind::errorResponse) return;
  const Json params = message->params.is_null() ? Json::object() : message->params;
  protocol::forEachMethod([&]<class M>() {
    if (message->method == M::kName) readAs<typename M::Params>(params);
  });
  protocol::forEachNotification([&]<class N>() {
    if (message->method == N::kName) readAs<N>(params);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  take(bytes);
  strata::FrameReader whole, pieces;
  whole.feed(bytes);
  std::size_t fed = 0;
  while (true) {
    const auto body = whole.next();
    // The same stream in small pieces gives the same frames.
    auto same = pieces.next();
    while (same && !*same && fed < size) {
      const std::size_t count = std::min<std::size_t>(size - fed, 3);
      pieces.feed(bytes.substr(fed, count));
      fed += count;
      same = pieces.next();
    }
    if (body.has_value() != same.has_value()) {
      // A part that is too long is noticed at the latest when all of it is there.
      if (body.has_value() && body->has_value()) std::abort();
      return 0;
    }
    if (!body) return 0;
    if (*body != *same) std::abort();
    if (!*body) return 0;
    take(**body);
  }
}
