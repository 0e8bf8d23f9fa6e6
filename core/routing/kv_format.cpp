#include "core/routing/kv_format.h"

namespace strata {

Result<KvFormat> parseKvFormat(const std::string& text) {
  if (text.empty()) return KvFormat::plain;
  if (text == "int8") return KvFormat::int8;
  if (text == "fp8") return KvFormat::fp8;
  return fail(ErrorCode::usage, "The KV cache's format \"" + text + "\" is unknown; give int8 or fp8.", "--kv");
}

std::string printKvFormat(KvFormat format) {
  switch (format) {
    case KvFormat::int8:
      return "int8";
    case KvFormat::fp8:
      return "fp8";
    case KvFormat::plain:
      break;
  }
  return "";
}

std::string kvName(KvFormat format, const std::string& dtype) {
  return format == KvFormat::plain ? dtype : printKvFormat(format);
}

KvStorage kvStorage(KvFormat format, int plainBytes) {
  return format == KvFormat::plain ? KvStorage(plainBytes) : KvStorage(1, 2);
}

}  // namespace strata
