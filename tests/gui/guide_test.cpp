// F1 on each page of the window.

#include "real_window.h"
#include "widgets/help/help_window.h"

namespace strata {
namespace {

TEST(GuideJourney, F1OpensThePageOfTheGuideThatBelongsToEachPageOfTheWindow) {
  const OwnFolders folders;
  RealWindow window(folders);
  ASSERT_TRUE(window.isReady()) << window.engine.log().toStdString();
  for (const char* id : {"models", "data", "train", "map", "chat", "evaluate", "reports", "settings"}) {
    window.window.showPage(id);
    ASSERT_EQ(window.window.currentPage()->id(), id);
    window.window.activateWindow();
    QTest::keyClick(&window.window, Qt::Key_F1);
    const auto* help = window.find<HelpWindow>("helpWindow");
    ASSERT_NE(help, nullptr);
    EXPECT_TRUE(help->isVisible());
    EXPECT_EQ(help->page(), id);
  }
}

}  // namespace
}  // namespace strata
