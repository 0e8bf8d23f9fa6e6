#include "core/base/file_errors.h"

#include <cerrno>
#include <string>
#include <system_error>

namespace strata {
namespace {

ErrorCode codeOf(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::notFound;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::diskFull;
    case ENOMEM:
      return ErrorCode::outOfMemory;
    default:
      return ErrorCode::io;
  }
}

/// nullptr: the sentence of the system alone says what is wrong.
const char* nameOf(int number) {
  switch (number) {
    case ENOENT:
      return "file_not_found";
    case EACCES:
    case EPERM:
      return "no_permission";
    case EROFS:
      return "read_only";
    case ENOSPC:
    case EDQUOT:
      return "disk_full";
    default:
      return nullptr;
  }
}

const char* adviceFor(int number) {
  switch (number) {
    case ENOENT:
      return "; check the path.";
    case ENOSPC:
      return "; make room there or choose another place.";
    case EDQUOT:
      return "; the quota is used up: make room there or choose another place.";
    case EACCES:
    case EPERM:
      return "; check its permissions.";
    case EROFS:
      return "; choose a place that can be written.";
    case ENOTEMPTY:
    case EEXIST:
      return "; choose a new name or an empty folder.";
    default:
      return ".";
  }
}

}  // namespace

tl::unexpected<Error> systemFailure(int number, const char* action, const std::filesystem::path& path) {
  const tl::unexpected<Error> error = fail(codeOf(number),
                                           std::string("Cannot ") + action + " " + path.string() + ": " +
                                               std::generic_category().message(number) + adviceFor(number),
                                           path.string());
  const char* name = nameOf(number);
  return name == nullptr ? error : namedError(name, {{"path", path.string()}}, error);
}

}  // namespace strata
