#pragma once
// The small model that the tests of tasks ask, and what they all build.

#include <memory>
#include <string>
#include <vector>

#include "core/data/questions.h"
#include "core/model/model.h"
#include "core/routing/sharing_map.h"
#include "support.h"

namespace strata {

inline std::shared_ptr<const Model> openStories(std::int64_t context = 0) {
  OpenOptions options;
  options.path = testing::sourceFolder() / "resources/models/stories260K";
  options.context = context;
  auto model = Model::open(options);
  EXPECT_TRUE(model) << model.error().message;
  return *model;
}

inline std::vector<NamedMap> maps(const std::string& text) {
  return parseMaps(text, 5).value();
}

inline QuestionSet setOf(QaFormat format, bool mayLackAnswers = false) {
  QuestionSet set;
  set.format = format;
  set.mayLackAnswers = mayLackAnswers;
  return set;
}

}  // namespace strata
