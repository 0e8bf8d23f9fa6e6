#pragma once
// Checkpoint::hash() for models that take their time: it tells how far it is, and can be cancelled between tensors.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"

namespace strata {

/// `progress`: bytes of tensors hashed, and in all.
Result<std::string> hashOf(const Checkpoint& checkpoint, const std::atomic<bool>* cancel = nullptr,
                           const std::function<void(std::int64_t done, std::int64_t total)>& progress = {});

}  // namespace strata
