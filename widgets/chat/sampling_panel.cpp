#include "widgets/chat/sampling_panel.h"

#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QRegularExpressionValidator>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/chat/safe_text.h"
#include "widgets/style/controls.h"
#include "widgets/style/flow_layout.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kFieldWidth = 92;
constexpr int kSystemLines = 2;
constexpr int kSystemMilliseconds = 400;
constexpr int kMostTokens = 10'000'000;
constexpr int kMostK = 1'000'000'000;

}  // namespace

QString stopsText(const std::vector<std::string>& stops) {
  QStringList texts;
  for (const std::string& stop : stops) {
    QString text = QString::fromStdString(stop);
    text.replace('\\', QLatin1String("\\\\")).replace(',', QLatin1String("\\,"));
    text.replace('\n', QLatin1String("\\n")).replace('\r', QLatin1String("\\r")).replace('\t', QLatin1String("\\t"));
    texts << safeText(text);
  }
  return texts.join(QStringLiteral(", "));
}

std::vector<std::string> stopsOf(const QString& text) {
  std::vector<std::string> stops;
  QString stop;
  const auto end = [&] {
    if (!stop.isEmpty()) stops.push_back(stop.toStdString());
    stop.clear();
  };
  for (qsizetype i = 0; i < text.size(); ++i) {
    if (text[i] == ',') {
      end();
      if (i + 1 < text.size() && text[i + 1] == ' ') ++i;
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      const QChar letter = text[++i];
      stop += letter == 'n' ? QChar('\n') : letter == 'r' ? QChar('\r') : letter == 't' ? QChar('\t') : letter;
    } else {
      stop += text[i];
    }
  }
  end();
  return stops;
}

SamplingPanel::SamplingPanel(QWidget* parent) : Pane(Ground::surface, parent) {
  setObjectName("samplingPanel");
  setAccessibleName(tr("Sampling settings and system prompt"));
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapRelated);
  column->setSpacing(kGapRelated);
  auto* fields = new QWidget(this);
  m_fields = new FlowLayout(kGapRelated, kGapRelated, fields);
  column->addWidget(fields);
  m_temperature = real("temperature", tr("Temperature"), tr("0: always the likeliest token"), 0, 100, .1, 2);
  m_topK = whole("topK", tr("Top k"), tr("Choose among the k likeliest tokens; 0: off"), 0, kMostK);
  m_topP =
      real("topP", tr("Top p"), tr("Choose among the likeliest that reach this probability; 1: off"), 0, 1, .05, 2);
  m_minP = real("minP", tr("Min p"), tr("Leave out tokens below this share of the likeliest; 0: off"), 0, 1, .01, 2);
  m_penalty = real("repeatPenalty", tr("Repeat penalty"), tr("Above 1, tokens already there become less likely"), .01,
                   100, .05, 2);
  m_most = whole("maxTokens", tr("Max tokens"), tr("New tokens of an answer at most"), 1, kMostTokens);
  m_seed = new QLineEdit(this);
  m_seed->setValidator(new QRegularExpressionValidator(QRegularExpression("[0-9]{1,19}"), m_seed));
  followTheme(m_seed, [this] { m_seed->setFont(fonts().mono); });
  add("seed", tr("Seed"), tr("Of both sides: the same seed draws the same way"), m_seed);
  connect(m_seed, &QLineEdit::editingFinished, this, [this] {
    if (!m_setting) Q_EMIT samplingChanged();
  });
  m_stop = new QLineEdit(this);
  m_stop->setPlaceholderText(tr("none"));
  followTheme(m_stop, [this] { m_stop->setFont(fonts().mono); });
  add("stopTexts", tr("Stop texts"),
      tr("An answer ends where one of these texts begins. Commas separate them; \\n is a line break"), m_stop);
  connect(m_stop, &QLineEdit::editingFinished, this, [this] {
    if (!m_setting) Q_EMIT samplingChanged();
  });
  m_system = new QPlainTextEdit(this);
  m_system->setTabChangesFocus(true);
  m_system->setObjectName("systemPrompt");
  m_system->setPlaceholderText(tr("Comes before the conversation on both sides; optional"));
  followTheme(m_system, [this] {
    m_system->setFont(fonts().body);
    m_system->setFixedHeight(kSystemLines * scaled(kLineBody) + 3 * kGapInside);
  });
  m_system->setWhatsThis(tr("Comes before the conversation, for both sides. Empty: none."));
  auto* system = new Field(tr("System prompt"), m_system, {}, this);
  system->setMaximumWidth(metrics().textWidth);
  column->addWidget(system);
  m_systemTimer.setSingleShot(true);
  m_systemTimer.setInterval(kSystemMilliseconds);
  connect(&m_systemTimer, &QTimer::timeout, this, &SamplingPanel::systemChanged);
  connect(m_system, &QPlainTextEdit::textChanged, this, [this] {
    if (!m_setting) m_systemTimer.start();
  });
  setSampling({});
}

