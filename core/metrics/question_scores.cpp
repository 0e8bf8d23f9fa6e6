#include "core/metrics/question_scores.h"

#include <algorithm>
#include <new>
#include <set>

#include "core/base/json.h"
#include "core/data/json_member.h"

namespace strata {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1ull << 30;

Result<Answers> takeAnswers(const JsonMember& object) {
  STRATA_CHECK(object.mustBeObject());
  Answers answers;
  for (std::size_t i = 0; i < object.value().size(); ++i) {
    const JsonMember answer = object.element(i);
    STRATA_TRY(std::string text, answer.takeText());
    answers.emplace(object.keyOf(i), std::move(text));
  }
  return answers;
}

Result<std::vector<SupportingFact>> takeFacts(const JsonMember& list) {
  std::vector<SupportingFact> facts;
  STRATA_CHECK(list.forEach([&](const JsonMember& pair) -> Result<void> {
    if (!pair.value().is_array() || pair.value().size() != 2 || !pair.value()[1].is_number_integer()) {
      return pair.broken("must be a title and the number of a sentence");
    }
    SupportingFact fact;
    STRATA_TRY(fact.title, pair.element(0).takeText());
    fact.sentence = pair.value()[1].get<std::int64_t>();
    facts.push_back(std::move(fact));
    return {};
  }));
  return facts;
}

Result<HotpotPredictions> takeHotpotPredictions(const JsonMember& root) {
  STRATA_CHECK(root.mustBeObject());
  HotpotPredictions predictions;
  const auto whole = root.value().find("answer");
  if (whole == root.value().end() || !whole->is_object()) {
    STRATA_TRY(predictions.answers, takeAnswers(root));
    return predictions;
  }
  STRATA_TRY(const JsonMember answers, root.at("answer"));
  STRATA_TRY(predictions.answers, takeAnswers(answers));
  STRATA_TRY(const auto facts, root.find("sp"));
  if (!facts) return predictions;
  STRATA_CHECK(facts->mustBeObject());
  predictions.facts.emplace();
  for (std::size_t i = 0; i < facts->value().size(); ++i) {
    STRATA_TRY(std::vector<SupportingFact> list, takeFacts(facts->element(i)));
    predictions.facts->emplace(facts->keyOf(i), std::move(list));
  }
  // A file that predicts no facts at all is one of answers.
  if (predictions.facts->empty()) predictions.facts.reset();
  return predictions;
}

template <class T>
Result<T> readAs(const std::filesystem::path& path, Result<T> (*take)(const JsonMember&)) {
  try {
    const std::string source = path.string();
    STRATA_TRY(Json root, readJson(path, kMaxFileBytes));
    if (!root.is_object()) {
      return fail(ErrorCode::invalidData, source + " must hold one object, {\"question id\": \"answer\", …}.", source);
    }
    return take(JsonMember(root, source));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, "The predictions " + path.string() + " do not fit into memory.", path.string());
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, path.string() + ": the predictions cannot be read: " + exception.what(),
                path.string());
  }
}

struct Sum {
  AnswerScore sum;
  int n = 0;
  void add(const AnswerScore& score) {
    sum += score;
    ++n;
  }
  AnswerScore mean() const { return n == 0 ? AnswerScore{} : sum / n; }
};

AnswerScore scoreFacts(const std::vector<SupportingFact>& predicted, const std::vector<SupportingFact>& gold) {
  const std::set<SupportingFact> mine(predicted.begin(), predicted.end()), theirs(gold.begin(), gold.end());
  const auto both = std::count_if(mine.begin(), mine.end(), [&](const auto& fact) { return theirs.contains(fact); });
  AnswerScore score;
  const auto shared = static_cast<double>(both);
  if (!mine.empty()) score.precision = shared / static_cast<double>(mine.size());
  if (!theirs.empty()) score.recall = shared / static_cast<double>(theirs.size());
  if (score.precision + score.recall > 0) {
    score.f1 = 2 * score.precision * score.recall / (score.precision + score.recall);
  }
  score.exact = mine == theirs ? 1 : 0;
  return score;
}

