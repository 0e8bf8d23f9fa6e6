#include "widgets/chat/headline.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

#include "widgets/chat/differences.h"
#include "widgets/style/format.h"

namespace strata {
namespace {

constexpr double kSameShare = 0.005;

struct HeadlineText {
  Q_DECLARE_TR_FUNCTIONS(strata::Headline)
};

bool isWhole(const SideAnswer* side) {
  return side != nullptr && !side->running && side->answer && side->problem.isEmpty() &&
         side->answer->finish != "cancel";
}

/// Of the cache that the full map would take.
double shareOf(const protocol::Answer& answer) {
  return answer.kvBytesFull > 0 ? static_cast<double>(answer.kvBytes) / static_cast<double>(answer.kvBytesFull) : 1;
}

QString cacheText(double share) {
  const auto about = [share](double part) { return std::abs(share - part) < kSameShare; };
  if (about(1)) return HeadlineText::tr("the whole cache");
  if (about(0.75)) return HeadlineText::tr("three quarters of the cache");
  if (about(0.5)) return HeadlineText::tr("half the cache");
  if (about(1.0 / 3)) return HeadlineText::tr("a third of the cache");
  if (about(0.25)) return HeadlineText::tr("a quarter of the cache");
  return HeadlineText::tr("%1 of the cache").arg(formatPercent(share));
}

enum class Verdict { right, partly, wrong };

Verdict verdictOf(const protocol::Mark& mark) {
  return mark.exact >= 1 ? Verdict::right : mark.f1 > 0 ? Verdict::partly : Verdict::wrong;
}

struct Told {
  QString name;
  Verdict verdict;
};

/// `less` has the smaller cache.
QString withLess(const Told& less, const Told& more, const QString& cache) {
  const QString holds = HeadlineText::tr("%1 holds %2").arg(less.name, cache);
  switch (less.verdict) {
    case Verdict::right:
      return more.verdict == Verdict::right
                 ? HeadlineText::tr("%1 and still gives the expected answer.").arg(holds)
                 : HeadlineText::tr("%1 and gives the expected answer, %2 does not.").arg(holds, more.name);
    case Verdict::partly:
      if (more.verdict == Verdict::right)
        return HeadlineText::tr("%1 and gives only part of the expected answer.").arg(holds);
      return more.verdict == Verdict::partly
                 ? HeadlineText::tr("%1; both give part of the expected answer.").arg(holds)
                 : HeadlineText::tr("%1 and gives part of the expected answer, %2 none of it.").arg(holds, more.name);
    case Verdict::wrong:
      break;
  }
  if (more.verdict == Verdict::right)
    return HeadlineText::tr("%1 and misses the answer that %2 finds.").arg(holds, more.name);
  return more.verdict == Verdict::partly
             ? HeadlineText::tr("%1 and misses the answer, of which %2 gives part.").arg(holds, more.name)
             : HeadlineText::tr("%1; neither side gives the expected answer.").arg(holds);
}

QString withSame(const Told& a, const Told& b, const QString& cache) {
  if (a.verdict == b.verdict) {
    const QString each = HeadlineText::tr("Each side holds %1").arg(cache);
    switch (a.verdict) {
      case Verdict::right:
        return HeadlineText::tr("%1; both give the expected answer.").arg(each);
      case Verdict::partly:
        return HeadlineText::tr("%1; both give part of the expected answer.").arg(each);
      case Verdict::wrong:
        return HeadlineText::tr("%1; neither gives the expected answer.").arg(each);
    }
  }
  const Told& better = a.verdict < b.verdict ? a : b;
  const Told& other = a.verdict < b.verdict ? b : a;
  const QString each = HeadlineText::tr("Each side holds %1").arg(cache);
  if (better.verdict == Verdict::partly) {
    return HeadlineText::tr("%1; %2 gives part of the expected answer, %3 none of it.")
        .arg(each, better.name, other.name);
  }
  return other.verdict == Verdict::wrong
             ? HeadlineText::tr("%1; %2 finds the answer that %3 misses.").arg(each, better.name, other.name)
             : HeadlineText::tr("%1; %2 gives the expected answer, %3 part of it.").arg(each, better.name, other.name);
}

}  // namespace

QString headlineOf(const SideAnswer* a, const SideAnswer* b) {
  if (!isWhole(a) || !isWhole(b)) return {};
  const double ofA = shareOf(*a->answer), ofB = shareOf(*b->answer);
  const bool same = std::abs(ofA - ofB) < kSameShare;
  const QString nameA = HeadlineText::tr("A"), nameB = HeadlineText::tr("B");
  if (a->answer->mark && b->answer->mark) {
    const Told toldA{nameA, verdictOf(*a->answer->mark)}, toldB{nameB, verdictOf(*b->answer->mark)};
    if (same) return withSame(toldA, toldB, cacheText(ofA));
    return ofB < ofA ? withLess(toldB, toldA, cacheText(ofB)) : withLess(toldA, toldB, cacheText(ofA));
  }
  const auto first = firstDifference(a, b);
  if (!first) return {};
  const QString less = HeadlineText::tr("%1 holds %2").arg(ofB < ofA ? nameB : nameA, cacheText(std::min(ofA, ofB)));
  if (first->token < 0) {
    return same ? HeadlineText::tr("Both sides give the same answer.")
                : HeadlineText::tr("%1 and gives the same answer, word for word.").arg(less);
  }
  return same ? HeadlineText::tr("The answers differ from token %1 on.").arg(first->token + 1)
              : HeadlineText::tr("%1; the answers differ from token %2 on.").arg(less).arg(first->token + 1);
}

}  // namespace strata