void SamplingPanel::add(const char* name, const QString& label, const QString& reason, QWidget* control) {
  control->setObjectName(name);
  control->setToolTip(reason);
  control->setWhatsThis(reason);
  auto* field = new Field(label, control, {}, this);
  followTheme(field, [field, label] {
    field->setFixedWidth(std::max(scaled(kFieldWidth), QFontMetrics(fonts().body).horizontalAdvance(label) + 1));
  });
  m_fields->addWidget(field);
}

QDoubleSpinBox* SamplingPanel::real(const char* name, const QString& label, const QString& reason, double least,
                                    double most, double step, int decimals) {
  auto* box = new QDoubleSpinBox(this);
  box->setLocale(QLocale::c());
  box->setDecimals(decimals);
  box->setRange(least, most);
  box->setSingleStep(step);
  followTheme(box, [box] { box->setFont(fonts().mono); });
  add(name, label, reason, box);
  connect(box, &QDoubleSpinBox::valueChanged, this, [this] {
    if (!m_setting) Q_EMIT samplingChanged();
  });
  return box;
}

QSpinBox* SamplingPanel::whole(const char* name, const QString& label, const QString& reason, int least, int most) {
  auto* box = new QSpinBox(this);
  box->setRange(least, most);
  followTheme(box, [box] { box->setFont(fonts().mono); });
  add(name, label, reason, box);
  connect(box, &QSpinBox::valueChanged, this, [this] {
    if (!m_setting) Q_EMIT samplingChanged();
  });
  return box;
}

GenerateConfig SamplingPanel::sampling() const {
  GenerateConfig sampling = m_rest;
  sampling.temperature = m_temperature->value();
  sampling.topK = m_topK->value();
  sampling.topP = m_topP->value();
  sampling.minP = m_minP->value();
  sampling.repeatPenalty = m_penalty->value();
  sampling.maxTokens = m_most->value();
  bool whole = false;
  const auto seed = m_seed->text().toULongLong(&whole);
  if (whole) sampling.seed = seed;
  sampling.stop = stopsOf(m_stop->text());
  return sampling;
}

void SamplingPanel::setSampling(const GenerateConfig& sampling) {
  m_setting = true;
  m_rest = sampling;
  const auto show = [](auto* box, auto value) {
    if (box->value() != value) box->setValue(value);  // what is being typed stays as it is written
  };
  show(m_temperature, sampling.temperature);
  show(m_topK, sampling.topK);
  show(m_topP, sampling.topP);
  show(m_minP, sampling.minP);
  show(m_penalty, sampling.repeatPenalty);
  show(m_most, sampling.maxTokens);
  const QString seed = QString::number(sampling.seed);
  if (m_seed->text() != seed) m_seed->setText(seed);
  if (stopsOf(m_stop->text()) != sampling.stop) m_stop->setText(stopsText(sampling.stop));
  m_setting = false;
  grey();
}

/// At temperature 0 the likeliest token is taken: nothing is drawn, and what shapes the draw does nothing.
void SamplingPanel::grey() {
  const bool draws = m_temperature->value() > 0;
  for (QWidget* field : {static_cast<QWidget*>(m_topK), static_cast<QWidget*>(m_topP), static_cast<QWidget*>(m_minP),
                         static_cast<QWidget*>(m_seed)}) {
    field->setEnabled(draws);
  }
}

QString SamplingPanel::system() const {
  return m_system->toPlainText();
}

void SamplingPanel::setSystem(const QString& system) {
  if (system == m_system->toPlainText()) return;
  m_setting = true;
  m_system->setPlainText(system);
  m_setting = false;
}

}  // namespace strata
