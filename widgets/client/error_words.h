#pragma once
// What an engine's error says in the window's language: the errors that have a name (core/base/error.h) are worded here
// from their arguments, the others keep the engine's own English sentence.

#include <QString>

#include "core/base/error.h"

namespace strata {

/// One sentence. Of a name that this window does not know, or without an argument that it needs: error.message.
QString errorText(const Error& error);

}  // namespace strata
