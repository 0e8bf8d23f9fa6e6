#pragma once
// How the window looks just now, and who changes it. Main owns one Theme; everything else reads colors(), fonts() and
// metrics(), which find it through the application's style, and repaints by followTheme(). GUI thread only.
//
//   QApplication application(argc, argv);
//   Theme theme(application);
//   theme.setChoice(Theme::Choice::dark);
//
//   followTheme(this, [this] { m_plot->setPen(colors().sideA()); });   // now and after each change

#include <QFont>
#include <QObject>
#include <QPen>
#include <functional>

#include "widgets/style/tokens.h"

class QApplication;

namespace strata {

struct Fonts {
  QFont body;         // Inter 13
  QFont strong;       // Inter 13 semibold
  QFont caption;      // Inter 11: captions, axes
  QFont section;      // Inter 15 semibold
  QFont title;        // Inter 20 semibold: page titles, key figures
  QFont mono;         // JetBrains Mono 13: code, ids, numbers that change or stand in a column
  QFont monoCaption;  // JetBrains Mono 11
};

struct Look {
  Scheme scheme = Scheme::light;
  int textPercent = 100;
  Colors colors;
  Fonts fonts;
  Metrics metrics;
};

Look lookOf(Scheme scheme, int textPercent);

class Theme : public QObject {
  Q_OBJECT

 public:
  enum class Choice { system, light, dark, contrast };

  /// Loads the fonts, installs StrataStyle and follows the system.
  explicit Theme(QApplication& application);

  Choice choice() const { return m_choice; }
  void setChoice(Choice choice);
  int textPercent() const { return m_textPercent; }
  /// Between 100 and 200.
  void setTextPercent(int percent);
  Scheme scheme() const;
  /// What the system wants; it reports by itself, tests say it here.
  void setSystem(bool dark, bool contrast);

 Q_SIGNALS:
  void changed();

 private:
  void apply();
  Choice m_choice = Choice::system;
  int m_textPercent = 100;
  bool m_systemDark = false;
  bool m_systemContrast = false;
};

/// Light at 100 % where no Theme lives.
const Look& look();
inline const Colors& colors() {
  return look().colors;
}
inline const Fonts& fonts() {
  return look().fonts;
}
inline const Metrics& metrics() {
  return look().metrics;
}
/// A length that grows with the text.
int scaled(int pixels);

/// Calls `apply` now and after each change of the theme while `context` lives.
void followTheme(QObject* context, std::function<void()> apply);

}  // namespace strata
