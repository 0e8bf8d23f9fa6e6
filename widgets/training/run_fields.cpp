#include "widgets/training/run_fields.h"

#include <QDateTime>
#include <QFileInfo>
#include <QRegularExpression>
#include <algorithm>
#include <array>

#include "core/config/train_config.h"
#include "widgets/session/run_table.h"
#include "widgets/style/format.h"

namespace strata {
namespace {

constexpr std::array<const char*, kRunFields> kKeys = {"tick",     "name",  "state", "done",   "curve",   "started",
                                                       "duration", "model", "data",  "method", "p_cross", "sampler",
                                                       "loss",     "full",  "least", "sweep",  "tags"};

QString fromUtf8(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

QString lastPart(const std::string& path) {
  const QString whole = fromUtf8(path);
  return QFileInfo(whole.endsWith('/') ? whole.chopped(1) : whole).fileName();
}

/// Share of the layers that own a cache, where the map's name alone tells it.
std::optional<double> retentionOf(const QString& map) {
  bool isNumber = false;
  const double number = map.section(':', 1).toDouble(&isNumber);
  if (map == "full") return 1;
  if (isNumber && map.startsWith("retention:")) return number;
  if (isNumber && map.startsWith("stride:") && number >= 1) return 1 / number;
  if (!map.contains(',') || map.contains(':')) return {};
  const QStringList sources = map.split(',');
  return static_cast<double>(QSet<QString>(sources.begin(), sources.end()).size()) / sources.size();
}

/// "=" and ":" alike ask for equality.
template <class T>
bool compares(const std::string& how, const T& value, const T& wanted) {
  if (how == "<") return value < wanted;
  if (how == "<=") return value <= wanted;
  if (how == ">") return value > wanted;
  if (how == ">=") return value >= wanted;
  return value == wanted;
}

int rankOf(const protocol::JobInfo& job) {
  static const std::array<const char*, 6> order = {"running", "queued", "paused", "stopped", "failed", "done"};
  return static_cast<int>(std::find(order.begin(), order.end(), job.state) - order.begin());
}

/// Runs that wait have begun last, the one that starts next at the end.
bool beganBefore(const protocol::JobInfo& a, const protocol::JobInfo& b) {
  if ((a.place > 0) != (b.place > 0)) return b.place > 0;
  return a.place > 0 ? a.place > b.place : a.created < b.created;
}

}  // namespace

QString runFieldKey(RunField field) {
  return kKeys[static_cast<std::size_t>(field)];
}

QString runFieldTitle(RunField field) {
  switch (field) {
    case RunField::tick:
      return {};
    case RunField::name:
      return RunFilter::tr("Run");
    case RunField::state:
      return RunFilter::tr("State");
    case RunField::done:
      return RunFilter::tr("Done");
    case RunField::curve:
      return RunFilter::tr("Curve");
    case RunField::started:
      return RunFilter::tr("Started");
    case RunField::duration:
      return RunFilter::tr("Duration");
    case RunField::model:
      return RunFilter::tr("Model");
    case RunField::data:
      return RunFilter::tr("Data");
    case RunField::method:
      return RunFilter::tr("Method");
    case RunField::pCross:
      return RunFilter::tr("p_cross");
    case RunField::sampler:
      return RunFilter::tr("Sampler");
    case RunField::loss:
      return RunFilter::tr("Loss");
    case RunField::full:
      return RunFilter::tr("Best, full map");
    case RunField::least:
      return RunFilter::tr("Best, least kept");
    case RunField::sweep:
      return RunFilter::tr("Sweep");
    case RunField::tags:
      break;
  }
  return RunFilter::tr("Tags");
}

bool isRunFigure(RunField field) {
  switch (field) {
    case RunField::done:
    case RunField::duration:
    case RunField::pCross:
    case RunField::loss:
    case RunField::full:
    case RunField::least:
      return true;
    default:
      return false;
  }
}

std::optional<protocol::Score> leastRetained(const protocol::JobInfo& job) {
  std::optional<protocol::Score> least;
  double retention = 1;
  for (const protocol::Score& score : job.best) {
    const QString name = fromUtf8(score.name);
    const auto kept = name.startsWith("nll/") ? retentionOf(name.section('/', 1)) : std::nullopt;
    if (!kept || *kept >= retention) continue;
    retention = *kept;
    least = protocol::Score{name.section('/', 1).toStdString(), score.value};
  }
  return least;
}

std::optional<double> runFieldNumber(const protocol::JobInfo& job, RunField field) {
  switch (field) {
    case RunField::done:
      if (job.steps <= 0) return {};
      return 100. * static_cast<double>(job.step) / static_cast<double>(job.steps);
    case RunField::duration:
      if (job.seconds < 0) return {};
      return job.seconds;
    case RunField::pCross:
      return job.pCross;
    case RunField::loss:
      return job.loss;
    case RunField::full:
      for (const protocol::Score& score : job.best) {
        if (score.name == "nll/full") return score.value;
      }
      return {};
    case RunField::least:
      if (const auto least = leastRetained(job)) return least->value;
      return {};
    default:
      return {};
  }
}

QString runFieldText(const protocol::JobInfo& job, RunField field) {
  if (isRunFigure(field)) {
    if (field == RunField::done) return RunTable::percentText(job);
    const std::optional<double> number = runFieldNumber(job, field);
    if (!number) return {};
    if (field == RunField::duration) return formatSeconds(number);
    return field == RunField::pCross ? QString::number(*number) : formatNats(number);
  }
  switch (field) {
    case RunField::name:
      return RunTable::title(job);
    case RunField::state:
      return job.place > 0 ? RunFilter::tr("queued (%1)").arg(job.place) : RunTable::stateText(job);
    case RunField::started: {
      const QDateTime time = QDateTime::fromString(fromUtf8(job.created), Qt::ISODate).toLocalTime();
      return time.isValid() ? time.toString("yyyy-MM-dd HH:mm") : fromUtf8(job.created);
    }
    case RunField::model:
      return lastPart(job.model);
    case RunField::data:
      return lastPart(job.data);
    case RunField::method:
      return fromUtf8(job.method);
    case RunField::sampler:
      return fromUtf8(job.sampler);
    case RunField::sweep:
      return fromUtf8(job.sweep).section('-', -1);
    case RunField::tags: {
      QStringList tags;
      for (const std::string& tag : job.tags) tags << fromUtf8(tag);
      return tags.join(", ");
    }
    default:
      return {};
  }
}

bool runComesBefore(const protocol::JobInfo& a, const protocol::JobInfo& b, RunField field, Qt::SortOrder order) {
  if (isRunFigure(field)) {
    const std::optional<double> left = runFieldNumber(a, field), right = runFieldNumber(b, field);
    if (left.has_value() != right.has_value()) return left.has_value() == (order == Qt::AscendingOrder);
    return left && *left < *right;
  }
  if (field == RunField::started || field == RunField::curve) return beganBefore(a, b);
  if (field == RunField::state) {
    return rankOf(a) != rankOf(b) ? rankOf(a) < rankOf(b) : a.place < b.place;
  }
  const QString left = runFieldText(a, field), right = runFieldText(b, field);
  if (left.isEmpty() != right.isEmpty()) return right.isEmpty() == (order == Qt::AscendingOrder);
  return QString::localeAwareCompare(left, right) < 0;
}

RunFilter RunFilter::parse(const QString& text) {
  static const QRegularExpression parts(R"(([^\s":=<>]+(?::|>=|<=|=|>|<))?("[^"]*"?|\S+))");
  RunFilter filter;
  auto found = parts.globalMatch(text);
  while (found.hasNext()) {
    if (filter.read(found.next().captured(0))) continue;
    filter.m_words.clear();
    filter.m_conditions.clear();
    filter.m_settings.clear();
    break;
  }
  return filter;
}

