#include "core/config/search_config.h"

#include <charconv>

namespace strata {
namespace {

constexpr int kBeamWidth = 4, kMostBeam = 64;
constexpr int kRandomMaps = 20, kMostRandom = 10000;

Result<void> checkInput(const MeasureConfig& config) {
  STRATA_CHECK(checkDevice(config.device));
  if (config.model.empty()) return fail(ErrorCode::usage, "No model is given; name one.", "MODEL");
  if (config.text.empty()) return fail(ErrorCode::usage, "No text is given; name a file with text.", "--text");
  return {};
}

/// 0: none.
int numberAfterColon(const std::string& text) {
  const std::size_t colon = text.find(':');
  int number = 0;
  if (colon == std::string::npos) return 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, number);
  return error == std::errc() && stop == end ? number : 0;
}

}  // namespace

Result<SearchMethod> searchMethodOf(const std::string& text) {
  const std::size_t colon = text.find(':');
  SearchMethod method{text.substr(0, colon), 0};
  const bool hasNumber = colon != std::string::npos;
  const auto numbered = [&](int usual, int most) -> Result<SearchMethod> {
    method.number = hasNumber ? numberAfterColon(text) : usual;
    if (method.number >= 1 && method.number <= most) return method;
    return fail(ErrorCode::usage,
                "The method " + text + " has no number from 1 to " + std::to_string(most) + "; write " + method.name +
                    ":" + std::to_string(usual) + ".",
                "--method");
  };
  if (method.name == "beam") return numbered(kBeamWidth, kMostBeam);
  if (method.name == "random") return numbered(kRandomMaps, kMostRandom);
  for (const char* plain : {"greedy", "dp", "dissimilarity", "measure"}) {
    if (text == plain) return method;
  }
  return fail(ErrorCode::usage,
              "The method " + text + " is unknown; give greedy, beam:w, dp, dissimilarity, random:n or measure.",
              "--method");
}

Result<void> checkSensitivityConfig(const SensitivityConfig& config) {
  STRATA_CHECK(checkRanges(config));
  return checkInput(config);
}

Result<void> checkSearchConfig(const SearchConfig& config) {
  STRATA_TRY(const SearchMethod method, searchMethodOf(config.method));
  STRATA_CHECK(checkRanges(config));
  STRATA_CHECK(checkInput(config));
  if (method.name == "measure") {
    if (config.maps.empty()) {
      return fail(ErrorCode::usage, "The method measure needs maps; give some.", "--maps");
    }
    return {};
  }
  if (config.retention && config.budget) {
    return fail(ErrorCode::usage, "Both a retention and a budget are given; give one of them.", "--budget");
  }
  if (!config.retention && !config.budget) {
    return fail(ErrorCode::usage, "Give the size of the map to find: a retention or a cache budget.", "--retention");
  }
  if (config.retention && *config.retention <= 0) {
    return fail(ErrorCode::usage, "A retention is above 0 and at most 1: layer 0 always keeps its own.", "--retention");
  }
  return {};
}

}  // namespace strata