AnswerScore together(const AnswerScore& answer, const AnswerScore& facts) {
  AnswerScore joint;
  joint.exact = answer.exact * facts.exact;
  joint.precision = answer.precision * facts.precision;
  joint.recall = answer.recall * facts.recall;
  if (joint.precision + joint.recall > 0) {
    joint.f1 = 2 * joint.precision * joint.recall / (joint.precision + joint.recall);
  }
  return joint;
}

}  // namespace

Result<Answers> readPredictions(const std::filesystem::path& path) {
  return readAs<Answers>(path, takeAnswers);
}

Result<HotpotPredictions> readHotpotPredictions(const std::filesystem::path& path) {
  return readAs<HotpotPredictions>(path, takeHotpotPredictions);
}

SquadScores scoreSquad(const QuestionSet& data, const Answers& predictions) {
  Sum all, hasAnswer, noAnswer;
  SquadScores scores;
  for (const Question& question : data.questions) {
    const auto prediction = predictions.find(question.id);
    AnswerScore score;
    if (prediction != predictions.end()) {
      score = scoreAnswer(prediction->second, question.answers);
    } else {
      ++scores.missing;
    }
    all.add(score);
    (question.answers.empty() ? noAnswer : hasAnswer).add(score);
  }
  const AnswerScore mean = all.mean(), withAnswer = hasAnswer.mean(), withoutAnswer = noAnswer.mean();
  scores.exact = mean.exact;
  scores.f1 = mean.f1;
  scores.n = all.n;
  scores.hasAnswerExact = withAnswer.exact;
  scores.hasAnswerF1 = withAnswer.f1;
  scores.hasAnswer = hasAnswer.n;
  scores.noAnswerExact = withoutAnswer.exact;
  scores.noAnswerF1 = withoutAnswer.f1;
  scores.noAnswer = noAnswer.n;
  return scores;
}

HotpotScores scoreHotpot(const QuestionSet& data, const HotpotPredictions& predictions) {
  Sum answers, facts, joint;
  HotpotScores scores;
  for (const Question& question : data.questions) {
    AnswerScore answerScore, factScore, jointScore;
    const auto answer = predictions.answers.find(question.id);
    const bool answered = answer != predictions.answers.end();
    if (answered && !question.answers.empty()) {
      answerScore = scoreHotpotAnswer(answer->second, question.answers.front());
    }
    if (!answered) ++scores.missing;
    if (predictions.facts) {
      const auto predicted = predictions.facts->find(question.id);
      const bool hasFacts = predicted != predictions.facts->end();
      if (hasFacts) factScore = scoreFacts(predicted->second, question.supportingFacts);
      if (hasFacts && answered) jointScore = together(answerScore, factScore);
      if (!hasFacts) ++scores.missingFacts;
    }
    answers.add(answerScore);
    facts.add(factScore);
    joint.add(jointScore);
  }
  scores.answer = answers.mean();
  if (predictions.facts) {
    scores.facts = facts.mean();
    scores.joint = joint.mean();
  }
  scores.n = answers.n;
  return scores;
}

TriviaScores scoreTrivia(const QuestionSet& data, const Answers& predictions) {
  bool byDocument = false;
  for (const Question& question : data.questions) {
    for (const std::string& key : question.documentKeys) byDocument = byDocument || predictions.contains(key);
  }
  Sum sum;
  TriviaScores scores;
  for (const Question& question : data.questions) {
    const std::vector<std::string> own{question.id};
    for (const std::string& key : byDocument ? question.documentKeys : own) {
      const auto prediction = predictions.find(key);
      const bool missing = prediction == predictions.end();
      scores.missing += missing ? 1 : 0;
      sum.add(missing ? AnswerScore{} : scoreTriviaAnswer(prediction->second, question.answers));
    }
  }
  scores.exact = sum.mean().exact;
  scores.f1 = sum.mean().f1;
  scores.n = sum.n;
  return scores;
}

}  // namespace strata