bool RunFilter::read(const QString& part) {
  static const QRegularExpression condition(R"(^([A-Za-z_-]+)(:|>=|<=|=|>|<)(.*)$)");
  const QRegularExpressionMatch match = condition.match(part);
  const auto unquoted = [](QString value) { return value.remove('"'); };
  if (!match.hasMatch()) {
    m_words << unquoted(part);
    return true;
  }
  QString key = match.captured(1).toLower().replace('-', '_');
  if (key == "tag") key = "tags";
  const auto found = std::find_if(kKeys.begin(), kKeys.end(), [&](const char* each) { return key == each; });
  Condition wanted{static_cast<RunField>(found - kKeys.begin()), match.captured(2), unquoted(match.captured(3)), 0};
  if (found == kKeys.end() || wanted.field == RunField::tick || wanted.field == RunField::curve) {
    if (readSetting(key, wanted.how, wanted.text)) return true;
    if (wanted.how == ":") {  // "stride:2" is a word of a run too
      m_words << unquoted(part);
      return true;
    }
    QStringList keys(kKeys.begin(), kKeys.end());
    keys.removeAll("tick");
    keys.removeAll("curve");
    m_problem = tr("No run has a field %1. The fields are %2, and the settings of a run, such as lr.")
                    .arg(match.captured(1), keys.join(", "));
    return false;
  }
  if (wanted.text.isEmpty()) return true;  // not typed yet
  if (isRunFigure(wanted.field)) {
    bool isNumber = false;
    wanted.number = wanted.text.toDouble(&isNumber);
    if (!isNumber) {
      m_problem = tr("%1 is a number; %2 is none.").arg(match.captured(1), wanted.text);
      return false;
    }
  }
  m_conditions.push_back(std::move(wanted));
  return true;
}

