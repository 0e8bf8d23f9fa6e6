#pragma once
// A project with evaluations whose scores a test says.

#include <cmath>
#include <string>
#include <vector>

#include "core/base/files.h"
#include "core/project/project.h"
#include "core/project/run_database.h"
#include "support.h"

namespace strata::testing {

struct GivenAnswer {
  std::string id;
  double f1 = 0, em = 0;
  std::string answer = "an answer", article = {}, text = "What?", expected = "this";
};

struct GivenMap {
  std::string name;
  std::vector<int> src;
  std::vector<GivenAnswer> answers;
};

class EvaluatedProject {
 public:
  EvaluatedProject() {
    writeText(path() / "strata.json", R"({"format": "strata-project", "version": 1, "name": "books"})");
  }
  std::filesystem::path path() const { return m_folder.path() / "books"; }

  /// The id of a run that is done. `model`: its name, or a run of the project.
  std::string evaluate(const std::vector<GivenMap>& maps, const std::string& model = "base",
                       const std::string& dataHash = "d1", const std::string& task = "squad") const {
    const Project project = *Project::open(path());
    Run run = *Run::create(project, "eval",
                           {{"model", findRun(model, path()) ? model : "/models/" + model},
                            {"task", task},
                            {"data", "/data/questions.json"}});
    EXPECT_TRUE(run.setState(RunState::running));
    RunDatabase database = *RunDatabase::open(run.folder());
    Json results = Json::array();
    for (const GivenMap& map : maps) {
      std::vector<RunAnswer> rows;
      double f1 = 0, em = 0;
      for (const GivenAnswer& each : map.answers) {
        RunAnswer row{map.name, each.id, each.answer, {{"f1", each.f1}, {"em", each.em}}, {}};
        row.asked.text = each.text;
        row.asked.expected = each.expected;
        row.asked.cluster = each.article;
        rows.push_back(std::move(row));
        f1 += each.f1;
        em += each.em;
      }
      EXPECT_TRUE(database.addAnswers(rows));
      const auto n = static_cast<double>(map.answers.size());
      int owners = 0;
      for (std::size_t layer = 0; layer < map.src.size(); ++layer)
        owners += map.src[layer] == static_cast<int>(layer) ? 1 : 0;
      results.push_back({{"map", map.name},
                         {"src", map.src},
                         {"retention", static_cast<double>(owners) / static_cast<double>(map.src.size())},
                         {"f1", f1 / n},
                         {"em", em / n},
                         {"n", map.answers.size()},
                         {"kv_bytes_per_token", 512 * owners},
                         {"seconds", 1.5}});
    }
    EXPECT_TRUE(database.flush());
    const Json file = {{"task", task},
                       {"model_hash", "m-" + model},
                       {"data_hash", dataHash},
                       {"strata", "0.4.0"},
                       {"settings", {{"prompt", "Q: {{ question }}\nA:"}, {"chat", model == "chatty"}}},
                       {"results", results}};
    EXPECT_TRUE(writeFile(run.folder() / "results.json", file.dump()));
    EXPECT_TRUE(run.setState(RunState::done));
    return run.info().id;
  }

  /// `count` questions of which about `share` are right, other ones for another salt; five of an article.
  static std::vector<GivenAnswer> questions(int count, double share, int salt = 0) {
    std::vector<GivenAnswer> answers;
    for (int i = 0; i < count; ++i) {
      const double place = std::fmod(0.618034 * (i + 1) + 0.37 * salt * (1 + i % 7), 1.0);
      const bool isRight = place < share;
      answers.push_back({"q" + std::to_string(i), isRight ? 1.0 : 0.25 * (i % 3), isRight ? 1.0 : 0.0,
                         isRight ? "this" : "that " + std::to_string(salt), "article " + std::to_string(i / 5)});
    }
    return answers;
  }

 private:
  TemporaryFolder m_folder;
};

}  // namespace strata::testing
