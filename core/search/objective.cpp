#include "core/search/objective.h"

#include "core/evaluation/tasks.h"

namespace strata {
namespace {

constexpr std::int64_t kScreenTokens = 4096;
constexpr std::int64_t kScreenedFrom = 3 * kScreenTokens;  // below, a sample saves little

class TextObjective : public Objective {
 public:
  TextObjective(std::shared_ptr<const Model> model, const SearchText& text, Communicator* ranks)
      : m_text(text),
        m_sample(sampleOf(text, kScreenTokens)),
        m_scorer(model, text, ranks),
        m_screen(model, m_sample, ranks) {}

  std::string metric() const override { return "nll"; }
  bool screens() const override { return m_text.tokens > kScreenedFrom && m_sample.tokens < m_text.tokens / 2; }
  Result<std::vector<Losses>> measure(const std::vector<SharingMap>& maps, const MeasureHooks& hooks) override {
    return lossesOf(m_scorer, m_text, maps, hooks);
  }
  Result<std::vector<double>> screen(const std::vector<SharingMap>& maps, const MeasureHooks& hooks) override {
    STRATA_TRY(const std::vector<Losses> losses, lossesOf(m_screen, m_sample, maps, hooks));
    std::vector<double> means;
    for (const Losses& some : losses) means.push_back(meanOf(some).mean);
    return means;
  }

 private:
  Result<std::vector<Losses>> lossesOf(const MapScorer& scorer, const SearchText& text,
                                       const std::vector<SharingMap>& maps, const MeasureHooks& hooks) const {
    std::vector<Losses> losses(maps.size(), Losses(text.windows.size()));
    const double part =
        static_cast<double>(text.tokens) / static_cast<double>(m_text.tokens) / static_cast<double>(scorer.batches());
    for (std::size_t batch = 0; batch < scorer.batches(); ++batch) {
      const std::vector<std::size_t>& windows = scorer.windowsOf(batch);
      STRATA_CHECK(scorer.score(batch, maps, hooks.goOn, [&](std::size_t map, const Losses& some) -> Result<void> {
        for (std::size_t i = 0; i < windows.size(); ++i) losses[map][windows[i]] = some[i];
        if (hooks.onPart) hooks.onPart(part);
        return {};
      }));
    }
    return losses;
  }

  const SearchText& m_text;
  SearchText m_sample;
  MapScorer m_scorer, m_screen;
};

class TaskObjective : public Objective {
 public:
  TaskObjective(std::shared_ptr<const Model> model, QuestionSet data, Communicator* ranks)
      : m_model(std::move(model)),
        m_ranks(ranks),
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
      asked.ranks = m_ranks;
      asked.onAnswers = [&](const std::vector<TaskAnswer>& answers) -> Result<void> {
        for (const TaskAnswer& each : answers) {
          const auto score = each.scores.find(m_metric);
          losses.push_back(score == each.scores.end() ? WindowLoss{} : WindowLoss{1 - score->second, 1});
        }
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
  Communicator* m_ranks;
  QuestionSet m_data;
  std::string m_metric;
};

}  // namespace

std::unique_ptr<Objective> textObjective(std::shared_ptr<const Model> model, const SearchText& text,
                                         Communicator* ranks) {
  return std::make_unique<TextObjective>(std::move(model), text, ranks);
}

Result<std::unique_ptr<Objective>> taskObjective(std::shared_ptr<const Model> model, QuestionSet data, int limit,
                                                 std::uint64_t seed, Communicator* ranks) {
  STRATA_CHECK(model->needTokenizer());
  STRATA_TRY(QuestionSet sample, sampleQuestions(std::move(data), limit, seed));
  return std::unique_ptr<Objective>(std::make_unique<TaskObjective>(std::move(model), std::move(sample), ranks));
}

}  // namespace strata
