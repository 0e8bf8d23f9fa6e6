#include "widgets/evaluation/evaluation_words.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QRegularExpression>
#include <QSet>
#include <algorithm>

#include "core/routing/sharing_map.h"
#include "widgets/session/map_library.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"

namespace strata {
namespace {

struct EvaluationText {
  Q_DECLARE_TR_FUNCTIONS(strata::Evaluation)
};

constexpr int kShownList = 24;  // characters of a list of layers
constexpr double kLeastChance = 0.001;

QString figure(const std::string& metric, double value, bool sign) {
  const QString text = QString::number(inUnit(metric, value), 'f', decimalsOf(metric));
  return sign && value > 0 ? u'+' + text : text;
}

/// "owners 0, 3, 6-7" of a list of the layer that each reads.
QString ownersText(const QString& list) {
  const auto map = parseMap(list.toStdString(), static_cast<int>(list.count(u',')) + 1);
  if (!map) return list.left(kShownList);
  const QString layers = QString::fromStdString(printOwners(*map));
  return EvaluationText::tr("owners %1").arg(layers.size() > kShownList ? layers.left(kShownList) + u'…' : layers);
}

bool isList(const std::string& map) {
  return map.find(',') != std::string::npos && map.find_first_not_of("0123456789, ") == std::string::npos;
}

const protocol::Score* find(const std::vector<protocol::Score>& scores, const std::string& name) {
  const auto found = std::find_if(scores.begin(), scores.end(), [&](const auto& score) { return score.name == name; });
  return found == scores.end() ? nullptr : &*found;
}

/// A score that tells more than right or wrong.
const protocol::Score* partOf(const std::vector<protocol::Score>& scores) {
  for (const char* name : {"f1", "rouge_l"}) {
    if (const protocol::Score* score = find(scores, name)) return score;
  }
  return nullptr;
}

}  // namespace

bool isLoss(const std::string& metric) {
  return metric == "nll";
}

double inUnit(const std::string& metric, double value) {
  return isLoss(metric) ? value : 100 * value;
}

QString unitOf(const std::string& metric) {
  return isLoss(metric) ? EvaluationText::tr("nats") : QStringLiteral("%");
}

QString differenceUnit(const std::string& metric) {
  return isLoss(metric) ? EvaluationText::tr("nats") : EvaluationText::tr("points");
}

int decimalsOf(const std::string& metric) {
  return isLoss(metric) ? 3 : 1;
}

QString scoreText(const std::string& metric, double value) {
  return isLoss(metric) ? figure(metric, value, false) : figure(metric, value, false) + QStringLiteral(" %");
}

QString intervalText(const protocol::IntervalScore& score) {
  return EvaluationText::tr("%1 (%2 to %3)")
      .arg(figure(score.metric, score.value, false), figure(score.metric, score.low, false),
           figure(score.metric, score.high, false));
}

QString differenceText(const std::string& metric, double value, double low, double high) {
  return EvaluationText::tr("%1 (%2 to %3)")
      .arg(figure(metric, value, true), figure(metric, low, true), figure(metric, high, true));
}

QString chanceText(double p) {
  if (p < kLeastChance) return EvaluationText::tr("p < %1").arg(kLeastChance);
  return EvaluationText::tr("p = %1").arg(QString::number(p, 'f', p < 0.1 ? 3 : 2));
}

QStringList mapLabels(const std::vector<protocol::ReadEvaluation::Map>& maps) {
  QStringList labels;
  for (const auto& each : maps) {
    const QString map = QString::fromStdString(each.map.empty() ? each.src : each.map);
    const QString share = each.retention > 0 ? formatPercent(each.retention) : QString();
    QString label = map;
    if (isList(map.toStdString())) {
      label = ownersText(map);
    } else if (map.isEmpty()) {
      label = share.isEmpty() ? EvaluationText::tr("the model's own map") : share;
    } else if (!share.isEmpty() && map != "full") {
      label = EvaluationText::tr("%1, %2").arg(map, share);
    }
    if (labels.contains(label)) label = EvaluationText::tr("%1 (%2)").arg(label, map.left(kShownList));
    while (labels.contains(label)) label += u'\'';
    labels << label;
  }
  return labels;
}

std::vector<std::string> splitMaps(const QString& text) {
  std::vector<std::string> maps;
  for (const QString& part : text.split(u';', Qt::SkipEmptyParts)) {
    const std::string map = part.trimmed().toStdString();
    if (!map.empty() && std::find(maps.begin(), maps.end(), map) == maps.end()) maps.push_back(map);
  }
  return maps;
}

QString joinMaps(const std::vector<std::string>& maps) {
  QStringList all;
  for (const std::string& map : maps) all << QString::fromStdString(map);
  return all.join(QStringLiteral("; "));
}

/// Whether both texts are one map of a model with so many layers.
bool isSameMap(const std::string& a, const std::string& b, int layers) {
  if (a == b) return true;
  const auto first = parseMap(a, layers), second = parseMap(b, layers);
  return first && second && first->src() == second->src();
}

Verdict verdictOf(const std::vector<protocol::Score>& scores, const std::string& exact) {
  const protocol::Score* right = exact.empty() ? nullptr : find(scores, exact);
  if (right != nullptr && right->value >= 1) return Verdict::right;
  const protocol::Score* part = partOf(scores);
  if (part != nullptr && part->value > 0)
    return part->value >= 1 && right == nullptr ? Verdict::right : Verdict::partly;
  return right != nullptr || part != nullptr ? Verdict::wrong : Verdict::unknown;
}

QString verdictText(const std::vector<protocol::Score>& scores, const std::string& exact) {
  switch (verdictOf(scores, exact)) {
    case Verdict::right:
      return EvaluationText::tr("right");
    case Verdict::partly: {
      const protocol::Score* part = partOf(scores);
      return EvaluationText::tr("partly, %1 %2").arg(metricName(part->name), formatPercent(part->value));
    }
    case Verdict::wrong:
      return EvaluationText::tr("wrong");
    case Verdict::unknown:
      break;
  }
  QStringList all;
  for (const protocol::Score& score : scores) all << metricName(score.name) + u' ' + scoreText(score.name, score.value);
  return all.isEmpty() ? EvaluationText::tr("not scored") : all.join(QStringLiteral(", "));
}

QIcon verdictIcon(Verdict verdict) {
  switch (verdict) {
    case Verdict::right:
      return icon(QStringLiteral("check-lg"), Ink::good);
    case Verdict::partly:
      return icon(QStringLiteral("dash-lg"), Ink::warn);
    case Verdict::wrong:
      return icon(QStringLiteral("x-lg"), Ink::bad);
    case Verdict::unknown:
      break;
  }
  return {};
}

QString markedAnswer(const QString& answer, const QStringList& expected) {
  static const QRegularExpression word(QStringLiteral("[\\p{L}\\p{N}]+"));
  static const QSet<QString> articles = {QStringLiteral("a"), QStringLiteral("an"), QStringLiteral("the")};
  QSet<QString> known;
  for (const QString& each : expected) {
    for (auto at = word.globalMatch(each); at.hasNext();) known << at.next().captured().toCaseFolded();
  }
  known -= articles;
  QString html;
  qsizetype done = 0;
  for (auto at = word.globalMatch(answer); at.hasNext();) {
    const QRegularExpressionMatch match = at.next();
    if (!known.contains(match.captured().toCaseFolded())) continue;
    html += answer.mid(done, match.capturedStart() - done).toHtmlEscaped();
    html += QStringLiteral("<b><u>") + match.captured().toHtmlEscaped() + QStringLiteral("</u></b>");
    done = match.capturedEnd();
  }
  html += answer.mid(done).toHtmlEscaped();
  return QStringLiteral("<span style=\"white-space:pre-wrap\">") + html + QStringLiteral("</span>");
}

protocol::ModelRef modelOf(const std::string& model, const std::string& adapter) {
  protocol::ModelRef ref;
  ref.model = model;
  ref.adapter = adapter;
  return ref;
}

QString timeText(const std::string& isoUtc) {
  const QDateTime time = QDateTime::fromString(QString::fromStdString(isoUtc), Qt::ISODate).toLocalTime();
  return time.isValid() ? time.toString(QStringLiteral("yyyy-MM-dd HH:mm")) : QString::fromStdString(isoUtc);
}

}  // namespace strata
