#pragma once
// How answers are drawn, for both sides alike, and what stands before every conversation. Fields follow GenerateConfig.

#include <QTimer>
#include <QWidget>

#include "core/config/generate_config.h"
#include "widgets/style/pane.h"

class QDoubleSpinBox;
class QLineEdit;
class QPlainTextEdit;
class QSpinBox;

namespace strata {

/// Texts that end an answer, as they are written in their field: "\n, END"; escapes are \n, \t, \\ and \, .
QString stopsText(const std::vector<std::string>& stops);
std::vector<std::string> stopsOf(const QString& text);

class SamplingPanel : public Pane {
  Q_OBJECT

 public:
  explicit SamplingPanel(QWidget* parent = nullptr);

  GenerateConfig sampling() const;
  void setSampling(const GenerateConfig& sampling);
  QString system() const;
  void setSystem(const QString& system);

 Q_SIGNALS:
  void samplingChanged();
  void systemChanged();

 private:
  QDoubleSpinBox* real(const char* name, const QString& label, const QString& reason, double least, double most,
                       double step, int decimals);
  QSpinBox* whole(const char* name, const QString& label, const QString& reason, int least, int most);
  void grey();
  void add(const char* name, const QString& label, const QString& reason, QWidget* control);
  GenerateConfig m_rest;  // what has no field
  QLayout* m_fields;
  QDoubleSpinBox *m_temperature, *m_topP, *m_minP, *m_penalty;
  QSpinBox *m_topK, *m_most;
  QLineEdit *m_seed, *m_stop;
  QPlainTextEdit* m_system;
  QTimer m_systemTimer;
  bool m_setting = false;
};

}  // namespace strata
