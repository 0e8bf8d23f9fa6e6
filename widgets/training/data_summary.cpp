#include "widgets/training/data_summary.h"

#include <QFileInfo>
#include <QVBoxLayout>

#include "widgets/style/format.h"
#include "widgets/style/labels.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kTypingMs = 600;

bool isSame(const protocol::CheckData::Params& a, const protocol::CheckData::Params& b) {
  return configToJson(a) == configToJson(b);
}

QString nameOf(const std::string& path) {
  return QFileInfo(QString::fromStdString(path)).fileName();
}

}  // namespace

DataSummary::DataSummary(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
  named(this, "dataSummary", tr("What the data hold"));
  m_rows = named(bodyLabel({}), "dataRows");
  m_leak = named(bodyLabel({}), "dataLeak");
  m_leak->hide();
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapInside);
  column->addWidget(m_rows);
  column->addWidget(m_leak);
  m_wait.setSingleShot(true);
  m_wait.setInterval(kTypingMs);
  connect(&m_wait, &QTimer::timeout, this, &DataSummary::ask);
}

void DataSummary::show(const TrainConfig& config) {
  m_split = config.split;
  m_wanted = {};
  m_wanted.path = config.data;
  m_wanted.model = config.model.empty() ? config.init : config.model;
  m_wanted.length = config.length;
  m_wanted.trainOnPrompt = config.trainOnPrompt;
  m_wanted.columns = config.columns;
  m_wanted.evalData = config.evalData;
  m_wanted.preview = 0;
  if (isSame(m_wanted, m_asked)) return;
  m_rows->setText(config.data.empty() ? QString() : tr("Counting rows and tokens…"));
  m_rows->setTone(Tone::second);
  m_leak->hide();
  m_wait.start();
}

void DataSummary::ask() {
  if (m_ticket != 0) m_session.engine().cancel(m_ticket);
  m_ticket = 0;
  m_asked = m_wanted;
  if (m_asked.path.empty()) return;
  m_ticket = m_session.engine().call<protocol::CheckData>(
      m_asked, this, [this, asked = m_asked](const Result<protocol::CheckData::Answer>& answer) {
        if (!isSame(asked, m_asked)) return;
        m_ticket = 0;
        if (answer) return say(*answer);
        m_rows->setText(QString::fromStdString(answer.error().message));
        m_rows->setTone(answer.error().code == ErrorCode::cancelled ? Tone::second : Tone::bad);
      });
}

void DataSummary::say(const protocol::CheckData::Answer& answer) {
  if (!answer.refused.empty()) {
    m_rows->setText(QString::fromStdString(answer.refused));
    m_rows->setTone(Tone::bad);
    return;
  }
  QStringList parts;
  parts << tr("%1: %2").arg(nameOf(m_asked.path), tr("%n row(s)", nullptr, static_cast<int>(answer.rows)));
  if (answer.hasTokens) {
    parts << tr("%1 tokens, %2 of them trained on").arg(formatCount(answer.tokens), formatCount(answer.trainedTokens));
  }
  if (answer.truncated > 0) {
    parts << tr("%n row(s) are longer than a sequence and cut", nullptr, static_cast<int>(answer.truncated));
  }
  if (m_split > 0 && m_asked.evalData.empty()) parts << tr("%1 of it are held out").arg(formatPercent(m_split));
  m_rows->setText(parts.join(QStringLiteral("; ")) + '.');
  m_rows->setTone(Tone::normal);
  if (!answer.overlap) return m_leak->hide();
  const std::int64_t leaks = answer.overlap->sameRows + answer.overlap->samePassages + answer.overlap->sameWords;
  const QString other = nameOf(m_asked.evalData);
  m_leak->setText(leaks == 0
                      ? tr("Nothing of %1 is in the training data.").arg(other)
                      : tr("%1 of the %2 records of %3 are in the training data too, whole or in part: scores on "
                           "them say little. Take them out, or choose other evaluation data.")
                            .arg(formatCount(leaks), formatCount(answer.overlap->records), other));
  m_leak->setTone(leaks == 0 ? Tone::second : Tone::warn);
  m_leak->show();
}

}  // namespace strata
