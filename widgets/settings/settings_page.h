#pragma once
// Theme, text size, language, folders of models, the engine, the trash, and what Strata is built on.

#include "widgets/session/page.h"
#include "widgets/session/session.h"
#include "widgets/style/theme.h"

class QComboBox;
class QListWidget;
class QScrollArea;
class QVBoxLayout;

namespace strata {

class Button;
class Label;
class SegmentedButtons;

/// Texts of the about section.
struct AboutTexts {
  QString version;       // "0.3.0"
  QString licence;       // the whole text of the licence of Strata's sources
  QString dependencies;  // what it is built on, in Markdown
};

class SettingsPage : public Page {
  Q_OBJECT

 public:
  SettingsPage(Session& session, Theme& theme, AboutTexts about = {}, QWidget* parent = nullptr);

  QString id() const override { return "settings"; }
  QString title() const override { return tr("Settings"); }
  QString iconName() const override { return "gear"; }
  bool isAtFoot() const override { return true; }
  QKeySequence shortcut() const override { return QKeySequence("Ctrl+,"); }
  QList<QWidget*> panes() override;
  /// Sections: appearance, folders, engine, trash, about.
  bool shows(const Place& place) const override;
  void open(const Place& place) override;

 private:
  QVBoxLayout* section(const QString& id, const QString& title);
  void addAppearance(Theme& theme);
  void addLanguage(QVBoxLayout* column);
  void addFolders();
  void addEngine();
  void addProject();
  void addAbout(const AboutTexts& about);
  void addCommands();
  void showEngine();

  Session& m_session;
  Theme& m_theme;
  QScrollArea* m_scroll;
  QVBoxLayout* m_column;
  QHash<QString, QWidget*> m_sections;
  SegmentedButtons *m_scheme, *m_size;
  QListWidget* m_folders;
  QComboBox* m_command;
  Label* m_engine;
};

/// Reads theme and text size from the settings into the theme.
void restoreTheme(Settings& settings, Theme& theme);

}  // namespace strata
