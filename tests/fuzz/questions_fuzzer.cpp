// Question files: no crash, and what is read keeps what its readers promise, in every format and in the recognised one.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "core/data/questions.h"

namespace {

void check(const strata::Json& json, strata::QaFormat format) {
  const auto set = strata::parseQuestions(json, format, "input");
  if (!set) {
    if (!set.error().message.starts_with("input")) std::abort();
    return;
  }
  std::set<std::string_view> ids;
  for (const strata::Question& question : set->questions) {
    if (!ids.insert(question.id).second) std::abort();
    if (!question.answerable && !question.answers.empty()) std::abort();
    if (question.answers.empty() && !question.target.empty()) std::abort();
    if (question.choices.empty()) continue;
    if (question.right >= question.choices.size()) std::abort();
    if (!question.answers.empty() && question.target != question.choices[question.right]) std::abort();
  }
  if (set->questions.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using strata::QaFormat;
  const auto json = strata::parseJson(std::string_view(reinterpret_cast<const char*>(data), size), "input");
  if (!json) return 0;
  for (const QaFormat format :
       {QaFormat::squad, QaFormat::hotpotQa, QaFormat::triviaQa, QaFormat::msMarco, QaFormat::naturalQuestions,
        QaFormat::boolQ, QaFormat::lastWord, QaFormat::keyValues, QaFormat::multipleChoice}) {
    check(*json, format);
  }
  (void)strata::recogniseQuestions(*json);
  return 0;
}
