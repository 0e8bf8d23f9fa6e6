#pragma once
// How results of evaluations are written: scores, differences, maps, and how an answer compares with what is expected.
// Values; any thread.

#include <QIcon>
#include <QString>
#include <QStringList>
#include <optional>
#include <vector>

#include "core/protocol/evaluation_messages.h"
#include "core/protocol/job_messages.h"

namespace strata {

/// In nats, and the less the better: nll.
bool isLoss(const std::string& metric);
/// Of a score between 0 and 1 in percent, of a loss in nats.
double inUnit(const std::string& metric, double value);
QString unitOf(const std::string& metric);
/// Of a difference: "points", "nats".
QString differenceUnit(const std::string& metric);
int decimalsOf(const std::string& metric);
/// "88.2 %", "3.912".
QString scoreText(const std::string& metric, double value);
/// "88.2 (86.0 to 90.1)", in the metric's unit.
QString intervalText(const protocol::IntervalScore& score);
/// "-1.2 (-3.0 to +0.6)".
QString differenceText(const std::string& metric, double value, double low, double high);
/// "p = 0.031", "p < 0.001".
QString chanceText(double p);

/// What each map is called, no two the same: the pattern and what share of the cache it keeps, or the owners of a list
/// of layers.
QStringList mapLabels(const std::vector<protocol::ReadEvaluation::Map>& maps);

/// Maps as text, separated by ; and each once.
std::vector<std::string> splitMaps(const QString& text);
QString joinMaps(const std::vector<std::string>& maps);
/// Whether both texts are one map of a model with so many layers.
bool isSameMap(const std::string& a, const std::string& b, int layers);

enum class Verdict { right, partly, wrong, unknown };
/// `exact`: the score that says right or wrong.
Verdict verdictOf(const std::vector<protocol::Score>& scores, const std::string& exact);
/// "right", "partly, F1 67 %", "wrong", "not scored".
QString verdictText(const std::vector<protocol::Score>& scores, const std::string& exact);
/// Of style/icons, and the ink for it.
QIcon verdictIcon(Verdict verdict);

/// The answer as HTML: words that it has in common with one of the expected answers are bold and underlined.
QString markedAnswer(const QString& answer, const QStringList& expected);

/// A model as an evaluation names it.
protocol::ModelRef modelOf(const std::string& model, const std::string& adapter = {});
/// 2026-11-28 10:15, of the engine's time.
QString timeText(const std::string& isoUtc);

}  // namespace strata
