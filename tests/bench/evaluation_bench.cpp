// evaluation_bench MODEL SQUAD.json [QUESTIONS [THREADS]]: questions under four maps as an evaluation asks them, beside
// one question at a time, in processor seconds (other work on the machine makes threads wait for each other, which the
// clock would count). Both ways alternate by parts of the data. One JSON line, with how many answers were equal.
#include <ATen/Parallel.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>

#include "core/evaluation/tasks.h"
#include "core/model/model.h"

namespace {

using namespace strata;

constexpr std::size_t kPart = 100;  // questions of a stretch that one way is timed on

double processorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

using Answers = std::map<std::pair<std::string, std::string>, TaskAnswer>;

Result<double> ask(const std::shared_ptr<const Model>& model, const std::vector<NamedMap>& maps,
                   const QuestionSet& questions, Answers& answers) {
  TaskHooks hooks;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& some) -> Result<void> {
    for (const TaskAnswer& each : some) answers[{each.map, each.question}] = each;
    return {};
  };
  const double started = processorSeconds();
  STRATA_CHECK(evaluateQuestions(model, maps, questions, {}, hooks));
  return processorSeconds() - started;
}

Result<void> run(const char* folder, const char* file, int count) {
  OpenOptions open;
  open.path = folder;
  open.dtype = "float32";
  STRATA_TRY(const std::shared_ptr<const Model> model, Model::open(open));
  STRATA_TRY(const std::vector<NamedMap> maps,
             parseMaps("full;retention:.75;retention:.5;retention:.33", model->config().layers));
  STRATA_TRY(QuestionSet data, readQuestions(file, QaFormat::squad));
  if (data.questions.size() > static_cast<std::size_t>(count)) data.questions.resize(static_cast<std::size_t>(count));
  Answers together, alone;
  double batched = 0, single = 0;
  for (std::size_t begin = 0; begin < data.questions.size(); begin += kPart) {
    const auto first = data.questions.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto end =
        data.questions.begin() + static_cast<std::ptrdiff_t>(std::min(data.questions.size(), begin + kPart));
    QuestionSet part = data;
    part.questions.assign(first, end);
    STRATA_TRY(const double seconds, ask(model, maps, part, together));
    batched += seconds;
    for (auto each = first; each != end; ++each) {
      part.questions.assign(each, each + 1);
      STRATA_TRY(const double one, ask(model, maps, part, alone));
      single += one;
    }
  }
  int equal = 0;
  double apart = 0;
  for (const auto& [key, answer] : together) {
    const TaskAnswer& other = alone.at(key);
    equal += answer.answer == other.answer ? 1 : 0;
    apart = std::max(apart, std::abs(answer.scores.at("nll") - other.scores.at("nll")));
  }
  std::printf(
      "{\"questions\": %zu, \"maps\": %zu, \"batched_s\": %.2f, \"one_by_one_s\": %.2f, \"ratio\": %.3f, "
      "\"answers\": %zu, \"equal\": %d, \"largest_nll_difference\": %.2g}\n",
      data.questions.size(), maps.size(), batched, single, batched / single, together.size(), equal, apart);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: evaluation_bench MODEL SQUAD.json [QUESTIONS [THREADS]]\n");
    return 2;
  }
  at::set_num_threads(argc > 4 ? std::atoi(argv[4]) : 1);
  const Result<void> done = run(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 500);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
