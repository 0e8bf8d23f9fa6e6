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
    (void)until([&] { return testing::layoutProblems(m_window.window).isEmpty(); }, 2000);
    EXPECT_EQ(testing::layoutProblems(m_window.window).join("\n").toStdString(), "");
    m_window.window.grab().save(QString("%1/large_text_%2_%3.png").arg(screenshotFolder(), page).arg(percent));
  }
  void expectFitsAtEverySize() {
    for (const int percent : {100, 150, 200, 100}) {
      m_window.theme.setTextPercent(percent);
      for (const char* page : {"models", "data", "train", "map", "chat", "settings"}) expectFits(page, percent);
    }
  }

  const OwnFolders m_folders;
  RealWindow m_window{m_folders};
};

TEST_F(LargeText, EveryPageFitsASmallScreenAndTheWindowKeepsItsSize) {
  ASSERT_TRUE(m_window.isReady());
  ASSERT_TRUE(m_window.fillPages());
  expectFitsAtEverySize();
  m_window.find<QAbstractButton>("jobs-toggle")->click();
  expectFitsAtEverySize();
}

}  // namespace
}  // namespace strata
