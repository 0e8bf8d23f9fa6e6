#include "options.h"

#include <QProcess>

namespace strata {

Result<WorkbenchOptions> parseOptions(const QStringList& arguments) {
  WorkbenchOptions options;
  for (int i = 0; i < arguments.size(); ++i) {
    const QString& word = arguments[i];
    if (word == "--help" || word == "-h") {
      options.help = true;
    } else if (word == "--version") {
      options.version = true;
    } else if (word == "--engine") {
      options.engine = arguments.mid(i + 1);
      if (options.engine.size() == 1) options.engine = QProcess::splitCommand(options.engine.first());
      if (options.engine.isEmpty()) {
        return fail(ErrorCode::usage, "--engine needs a command after it, such as: --engine ssh gpu-box strata engine");
      }
      break;
    } else if (word.startsWith('-')) {
      return fail(ErrorCode::usage, "There is no option " + word.toStdString() + ": see strata-workbench --help.",
                  word.toStdString());
    } else if (!options.project.isEmpty()) {
      return fail(ErrorCode::usage,
                  "Only one project can be opened at once, and " + word.toStdString() + " is the second: name one.",
                  word.toStdString());
    } else {
      options.project = word;
    }
  }
  return options;
}

QString helpText() {
  return QStringLiteral(
      "strata-workbench [PROJECT] [--engine COMMAND...]\n"
      "\n"
      "The window of Strata: models whose layers share one another's KV cache, side by side.\n"
      "\n"
      "  PROJECT              folder of a project (default: the last one, at first a copy of the sample)\n"
      "  --engine COMMAND...  how the engine is started, up to the end of the line: ssh gpu-box strata engine\n"
      "                       (default: STRATA_ENGINE, else as set in the window, else the strata beside this program\n"
      "                       or on the PATH)\n"
      "  --help, --version\n"
      "\n"
      "STRATA_TIMING=1 prints how long the window took to show.\n");
}

}  // namespace strata
