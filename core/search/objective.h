#pragma once
// What a search compares maps by: the loss on a text, or 1 - score of a task's questions. Less is better.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/questions.h"
#include "core/model/model.h"
#include "core/search/map_scorer.h"

namespace strata {

struct MeasureHooks {
  MapScorer::GoOn goOn;
  std::function<void(double maps)> onPart;  // so many maps more are measured, or a fraction of one
};

class Objective {
 public:
  virtual ~Objective() = default;
  /// "nll", or the task's score
  virtual std::string metric() const = 0;
  /// Of each map, in their order; those that maps have in common is computed once.
  virtual Result<std::vector<Losses>> measure(const std::vector<SharingMap>& maps, const MeasureHooks& hooks) = 0;
  /// Whether there is a smaller sample by which maps can be told apart roughly.
  virtual bool screens() const { return false; }
  /// The mean loss of each map on that sample.
  virtual Result<std::vector<double>> screen(const std::vector<SharingMap>&, const MeasureHooks&) {
    return std::vector<double>();
  }
  /// A mean loss as the metric has it.
  virtual double valueOf(double loss) const { return loss; }
};

/// `text` outlives it. Texts of more than 12,288 tokens are screened by about 4,096 of them.
std::unique_ptr<Objective> textObjective(std::shared_ptr<const Model> model, const SearchText& text,
                                         Communicator* ranks = nullptr);
/// Questions drawn by sampleQuestions() with `seed`; "f1", of MS MARCO "rouge_l".
Result<std::unique_ptr<Objective>> taskObjective(std::shared_ptr<const Model> model, QuestionSet data, int limit,
                                                 std::uint64_t seed, Communicator* ranks = nullptr);

}  // namespace strata
