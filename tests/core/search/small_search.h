#pragma once
// A small model and a text to measure maps on.

#include <memory>

#include "core/model/model.h"
#include "core/search/objective.h"
#include "core/search/search_text.h"
#include "support.h"

namespace strata::testing {

inline std::shared_ptr<const Model> openStories(std::int64_t context = 0) {
  auto model = Model::open({.path = sourceFolder() / "resources/models/stories260K", .context = context});
  EXPECT_TRUE(model) << model.error().message;
  return *model;
}

/// About 900 tokens of stories, more than one document.
inline SearchText stories(const Model& model, std::int64_t tokens = 0) {
  static const TemporaryFolder folder;
  const auto path = folder.path() / "stories.txt";
  if (!std::filesystem::exists(path)) {
    writeText(path, readText(sourceFolder() / "projects/tiny-stories/heldout.txt").substr(0, 2500));
  }
  auto text = readSearchText(model, path, tokens);
  EXPECT_TRUE(text) << text.error().message;
  return *text;
}

}  // namespace strata::testing