bool RunFilter::readSetting(const QString& key, const QString& how, const QString& value) {
  static const Json settings = configToJson(TrainConfig());
  const std::string name = QString(key).replace('_', '-').toStdString();
  if (!settings.contains(name)) return false;
  if (!value.isEmpty()) m_settings.push_back({name, how.toStdString(), value});
  return true;
}

bool RunFilter::holds(const Setting& setting, const Json& config) {
  const auto value = config.find(setting.name);
  if (value == config.end() || value->is_null()) return false;
  bool isNumber = false;
  const double wanted = setting.text.toDouble(&isNumber);
  if (value->is_number()) return isNumber && compares(setting.how, value->get<double>(), wanted);
  const QString text = fromUtf8(value->is_string() ? value->get<std::string>() : value->dump());
  if (setting.how == ":") return text.contains(setting.text, Qt::CaseInsensitive);
  return compares(setting.how, text.toLower(), setting.text.toLower());
}

bool RunFilter::holds(const Condition& condition, const protocol::JobInfo& job) {
  const std::string how = condition.how.toStdString();
  if (isRunFigure(condition.field)) {
    const std::optional<double> number = runFieldNumber(job, condition.field);
    return number && compares(how, *number, condition.number);
  }
  const QString shown = runFieldText(job, condition.field);
  if (condition.how != ":") return compares(how, shown.toLower(), condition.text.toLower());
  return shown.contains(condition.text, Qt::CaseInsensitive);
}

bool RunFilter::accepts(const protocol::JobInfo& job, const Json* config) const {
  for (const Setting& setting : m_settings) {
    if (config == nullptr || !holds(setting, *config)) return false;
  }
  for (const Condition& condition : m_conditions) {
    if (!holds(condition, job)) return false;
  }
  if (m_words.isEmpty()) return true;
  QStringList all = {fromUtf8(job.id), fromUtf8(job.note), fromUtf8(job.title)};
  for (int field = 0; field < kRunFields; ++field) all << runFieldText(job, static_cast<RunField>(field));
  const QString whole = all.join('\n');
  return std::all_of(m_words.begin(), m_words.end(),
                     [&](const QString& word) { return whole.contains(word, Qt::CaseInsensitive); });
}

}  // namespace strata
