#pragma once
// What tests of a page share: an engine of the test's own, a session with settings of its own, and pictures of the
// page in the room that the frame leaves it.

#include <QAccessible>
#include <QAccessibleInterface>
#include <QApplication>
#include <QDir>
#include <QHBoxLayout>
#include <QTest>
#include <QVBoxLayout>
#include <filesystem>
#include <functional>
#include <memory>

#include "scripted_engine.h"
#include "support.h"
#include "widgets/session/page.h"
#include "widgets/session/session.h"
#include "widgets/style/controls.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata::testing {

inline Theme& theme() {
  static auto* theme = new Theme(*static_cast<QApplication*>(QCoreApplication::instance()));
  return *theme;
}

inline EngineClient::Command fakeEngine(const std::string& scenario) {
  return {"/usr/bin/env",
          {QString::fromStdString("STRATA_FAKE_ENGINE=" + scenario), QCoreApplication::applicationFilePath()}};
}

inline bool soon(const std::function<bool()>& holds, int milliseconds = 20000) {
  return QTest::qWaitFor(holds, milliseconds);
}

/// As the window drops things on a page where the engine runs on this machine; false: not for it.
inline bool drop(Page& page, const std::filesystem::path& path) {
  const std::optional<Wanted> wanted = page.wants({QString::fromStdString(path.string())});
  if (wanted) page.take(wanted->path);
  return wanted.has_value();
}

struct PageFixture {
  TemporaryFolder folder;
  Settings settings{QString::fromStdString((folder.path() / "settings.ini").string())};
  EngineClient engine;
  Session session{engine, settings};

  PageFixture() { theme(); }
  /// Starts the engine and opens its project.
  bool start(const std::string& scenario) {
    engine.start(fakeEngine(scenario));
    session.openProject("/projects/test");
    return soon([&] { return session.project().has_value(); });
  }
};

/// The page in a window of this size, with the room that rail, strips and inspector take.
class Frame : public QWidget {
 public:
  explicit Frame(Page& page) : m_page(page) {
    auto* rail = new Pane(Ground::raised, this);
    auto* foot = new Pane(Ground::raised, this);
    followTheme(this, [rail, foot] {
      rail->setFixedWidth(metrics().rail);
      foot->setFixedHeight(2 * metrics().strip);
    });
    auto* row = new QHBoxLayout;
    row->setSpacing(0);
    row->addWidget(rail);
    row->addWidget(&page, 1);
    if (QWidget* inspector = page.inspector()) {
      row->addWidget(new Separator(Qt::Vertical, this));
      auto* pane = new Pane(Ground::surface, this);
      followTheme(pane, [pane] { pane->setFixedWidth(metrics().inspector); });
      auto* inside = new QHBoxLayout(pane);
      inside->setContentsMargins(0, 0, 0, 0);
      inside->addWidget(inspector);
      row->addWidget(pane);
    }
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(row, 1);
    layout->addWidget(foot);
  }
  ~Frame() override {
    m_page.setParent(nullptr);
    if (QWidget* inspector = m_page.inspector()) inspector->setParent(nullptr);
  }

 private:
  Page& m_page;
};

/// <build>/screenshots/<name>_<scheme>_<w>x<h>.png, light and dark, at 1280x800 and 1920x1080.
inline void shoot(QWidget& frame, const QString& name) {
  const QDir folder(QStringLiteral(STRATA_BINARY_DIR) + "/screenshots");
  folder.mkpath(".");
  for (const bool dark : {false, true}) {
    theme().setChoice(dark ? Theme::Choice::dark : Theme::Choice::light);
    for (const QSize size : {QSize(1280, 800), QSize(1920, 1080)}) {
      frame.resize(size);
      QTest::qWait(60);
      const QString file =
          QString("%1_%2_%3x%4.png").arg(name, dark ? "dark" : "light").arg(size.width()).arg(size.height());
      ASSERT_TRUE(frame.grab().save(folder.filePath(file)));
    }
  }
  theme().setChoice(Theme::Choice::light);
}

/// The same at 150 % text, light, at 1280x800; and in grey, for whoever judges without colours.
inline void shootLargeAndGrey(QWidget& frame, const QString& name) {
  const QDir folder(QStringLiteral(STRATA_BINARY_DIR) + "/screenshots");
  folder.mkpath(".");
  frame.resize(1280, 800);
  QTest::qWait(60);
  const QImage grey = frame.grab().toImage().convertToFormat(QImage::Format_Grayscale8);
  ASSERT_TRUE(grey.save(folder.filePath(name + "_grey_1280x800.png")));
  theme().setTextPercent(150);
  QTest::qWait(60);
  const bool saved = frame.grab().save(folder.filePath(name + "_light_150_1280x800.png"));
  theme().setTextPercent(100);
  ASSERT_TRUE(saved);
}

/// Controls below `root` that lack an object name or a name for screen readers, as "class objectName".
inline QStringList namelessControls(QWidget& root) {
  QStringList nameless;
  for (QWidget* widget : root.findChildren<QWidget*>()) {
    const QString objectName = widget->objectName();
    if (!widget->isVisibleTo(&root) || widget->focusPolicy() == Qt::NoFocus || objectName.startsWith("qt_")) continue;
    // Parts of a control that has a name itself.
    const QWidget* parent = widget->parentWidget();
    if (qobject_cast<const QLineEdit*>(widget) && qobject_cast<const QAbstractSpinBox*>(parent)) continue;
    if (widget->inherits("QScrollBar") || widget->inherits("QHeaderView") || widget->inherits("QComboBoxListView") ||
        widget->inherits("QComboBoxPrivateContainer") || widget->inherits("QSplitterHandle") ||
        widget->inherits("QTableCornerButton")) {
      continue;
    }
    QAccessibleInterface* interface = QAccessible::queryAccessibleInterface(widget);
    const QString name = interface != nullptr ? interface->text(QAccessible::Name) : QString();
    if (objectName.isEmpty() || name.isEmpty()) {
      nameless << QString("%1 '%2' says '%3'").arg(widget->metaObject()->className(), objectName, name);
    }
  }
  return nameless;
}

template <class W>
W& child(QWidget& root, const char* objectName) {
  W* found = root.findChild<W*>(objectName);
  EXPECT_NE(found, nullptr) << objectName;
  return *found;
}

}  // namespace strata::testing
