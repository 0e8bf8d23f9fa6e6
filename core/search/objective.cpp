#include "core/search/objective.h"

#include "core/evaluation/tasks.h"

namespace strata {
namespace {

class TextObjective : public Objective {
 public:
  TextObjective(std::shared_ptr<const Model> model, const SearchText& text)
      : m_windows(text.windows.size()), m_scorer(std::move(model), text) {}

  std::string metric() const override { return "nll"; }
  Result<std::vector<Losses>> measure(const std::vector<SharingMap>& maps, const MeasureHooks& hooks) override {
    std::vector<Losses> losses(maps.size(), Losses(m_windows));
    for (std::size_t batch = 0; batch < m_scorer.batches(); ++batch) {
      const std::vector<std::size_t>& windows = m_scorer.windowsOf(batch);
      STRATA_CHECK(m_scorer.score(batch, maps, hooks.goOn, [&](std::size_t map, const Losses& some) -> Result<void> {
        for (std::size_t i = 0; i < windows.size(); ++i) losses[map][windows[i]] = some[i];
        if (hooks.onPart) hooks.onPart(1.0 / static_cast<double>(m_scorer.batches()));
        return {};
      }));
    }
    return losses;
  }

 private:
  std::size_t m_windows;
  MapScorer m_scorer;
};

class TaskObjective : public Objective {
 public:
  TaskObjective(std::shared_ptr<const Model> model, QuestionSet data)
      : m_model(std::move(model)),
        m_data(std::move(data)),
        m_metric(m_data.format == QaFormat::msMarco ? "rouge_l" : "f1") {}

  std::string metric() const override { return m_metric; }
  double valueOf(double loss) const override { return 1 - loss; }
  Result<std::vector<Losses>> measure(const std::vector<SharingMap>& maps, const MeasureHooks& hooks) override {
    std::vector<Losses> all;
    for (const SharingMap& map : maps) {
      Losses losses;
      TaskHooks asked;
      asked.goOn = hooks.goOn;
      asked.onAnswer = [&](const TaskAnswer& answer) -> Result<void> {
        const auto score = answer.scores.find(m_metric);
        losses.push_back(score == answer.scores.end() ? WindowLoss{} : WindowLoss{1 - score->second, 1});
        return {};
      };
      STRATA_CHECK(evaluateQuestions(m_model, {{printMap(map), map}}, m_data, {}, asked));
      if (hooks.onPart) hooks.onPart(1);
      all.push_back(std::move(losses));
    }
    return all;
  }

 private:
  std::shared_ptr<const Model> m_model;
  QuestionSet m_data;
  std::string m_metric;
};

}  // namespace

std::unique_ptr<Objective> textObjective(std::shared_ptr<const Model> model, const SearchText& text) {
  return std::make_unique<TextObjective>(std::move(model), text);
}

Result<std::unique_ptr<Objective>> taskObjective(std::shared_ptr<const Model> model, QuestionSet data, int limit,
                                                 std::uint64_t seed) {
  STRATA_CHECK(model->needTokenizer());
  STRATA_TRY(QuestionSet sample, sampleQuestions(std::move(data), limit, seed));
  return std::unique_ptr<Objective>(std::make_unique<TaskObjective>(std::move(model), std::move(sample)));
}

}  // namespace strata
