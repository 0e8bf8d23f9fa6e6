#pragma once
// What strata-workbench is told on its command line.

#include <QString>
#include <QStringList>

#include "core/base/error.h"

namespace strata {

struct WorkbenchOptions {
  QString project;     // a folder of the engine's machine; empty: where the user left, else the sample
  QStringList engine;  // a command and its arguments; empty: as the settings say
  bool help = false, version = false;
};

/// `arguments` without the program's name. Everything after --engine is the engine's command: as words, or as one text.
Result<WorkbenchOptions> parseOptions(const QStringList& arguments);

QString helpText();

}  // namespace strata
