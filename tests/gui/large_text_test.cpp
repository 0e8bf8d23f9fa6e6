// Every page at each text size, in the smallest window that is promised to hold it.

#include <QRegularExpression>

#include "layout_check.h"
#include "real_window.h"

namespace strata {
namespace {

constexpr QSize kSmallScreen{1280, 800};

class LargeText : public ::testing::Test {
 protected:
  /// Everything that can be seen on the page, in each of its places.
  void expectFits(const QString& page, int percent) {
    m_window.window.showPage(page);
    testing::waitForLayout(m_window.window);
    SCOPED_TRACE(QString("%1 at %2 %").arg(page).arg(percent).toStdString());
    EXPECT_EQ(m_window.window.size(), kSmallScreen);
    EXPECT_EQ(testing::layoutProblems(m_window.window).join("\n").toStdString(), "");
    m_window.window.grab().save(QString("%1/large_text_%2_%3.png").arg(screenshotFolder(), page).arg(percent));
  }
  void expectFitsAtEverySize() {
    for (const int percent : {100, 150, 200, 100}) {
      m_window.theme.setTextPercent(percent);
      for (const char* page : {"models", "data", "chat", "settings"}) expectFits(page, percent);
    }
  }

  const OwnFolders m_folders;
  RealWindow m_window{m_folders};
};

TEST_F(LargeText, EveryPageFitsASmallScreenAndTheWindowKeepsItsSize) {
  ASSERT_TRUE(m_window.isReady());
  // With something on each page: answers, a model in memory, a checked file.
  ASSERT_TRUE(until([&] { return !m_window.find<QPlainTextEdit>("chatDraft")->toPlainText().isEmpty(); }));
  m_window.find<QAbstractButton>("step-ask")->click();
  ASSERT_TRUE(until([&] { return !m_window.chat->conversation().turns().empty(); }));
  ASSERT_TRUE(m_window.bothAnswered(0));
  m_window.window.showPage("models");
  ASSERT_TRUE(until([&] { return m_window.find<QLabel>("measured-kv")->text().contains("iB"); }));
  m_window.window.showPage("data");
  m_window.data->read(QString::fromStdString(m_window.session.project()->folder) + "/recall.json");
  expectFitsAtEverySize();
  m_window.find<QAbstractButton>("jobs-toggle")->click();
  expectFitsAtEverySize();
}

}  // namespace
}  // namespace strata
