#include "app/strata/ranks.h"

#include <chrono>
#include <cstdlib>
#include <thread>

#include "app/strata/cli.h"

namespace strata {
namespace {

constexpr auto kUntilEnded = std::chrono::seconds(10);

/// One GPU and its part of the cores for each rank of a machine.
void shareMachine(const Communicator& ranks) {
  constexpr const char* kVisible = "CUDA_VISIBLE_DEVICES";
  const char* visible = std::getenv(kVisible);
  if (ranks.localRanks() > 1)
    ::setenv(kVisible, visibleDevice(visible == nullptr ? "" : visible, ranks.localRank()).c_str(), 1);
  limitThreads(coresOf(&ranks));
}

}  // namespace

Result<int> onRanks(const Output& out, const std::function<Result<int>(Communicator&)>& lead,
                    const std::function<Result<void>(Communicator&)>& follow) {
  STRATA_TRY(const std::unique_ptr<Communicator> ranks, openRanks());
  shareMachine(*ranks);
  Result<int> code = 0;
  if (ranks->leads()) {
    code = lead(*ranks);
    if (!code) {
      out.error(code.error());
      STRATA_CHECK(Output::flush());
      ranks->end(exitCodeOf(code.error()));
    }
  } else {
    // An error is that of all ranks as a rule, and rank 0, which says it, ends this one.
    if (const Result<void> followed = follow(*ranks); !followed) {
      std::this_thread::sleep_for(kUntilEnded);
      ranks->abort(followed.error().message);
    }
  }
  ranks->close();
  return code;
}

Result<int> alike(const Output& out, const std::function<Result<int>(Communicator*)>& work) {
  const auto lead = [&](Communicator& ranks) -> Result<int> {
    STRATA_TRY(const int code, work(&ranks));
    if (code != 0) {  // stopped: the others may wait for what does not come
      STRATA_CHECK(Output::flush());
      ranks.end(code);
    }
    return code;
  };
  const auto follow = [&](Communicator& ranks) -> Result<void> {
    STRATA_CHECK(work(&ranks));
    return {};
  };
  return onRanks(out, lead, follow);
}

}  // namespace strata
