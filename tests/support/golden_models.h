#pragma once
// The golden models of tests/golden/models: at least one for each family, window layout and kind of bias.

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace strata::testing {

inline const std::vector<std::string> kGoldenModels = {"llama2-mha",        "llama-bias",  "llama31-gqa",
                                                       "mistral-swa",       "qwen2-bias",  "qwen2-mixed",
                                                       "qwen2-alternating", "qwen3-qknorm"};
/// Those with a LoRA adapter and five optimiser steps.
inline const std::vector<std::string> kTrainedGoldenModels = {"llama2-mha", "qwen3-qknorm"};

/// Names of parameterised tests may hold no dashes.
inline std::string goldenName(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::erase(name, '-');
  return name;
}

}  // namespace strata::testing
