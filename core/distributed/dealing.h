#pragma once
// Work that the ranks of one run share item by item, while all of them do everything else alike.
//
//   STRATA_CHECK(deal<Outcomes>(ranks, batches.size(), [&](std::size_t i) { return answer(batches[i]); },
//                               [&](std::size_t i, Outcomes outcomes) { return note(i, std::move(outcomes)); }));
// Every rank takes every item, in order, as one process does; without ranks each is computed when its turn comes.
// Results cross as MessagePack, so T has to_json() and from_json(); doubles and any bytes in strings come over
// unchanged.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/distributed/communicator.h"

namespace strata {

/// compute(i): Result<T>; take(i, T): Result<void>. An error of one rank's compute() is one of all.
template <class T, class Compute, class Take>
Result<void> deal(Communicator* ranks, std::size_t count, const Compute& compute, const Take& take) {
  const auto each = static_cast<std::size_t>(ranks == nullptr ? 1 : ranks->ranks());
  for (std::size_t round = 0; round < count; round += each) {
    const std::size_t mine = round + static_cast<std::size_t>(ranks == nullptr ? 0 : ranks->rank());
    Result<T> own = T();
    if (mine < count) own = compute(mine);
    STRATA_CHECK(agree(ranks, own ? Result<void>() : tl::unexpected(own.error())));
    for (std::size_t item = round; item < std::min(count, round + each); ++item) {
      std::string bytes;
      if (ranks != nullptr) {
        if (item == mine) Json::to_msgpack(Json(*own), bytes);
        ranks->broadcast(bytes, static_cast<int>(item - round));
      }
      STRATA_CHECK(take(item, item == mine ? std::move(*own) : Json::from_msgpack(bytes).template get<T>()));
    }
  }
  return {};
}

}  // namespace strata
