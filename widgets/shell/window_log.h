#pragma once
// What Qt and the window warn of goes to stderr and to a file in the user's state folder, so that a crash leaves a
// trace.

#include <QString>

namespace strata {

/// $XDG_STATE_HOME/strata/workbench.log, else below ~/.local/state.
QString windowLogPath();

/// From now on messages are written there; a log over 1 MiB becomes workbench.log.1 first.
void startWindowLog();

}  // namespace strata
