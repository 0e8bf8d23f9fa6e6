#pragma once
// What is said of one token of a comparison: its place, its text, how far apart the two predictions are, and what else
// each side would have said. Values; any thread.

#include <QString>

#include "core/protocol/messages.h"

namespace strata {

struct TokenText {
  QString token;  // "token 7 of 16  “ the”  KL 0.020 nats"
  QString a, b;   // "“ the” 81.0 % · “ a” 9.0 %"
  /// All of it in three lines.
  QString lines() const;
};

TokenText textOf(const protocol::Compare::Answer& comparison, std::size_t token);

}  // namespace strata
