#include "app/strata/ranks.h"

namespace strata {

Result<int> onRanks(const Output& out, const std::function<Result<int>(Communicator&)>& lead,
                    const std::function<Result<void>(Communicator&)>& follow) {
  STRATA_TRY(const std::unique_ptr<Communicator> ranks, openRanks());
  Result<int> code = 0;
  if (ranks->leads()) {
    code = lead(*ranks);
    if (!code) {
      out.error(code.error());
      STRATA_CHECK(Output::flush());
      ranks->end(exitCodeOf(code.error()));
    }
  } else {
    // An error is that of all ranks, and rank 0, which says it, ends this one.
    (void)follow(*ranks);
  }
  ranks->close();
  return code;
}

}  // namespace strata
