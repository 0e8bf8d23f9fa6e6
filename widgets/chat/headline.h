#pragma once
// What was seen of two answers to one question, in a sentence: "B holds half the cache and still gives the expected
// answer."

#include <QString>

#include "widgets/chat/conversation.h"

namespace strata {

/// Empty while one of them is not whole.
QString headlineOf(const SideAnswer* a, const SideAnswer* b);

}  // namespace strata
