#include "core/base/error.h"

namespace strata {

const char* toString(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
      return "usage";
    case ErrorCode::notFound:
      return "not_found";
    case ErrorCode::invalidData:
      return "invalid_data";
    case ErrorCode::io:
      return "io";
    case ErrorCode::diskFull:
      return "disk_full";
    case ErrorCode::outOfMemory:
      return "out_of_memory";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace strata
