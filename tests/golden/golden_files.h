#pragma once
// The golden cases: stock checkpoints with exact values of routed forward passes (tests/golden/README.md).

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/checkpoint/safetensors.h"
#include "core/model/model.h"
#include "core/model/weights.h"
#include "golden_models.h"
#include "support.h"

namespace strata::testing {

inline std::filesystem::path goldenFolder(const std::string& model) {
  return sourceFolder() / "tests/golden/models" / model;
}

struct GoldenCase {
  Json json;
  TensorMap tensors;

  explicit GoldenCase(const std::string& model)
      : json(readJson(goldenFolder(model) / "golden.json").value()),
        tensors(readSafetensors(goldenFolder(model) / "golden.safetensors").value()) {}

  at::Tensor tensor(const std::string& name) const {
    return tensorOf(tensors.at(name), at::kFloat, c10::Device(c10::DeviceType::CPU));
  }
  std::vector<TokenId> sequence(int i) const {
    return json["input_ids"][static_cast<std::size_t>(i)].get<std::vector<TokenId>>();
  }
};

inline SharingMap mapOf(const Json& entry) {
  return SharingMap::create(entry["src"].get<std::vector<int>>(), MapKind::training).value();
}

inline std::shared_ptr<const Model> openGolden(const std::string& model, const std::string& dtype = "float32",
                                               bool adapter = false) {
  OpenOptions options{.path = goldenFolder(model), .dtype = dtype};
  if (adapter) options.adapter = goldenFolder(model) / "adapter";
  auto opened = Model::open(options);
  EXPECT_TRUE(opened) << opened.error().message;
  return *opened;
}

}  // namespace strata::testing
