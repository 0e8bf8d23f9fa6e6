#include "app/strata/eval_predictions.h"

#include <fmt/format.h>

#include "core/metrics/marco_scores.h"
#include "core/metrics/question_scores.h"

namespace strata {
namespace {

struct Report {
  Json json;
  std::string text;
};

std::string line(double f1, double exact, int n, int missing) {
  return fmt::format("F1 {:.2f} %, exact match {:.2f} %, {} questions, {} without an answer given", 100 * f1,
                     100 * exact, n, missing);
}

Json toJson(const AnswerScore& score) {
  return {{"f1", score.f1}, {"em", score.exact}, {"precision", score.precision}, {"recall", score.recall}};
}

Result<Report> reportSquad(const QuestionSet& data, const std::string& predictions) {
  STRATA_TRY(const Answers answers, readPredictions(predictions));
  const SquadScores scores = scoreSquad(data, answers);
  const Json json = {
      {"f1", scores.f1},
      {"em", scores.exact},
      {"n", scores.n},
      {"missing", scores.missing},
      {"has_answer", {{"f1", scores.hasAnswerF1}, {"em", scores.hasAnswerExact}, {"n", scores.hasAnswer}}},
      {"no_answer", {{"f1", scores.noAnswerF1}, {"em", scores.noAnswerExact}, {"n", scores.noAnswer}}}};
  return Report{json, line(scores.f1, scores.exact, scores.n, scores.missing)};
}

Result<Report> reportHotpot(const QuestionSet& data, const std::string& predictions) {
  STRATA_TRY(const HotpotPredictions answers, readHotpotPredictions(predictions));
  const HotpotScores scores = scoreHotpot(data, answers);
  Report report{toJson(scores.answer), line(scores.answer.f1, scores.answer.exact, scores.n, scores.missing)};
  report.json["n"] = scores.n;
  report.json["missing"] = scores.missing;
  if (!scores.facts || !scores.joint) return report;
  report.json["supporting_facts"] = toJson(*scores.facts);
  report.json["supporting_facts"]["missing"] = scores.missingFacts;
  report.json["joint"] = toJson(*scores.joint);
  report.text += fmt::format(
      "\nsupporting facts: F1 {:.2f} %, exact match {:.2f} %, {} without\njoint: F1 {:.2f} %, exact match {:.2f} %",
      100 * scores.facts->f1, 100 * scores.facts->exact, scores.missingFacts, 100 * scores.joint->f1,
      100 * scores.joint->exact);
  return report;
}

Result<Report> reportTrivia(const QuestionSet& data, const std::string& predictions) {
  STRATA_TRY(const Answers answers, readPredictions(predictions));
  const TriviaScores scores = scoreTrivia(data, answers);
  return Report{{{"f1", scores.f1}, {"em", scores.exact}, {"n", scores.n}, {"missing", scores.missing}},
                line(scores.f1, scores.exact, scores.n, scores.missing)};
}

Result<Report> reportMarco(const QuestionSet& data, const std::string& predictions) {
  STRATA_TRY(const QuestionSet candidates, readQuestions(predictions, QaFormat::msMarco));
  STRATA_TRY(const MarcoScores scores, scoreMarco(data, candidates));
  Report report;
  report.json = {{"rouge_l", scores.rougeL}};
  report.text = fmt::format("ROUGE-L {:.2f} %, BLEU", 100 * scores.rougeL);
  for (std::size_t n = 0; n < scores.bleu.size(); ++n) {
    report.json["bleu_" + std::to_string(n + 1)] = scores.bleu[n];
    report.text += fmt::format("{} {:.2f} %", n == 0 ? "-1 to -4" : ",", 100 * scores.bleu[n]);
  }
  report.json.update({{"f1", scores.f1},
                      {"em", scores.exact},
                      {"n", scores.n},
                      {"no_answer", scores.unanswerable},
                      {"answerable_f1", scores.answerableF1},
                      {"missing", scores.missing}});
  report.text += fmt::format("\n{}\nF1 {:.2f} % of saying whether there is an answer; {} questions have none",
                             line(scores.f1, scores.exact, scores.n, scores.missing), 100 * scores.answerableF1,
                             scores.unanswerable);
  return report;
}

Result<Report> reportOf(const QuestionSet& data, const std::string& predictions) {
  switch (data.format) {
    case QaFormat::squad:
    case QaFormat::naturalQuestions:  // with SQuAD's rules
      return reportSquad(data, predictions);
    case QaFormat::hotpotQa:
      return reportHotpot(data, predictions);
    case QaFormat::triviaQa:
      return reportTrivia(data, predictions);
    case QaFormat::msMarco:
      return reportMarco(data, predictions);
    default:
      break;
  }
  return fail(ErrorCode::internal, "The task has no scores.");
}

}  // namespace

bool hasPredictions(QaFormat format) {
  return format == QaFormat::squad || format == QaFormat::hotpotQa || format == QaFormat::triviaQa ||
         format == QaFormat::msMarco || format == QaFormat::naturalQuestions;
}

Result<int> scorePredictions(QuestionSet questions, const std::string& predictions, int limit, const Output& out) {
  if (limit > 0 && questions.questions.size() > static_cast<std::size_t>(limit)) {
    questions.questions.resize(static_cast<std::size_t>(limit));
  }
  STRATA_TRY(const Report report, reportOf(questions, predictions));
  out.answer(report.json, report.text);
  return 0;
}

}  // namespace strata
