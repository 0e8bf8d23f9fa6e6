// Every page in a language that is 40 % longer: nothing is cut off, and every text can be translated.

#include <QComboBox>
#include <QRegularExpression>

#include "layout_check.h"
#include "real_window.h"
#include "widgets/language/language.h"

namespace strata {
namespace {

/// While it lives, the window speaks the pseudo language.
struct Pseudo {
  Pseudo() { loadLanguage("pseudo"); }
  ~Pseudo() { loadLanguage("en"); }
};

QString textOf(const QWidget& widget) {
  if (const auto* label = qobject_cast<const QLabel*>(&widget)) return label->text();
  if (const auto* button = qobject_cast<const QAbstractButton*>(&widget)) return button->text();
  return {};
}

/// Sentences that are not translated: two plain words in a row. What core refuses is told in English, and data are as
/// they are.
QStringList plainTexts(const QWidget& window) {
  static const QRegularExpression words("[A-Za-z]{3,} [a-z]{2,}"), accents("[^\\x00-\\x7f]");
  static const QStringList data = {"promptPassageLine", "promptQuestion", "modelsDownloadLine", "presetText"};
  QStringList plain;
  for (const QWidget* widget : window.findChildren<QWidget*>()) {
    const QString text = textOf(*widget);
    const auto* label = qobject_cast<const Label*>(widget);
    const bool refusal = label != nullptr && (label->tone() == Tone::bad || label->tone() == Tone::warn);
    if (!widget->isVisible() || refusal || data.contains(widget->objectName())) continue;
    if (text.contains(words) && !text.contains(accents)) plain << testing::describedWidget(*widget);
  }
  return plain;
}

class PseudoLanguage : public ::testing::Test {
 protected:
  /// What can be seen of the window or a popup.
  void expectFits(QWidget& window, const QString& name) {
    testing::waitForLayout(window);
    SCOPED_TRACE(name.toStdString());
    (void)until([&] { return testing::layoutProblems(window).isEmpty(); },
                2000);  // figures change as they are measured
    EXPECT_EQ(testing::layoutProblems(window).join("\n").toStdString(), "");
    EXPECT_TRUE(window.grab().save(QString("%1/%2-pseudo.png").arg(screenshotFolder(), name)));
    EXPECT_EQ(plainTexts(window).join("\n").toStdString(), "");
  }
  /// Every page there is.
  void expectPagesFit(const QString& state = {}) {
    for (const Page* page : m_window.window.findChildren<Page*>()) {
      m_window.window.showPage(page->id());
      expectFits(m_window.window, page->id() + state);
    }
  }

  const Pseudo m_pseudo;
  const OwnFolders m_folders;
  RealWindow m_window{m_folders};
};

TEST_F(PseudoLanguage, EveryPageHasRoomForALongerLanguage) {
  ASSERT_TRUE(m_window.isReady());
  ASSERT_TRUE(until([&] { return !m_window.find<QPlainTextEdit>("chatDraft")->toPlainText().isEmpty(); }));
  expectFits(m_window.window, "first-start");
  ASSERT_TRUE(m_window.fillPages());
  expectPagesFit();
  m_window.window.showPage("chat");
  m_window.find<QAbstractButton>("differences")->click();
  ASSERT_TRUE(until([&] { return m_window.find<QLabel>("differenceSummary")->text().contains("KL"); }));
  expectFits(m_window.window, "chat-differences");
  m_window.find<QAbstractButton>("differences")->click();
  m_window.find<QAbstractButton>("chatSettings")->click();
  expectFits(m_window.window, "chat-settings");
  m_window.find<QAbstractButton>("chatSettings")->click();
  m_window.window.showPage("models");
  m_window.find<QAbstractButton>("templateEdit")->click();
  expectFits(m_window.window, "models-template");
  m_window.window.showPage("data");
  m_window.find<QAbstractButton>("dataMapColumns")->click();
  expectFits(m_window.window, "data-columns");
  m_window.find<QAbstractButton>("jobs-toggle")->click();
  expectPagesFit("-with-jobs");
  for (const char* opener : {"map-b", "status-memory", "status-engine", "status-bell"}) {
    m_window.find<QAbstractButton>(opener)->click();
    QWidget* popup = QApplication::activePopupWidget();
    ASSERT_NE(popup, nullptr) << opener;
    expectFits(*popup, popup->objectName());
    QTest::keyClick(popup, Qt::Key_Escape);
  }
  m_window.window.find();
  expectFits(*QApplication::activePopupWidget(), "find-popup");
}

TEST_F(PseudoLanguage, AnEngineThatCannotBeStartedIsToldInALongerLanguageToo) {
  ASSERT_TRUE(m_window.isReady());
  m_window.engine.start({"/nowhere/strata", {"engine"}});
  ASSERT_TRUE(until([&] { return m_window.engine.state() == EngineClient::State::failed; }));
  expectPagesFit("-no-engine");
}

}  // namespace
}  // namespace strata
