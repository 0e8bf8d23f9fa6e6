#pragma once
// How the engine is started: as the user says, else the strata beside this program, else the one on the PATH.

#include "widgets/client/engine_client.h"

namespace strata {

/// Of a text as a shell would split it ("ssh gpu-box strata engine"). Empty: the default.
EngineClient::Command engineCommand(const QString& text);
EngineClient::Command engineCommand(const QStringList& words);
/// `strata engine` of this machine.
EngineClient::Command localEngine();
/// As text; engineCommand() reads it back.
QString commandText(const EngineClient::Command& command);
/// Whether a program runs the engine on another machine, so that its files are not this one's.
bool runsElsewhere(const QString& program);

}  // namespace strata
