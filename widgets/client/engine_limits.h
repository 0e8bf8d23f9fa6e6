#pragma once
// How long an engine may take, and how often it is started again. Tests shorten them.

#include <vector>

namespace strata {

struct EngineLimits {
  int initializeMs = 15'000;  // up to the answer of initialize: a cold disk reads LibTorch first
  int remoteInitializeMs = 30'000;
  int pingMs = 5'000;         // between signs of life asked for while requests are under way
  int idlePingMs = 15'000;    // the same while none is: a cut connection is noticed, and the engine hears of the window
  int silenceMs = 60'000;     // after which the engine may end, as it is told; well above idlePingMs
  int pings = 3;              // that may stay without an answer before the engine counts as hung
  int cancelMs = 5'000;       // up to the answer of a cancel; a remote engine gets three times that
  int halfFrameMs = 8'000;    // silence in the middle of a message
  int storeAgainMs = 10'000;  // between tries to store what could not be stored (a full disk)
  int leaveMs = 2'000;        // between the end of its input and being killed

  std::vector<int> delaysMs = {0, 500, 1'000, 2'000, 5'000};  // before each start in a row; its size is the budget
  int stableMs = 30'000;                                      // a life of this length begins a new row
  int windowMs = 60'000;                                      // and so does this time without a death
  int repeats = 2;  // times that a request is sent again after it saw the engine die
};

}  // namespace strata
