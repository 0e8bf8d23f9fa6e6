#include "widgets/client/error_words.h"

#include <QCoreApplication>
#include <QStringList>
#include <array>
#include <string_view>

namespace strata {
namespace {

struct ErrorWords {
  std::string_view name;
  const char* text;                           // %1, %2: the arguments
  std::array<const char*, 2> arguments = {};  // nullptr: no more
};

constexpr const char* kContext = "strata::Errors";

constexpr ErrorWords kWords[] = {
    {"file_not_found", QT_TRANSLATE_NOOP("strata::Errors", "There is no file or folder %1. Check the path."), {"path"}},
    {"no_permission", QT_TRANSLATE_NOOP("strata::Errors", "No permission to use %1. Check its permissions."), {"path"}},
    {"read_only",
     QT_TRANSLATE_NOOP("strata::Errors", "%1 is on a disk that cannot be written. Choose another place."),
     {"path"}},
    {"disk_full",
     QT_TRANSLATE_NOOP("strata::Errors", "The disk of %1 is full. Free some space, or choose another place."),
     {"path"}},
    {"out_of_memory",
     QT_TRANSLATE_NOOP("strata::Errors",
                       "There is not enough memory for this. Use a smaller batch, a shorter context or a map with "
                       "fewer owners.")},
    {"model_not_found",
     QT_TRANSLATE_NOOP("strata::Errors", "There is no model %1. Choose another one, or add its folder."),
     {"model"}},
    {"unknown_architecture",
     QT_TRANSLATE_NOOP("strata::Errors", "The model has the architecture %1, which is not supported. Supported: %2."),
     {"architecture", "supported"}},
    {"context_full",
     QT_TRANSLATE_NOOP("strata::Errors",
                       "The context is full: it holds %1 tokens and this needs %2. Shorten the prompt, or choose a "
                       "longer context."),
     {"holds", "needs"}},
    {"project_locked",
     QT_TRANSLATE_NOOP("strata::Errors", "The project %1 is open in another Strata. Close it there first."),
     {"project"}},
    {"no_project", QT_TRANSLATE_NOOP("strata::Errors", "No project is open. Open one first.")},
    {"no_project_folder",
     QT_TRANSLATE_NOOP("strata::Errors", "The folder %1 is no project: it has no strata.json."),
     {"path"}},
    {"newer_file",
     QT_TRANSLATE_NOOP("strata::Errors", "%1 was written by a newer Strata. Use that one to open it."),
     {"path"}},
    {"run_not_found", QT_TRANSLATE_NOOP("strata::Errors", "The project has no run %1."), {"run"}},
    {"run_alive", QT_TRANSLATE_NOOP("strata::Errors", "The run %1 is still running. Stop it first."), {"run"}},
    {"name_taken", QT_TRANSLATE_NOOP("strata::Errors", "Another run is called %1. Choose another name."), {"name"}},
};

}  // namespace

QString errorText(const Error& error) {
  const QString message = QString::fromStdString(error.message);
  if (error.name.empty()) return message;
  for (const ErrorWords& words : kWords) {
    if (words.name != error.name) continue;
    QStringList arguments;
    for (const char* name : words.arguments) {
      if (name == nullptr) break;
      const auto found = error.arguments.find(name);
      if (found == error.arguments.end()) return message;
      arguments << QString::fromStdString(found->second);
    }
    const QString text = QCoreApplication::translate(kContext, words.text);
    // Both at once: an argument may hold "%2".
    if (arguments.size() == 2) return text.arg(arguments[0], arguments[1]);
    return arguments.isEmpty() ? text : text.arg(arguments[0]);
  }
  return message;
}

}  // namespace strata
