#pragma once
// The golden models and maps that the tests of inference run over.

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "core/model/score.h"
#include "core/model/session.h"
#include "golden_models.h"
#include "support.h"

namespace strata::testing {

inline constexpr double kTolerance = 2e-4;

inline std::shared_ptr<const Model> golden(const std::string& name) {
  return Model::open({.path = sourceFolder() / "tests/golden/models" / name, .dtype = "float32"}).value();
}

inline std::vector<TokenId> someIds(int count, int vocab, int start = 13) {
  std::vector<TokenId> ids;
  for (int i = 0; i < count; ++i) ids.push_back((i * 7919 + start) % vocab);
  return ids;
}

inline double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

inline at::Tensor uncachedLast(const Model& model, const SharingMap& map, const std::vector<TokenId>& ids) {
  return scoreWindows(model, map, {ids}, {.logits = true}).value().logits[-1];
}

inline std::vector<SharingMap> mapsOf(const Model& model) {
  std::vector<SharingMap> maps;
  for (const char* text : {"full", "stride:2", "prefix:1", "even:2"})
    maps.push_back(parseMap(text, model.config().layers).value());
  return maps;
}

}  // namespace strata::testing
