// Natural Questions (Kwiatkowski et al. 2019) with passages, LAMBADA (Paperno et al. 2016), and the value of one of
// many keys (Liu et al. 2023, "Lost in the middle").

#include <array>
#include <cstdio>

#include "core/base/philox.h"
#include "core/data/question_formats.h"

namespace strata {
namespace {

Result<void> addNaturalRow(const JsonMember& row, QuestionBuilder& builder) {
  Question question;
  STRATA_TRY(question.id, idOfRow(row, builder));
  STRATA_TRY(const JsonMember asked, row.at("question"));
  STRATA_TRY(question.question, asked.takeText());
  STRATA_TRY(const auto answers, firstOf(row, {"answers", "answer"}));
  if (!answers) return row.broken("must have \"answers\"");
  STRATA_TRY(question.answers, oneOrMoreTexts(*answers));
  if (!question.answers.empty()) question.target = question.answers.front();
  STRATA_TRY(const auto passages, row.find("ctxs"));
  if (passages) {
    STRATA_CHECK(passages->forEach([&](const JsonMember& member) -> Result<void> {
      Passage passage;
      STRATA_TRY(const auto title, member.find("title"));
      if (title) {
        STRATA_TRY(passage.title, title->takeText());
      }
      STRATA_TRY(const JsonMember text, member.at("text"));
      STRATA_TRY(passage.text, text.takeText());
      const auto gold = member.value().find("isgold");
      passage.selected = gold != member.value().end() && gold->is_boolean() && gold->get<bool>();
      question.passages.push_back(std::move(passage));
      return {};
    }));
  }
  for (const Passage& passage : question.passages) {
    if (question.group.empty() || passage.selected) question.group = passage.title;
  }
  return builder.add(std::move(question), row);
}

Result<void> addLastWordRow(const JsonMember& row, QuestionBuilder& builder) {
  Question question;
  STRATA_TRY(question.id, idOfRow(row, builder));
  STRATA_TRY(const auto text, row.find("text"));
  std::string context;
  if (text) {
    STRATA_TRY(context, text->takeText());
    const std::size_t space = context.rfind(' ');
    if (space == std::string::npos || space == 0 || space + 1 == context.size()) {
      return text->broken("must have a last word after a space");
    }
    question.target = context.substr(space + 1);
    context.resize(space);
  } else {
    STRATA_TRY(const JsonMember before, row.at("context"));
    STRATA_TRY(context, before.takeText());
    STRATA_TRY(const auto word, firstOf(row, {"continuation", "answers", "answer"}));
    if (!word) return row.broken("must have a \"continuation\"");
    STRATA_TRY(question.target, word->takeText());
    question.target.erase(0, question.target.find_first_not_of(' '));
    if (question.target.empty()) return word->broken("must not be empty");
  }
  question.passages.push_back({"", std::move(context)});
  question.answers = {question.target};
  return builder.add(std::move(question), row);
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// As the paper prints them.
std::string printed(const Pairs& pairs) {
  std::string text;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    text += i == 0 ? "{\"" : " \"";
    text.append(pairs[i].first).append("\": \"").append(pairs[i].second).append("\"");
    text += i + 1 == pairs.size() ? "}" : ",\n";
  }
  return text;
}

Question askFor(const Pairs& pairs, std::size_t asked, std::string id) {
  Question question;
  question.id = std::move(id);
  question.passages.push_back({"", printed(pairs)});
  question.question = pairs[asked].first;
  question.target = pairs[asked].second;
  question.answers = {question.target};
  return question;
}

Result<void> addKeyValueRow(const JsonMember& row, QuestionBuilder& builder) {
  STRATA_TRY(std::string id, idOfRow(row, builder));
  STRATA_TRY(const JsonMember records, row.at("ordered_kv_records"));
  Pairs pairs;
  STRATA_CHECK(records.forEach([&](const JsonMember& record) -> Result<void> {
    STRATA_CHECK(record.mustBeList());
    if (record.value().size() != 2) return record.broken("must be a key and its value");
    STRATA_TRY(std::string key, record.element(0).takeText());
    STRATA_TRY(std::string value, record.element(1).takeText());
    pairs.emplace_back(std::move(key), std::move(value));
    return {};
  }));
  STRATA_TRY(const JsonMember keyMember, row.at("key"));
  STRATA_TRY(const std::string key, keyMember.takeText());
  STRATA_TRY(const JsonMember valueMember, row.at("value"));
  STRATA_TRY(const std::string value, valueMember.takeText());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].first != key) continue;
    if (pairs[i].second != value) return valueMember.broken("must be the value of its key in \"ordered_kv_records\"");
    if (value.empty()) return valueMember.broken("must not be empty");
    return builder.add(askFor(pairs, i, std::move(id)), row);
  }
  return keyMember.broken("must be one of the keys in \"ordered_kv_records\"");
}

/// A random UUID (version 4).
std::string uuid(DrawPosition at, std::uint32_t number) {
  at.layer = 2 * number;
  const std::uint64_t high = (randomBits(at) & ~0xf000ull) | 0x4000ull;
  at.layer = 2 * number + 1;
  const std::uint64_t low = (randomBits(at) & ~(3ull << 62)) | (2ull << 62);
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>((high >> 16) & 0xffff), static_cast<unsigned>(high & 0xffff),
                static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffffull));
  return text.data();
}

}  // namespace

Result<void> addNaturalQuestions(const JsonMember& value, QuestionBuilder& builder) {
  return addRows(value, [&](const JsonMember& row) { return addNaturalRow(row, builder); });
}

Result<void> addLastWord(const JsonMember& value, QuestionBuilder& builder) {
  return addRows(value, [&](const JsonMember& row) { return addLastWordRow(row, builder); });
}

Result<void> addKeyValues(const JsonMember& value, QuestionBuilder& builder) {
  return addRows(value, [&](const JsonMember& row) { return addKeyValueRow(row, builder); });
}

QuestionSet keyValueQuestions(int pairs, int count, std::uint64_t seed) {
  constexpr std::uint32_t kKeys = 1, kAsked = 2;  // groups of draws, beside that of a test set's next question
  QuestionSet set;
  set.format = QaFormat::keyValues;
  for (int i = 0; i < count; ++i) {
    DrawPosition at{.seed = seed,
                    .step = static_cast<std::uint32_t>(i),
                    .group = kKeys,
                    .layer = 0,
                    .stream = RandomStream::sampleQuestion};
    Pairs drawn;
    for (std::uint32_t k = 0; k < static_cast<std::uint32_t>(pairs); ++k) {
      drawn.emplace_back(uuid(at, 2 * k), uuid(at, 2 * k + 1));
    }
    at.group = kAsked;
    at.layer = 0;
    set.questions.push_back(askFor(drawn, randomBelow(at, drawn.size()), std::to_string(i)));
  }
  return set;
}

}  // namespace strata
