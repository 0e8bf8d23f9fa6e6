#include "widgets/chat/asked_text.h"

#include <algorithm>

#include "widgets/chat/safe_text.h"

namespace strata {
namespace {

constexpr qsizetype kTitleLength = 60;
constexpr qsizetype kSearched = 64 * 1024;  // characters at a prompt's end in which its question is looked for
constexpr QLatin1String kQuestionLabel("Question:");
constexpr QLatin1String kContextLabel("Context:");
constexpr QLatin1String kAnswerLabel("Answer:");

/// The last sentence that is a question; the whole text where none is.
QString lastQuestionIn(const QString& text) {
  const qsizetype mark = text.lastIndexOf('?');
  if (mark < 0) return text;
  qsizetype begin = mark;
  while (begin > 0) {
    const QChar before = text[begin - 1];
    const bool ends = before == '.' || before == '!' || before == '?';
    if (ends && begin < mark && text[begin].isSpace()) break;
    --begin;
  }
  return text.mid(begin, mark + 1 - begin).trimmed();
}

}  // namespace

AskedText askedText(const QString& prompt) {
  const QString whole = prompt.trimmed();
  const qsizetype searched = std::max<qsizetype>(0, whole.size() - kSearched);
  qsizetype label = whole.lastIndexOf(kQuestionLabel);
  while (label > 0 && label >= searched && whole[label - 1] != '\n')
    label = whole.lastIndexOf(kQuestionLabel, label - 1);
  if (label >= searched && (label == 0 || whole[label - 1] == '\n')) {
    qsizetype end = whole.indexOf('\n', label);
    if (end < 0) end = whole.size();
    const qsizetype begin = label + kQuestionLabel.size();
    AskedText asked{whole.left(label).trimmed(), whole.mid(begin, end - begin).trimmed()};
    QString after = whole.mid(end).trimmed();
    if (after.endsWith(kAnswerLabel)) after = after.chopped(kAnswerLabel.size()).trimmed();
    if (asked.passage.startsWith(kContextLabel)) asked.passage = asked.passage.mid(kContextLabel.size()).trimmed();
    if (!after.isEmpty()) asked.passage += (asked.passage.isEmpty() ? "" : "\n") + after;
    if (!asked.question.isEmpty()) return asked;
  }
  const qsizetype paragraph = whole.lastIndexOf(QLatin1String("\n\n"));
  if (paragraph < 0) return {{}, whole};
  return {whole.left(paragraph).trimmed(), whole.mid(paragraph).trimmed()};
}

QString titleOfPrompt(const QString& prompt) {
  constexpr qsizetype kRead = 4096;  // of a question: its end
  const QString asked = askedText(prompt).question.right(kRead).simplified();
  const QString line = asked.size() <= kTitleLength ? asked : lastQuestionIn(asked);
  return line.size() <= kTitleLength ? line : line.left(cutBefore(line, kTitleLength)) + QStringLiteral("…");
}

}  // namespace strata
