#pragma once
// serve/start and serve/stop of a window, and serve/changed.
//
//   addServeMethods(engine.methods(), engine.host(), engine.notifier());

#include "core/service/http_models.h"
#include "core/service/methods.h"

namespace strata {

/// The table holds the server; it must go before the host.
void addServeMethods(MethodTable& methods, ModelHost& host, Notifier notify);
void addServeMethods(MethodTable& methods, HttpEngine engine, Notifier notify);

}  // namespace strata
