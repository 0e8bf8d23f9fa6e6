#pragma once
// What a training run shows in the list of runs, column by column, and what the search asks of it.
//
//   RunFilter filter = RunFilter::parse("lora state:done p_cross>0.3");
//   if (filter.problem().isEmpty()) shown = filter.accepts(job);
// Values only; any thread but for tr().

#include <QCoreApplication>
#include <QString>
#include <QStringList>
#include <optional>
#include <vector>

#include "core/protocol/job_messages.h"

namespace strata {

/// Columns, in this order unless they are moved.
enum class RunField {
  tick,
  name,
  state,
  done,
  curve,
  started,
  duration,
  model,
  data,
  method,
  pCross,
  sampler,
  loss,
  full,   // the best held-out loss under the full map
  least,  // the same under the map with the least retention
  sweep,
  tags
};
inline constexpr int kRunFields = static_cast<int>(RunField::tags) + 1;

/// "p_cross": the name that filters and settings use.
QString runFieldKey(RunField field);
QString runFieldTitle(RunField field);
bool isRunFigure(RunField field);
QString runFieldText(const protocol::JobInfo& job, RunField field);
/// Of figures: percent, seconds, nats; nullopt: not known.
std::optional<double> runFieldNumber(const protocol::JobInfo& job, RunField field);
/// The map with the least retention that the run was evaluated under; nullopt: under the full map alone.
std::optional<protocol::Score> leastRetained(const protocol::JobInfo& job);
/// What falls behind, in ascending order; what is not known stands last in any order.
bool runComesBefore(const protocol::JobInfo& a, const protocol::JobInfo& b, RunField field, Qt::SortOrder order);

class RunFilter {
  Q_DECLARE_TR_FUNCTIONS(strata::RunFilter)

 public:
  /// Words that any text of the run has, and conditions such as state:done and p_cross>0.3; all must hold.
  static RunFilter parse(const QString& text);
  bool isEmpty() const { return m_words.isEmpty() && m_conditions.empty() && m_settings.empty(); }
  /// Why the text is no filter: one sentence. Then it accepts everything.
  const QString& problem() const { return m_problem; }
  /// Whether it asks for settings that the list of runs does not have, such as lr or steps.
  bool needsConfig() const { return !m_settings.empty(); }
  /// `config`: what the run was told; nullptr: not known, so that no condition on it holds.
  bool accepts(const protocol::JobInfo& job, const Json* config = nullptr) const;

 private:
  struct Condition {
    RunField field = RunField::name;
    QString how;  // ":", "=", "<", "<=", ">" or ">="
    QString text;
    double number = 0;
  };
  struct Setting {
    std::string name, how;  // an option of strata train
    QString text;
  };
  bool read(const QString& part);
  bool readSetting(const QString& key, const QString& how, const QString& value);
  static bool holds(const Condition& condition, const protocol::JobInfo& job);
  static bool holds(const Setting& setting, const Json& config);

  QStringList m_words;
  std::vector<Condition> m_conditions;
  std::vector<Setting> m_settings;
  QString m_problem;
};

}  // namespace strata
