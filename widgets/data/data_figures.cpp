#include "widgets/data/data_figures.h"

#include <QVBoxLayout>

#include "widgets/style/controls.h"
#include "widgets/style/flow_layout.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {

DataFigures::DataFigures(QWidget* parent) : QWidget(parent) {
  setObjectName("dataFigures");
  setAccessibleName(tr("Counts"));
  const QString names[] = {tr("Rows"),          tr("Left out"), tr("Duplicates, kept"),
                           tr("Cut to length"), tr("Tokens"),   tr("Trained tokens")};
  const char* objectNames[] = {"figureRows",      "figureDropped", "figureDuplicates",
                               "figureTruncated", "figureTokens",  "figureTrained"};
  auto* flow = new FlowLayout(kGapSections, kGapRelated, this);
  for (int i = 0; i < 6; ++i) {
    Label* name = captionLabel(names[i], this);
    name->setWordWrap(false);
    auto* value = new Label(notMeasured(), TextRole::mono, Tone::normal, this);
    value->setObjectName(objectNames[i]);
    m_figures[i] = {value, name};
    auto* figure = new QWidget(this);
    auto* column = new QVBoxLayout(figure);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(name);
    column->addWidget(value);
    flow->addWidget(figure);
  }
}

void DataFigures::show(const protocol::CheckData::Answer& answer) {
  const std::optional<std::int64_t> none;
  const std::optional<std::int64_t> values[] = {answer.rows,
                                                answer.dropped,
                                                answer.duplicates,
                                                answer.hasTokens ? answer.truncated : none,
                                                answer.hasTokens ? answer.tokens : none,
                                                answer.hasTokens ? answer.trainedTokens : none};
  const bool bad[] = {
      answer.rows == 0, answer.dropped > 0, false, false, false, answer.hasTokens && answer.trainedTokens == 0};
  for (int i = 0; i < 6; ++i) {
    QString text = values[i] ? formatCount(values[i]) : notMeasured();
    if (i == 5 && values[i] && answer.tokens > 0) {
      text = tr("%1 (%2)").arg(text, formatPercent(static_cast<double>(answer.trainedTokens) / answer.tokens));
    }
    m_figures[i].value->setText(text);
    m_figures[i].value->setTone(!values[i] ? Tone::second : bad[i] ? Tone::warn : Tone::normal);
    m_figures[i].value->setAccessibleName(m_figures[i].name->text() + ": " + text);
  }
}

}  // namespace strata
