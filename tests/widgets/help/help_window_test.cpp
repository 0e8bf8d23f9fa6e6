#include "widgets/help/help_window.h"

#include <gtest/gtest.h>

#include <QApplication>
#include <QDesktopServices>
#include <QDir>
#include <QLineEdit>
#include <QListWidget>
#include <QScrollBar>
#include <QTest>
#include <QTextBlock>
#include <QTextBrowser>

#include "field_help.h"
#include "layout_check.h"
#include "widgets/style/button.h"
#include "widgets/style/theme.h"

namespace strata::testing {
namespace {

class OpenedAddresses : public QObject {
  Q_OBJECT

 public:
  OpenedAddresses() { QDesktopServices::setUrlHandler("https", this, "open"); }
  ~OpenedAddresses() override { QDesktopServices::unsetUrlHandler("https"); }
  QList<QUrl> urls;

 public Q_SLOTS:
  void open(const QUrl& url) { urls << url; }
};

class HelpWindowTest : public ::testing::Test {
 protected:
  HelpWindowTest() {
    theme().setChoice(Theme::Choice::light);
    window = std::make_unique<HelpWindow>(Guide::shipped());
    window->open("chat");
    EXPECT_TRUE(QTest::qWaitForWindowActive(window.get()));
  }
  static Theme& theme() {
    static auto* theme = new Theme(*static_cast<QApplication*>(QCoreApplication::instance()));
    return *theme;
  }
  template <class W>
  W& child(const char* name) const {
    W* found = window->findChild<W*>(name);
    EXPECT_NE(found, nullptr) << name;
    return *found;
  }
  QTextBrowser& text() const { return child<QTextBrowser>("helpText"); }
  QListWidget& list() const { return child<QListWidget>("helpContents"); }
  Button& button(const char* name) const { return child<Button>(name); }
  void follow(const QString& link) const { Q_EMIT text().anchorClicked(QUrl(link)); }
  std::string firstLine() const { return text().document()->firstBlock().text().toStdString(); }
  std::string titleOf(const QString& id) const { return Guide::shipped().find(id)->title.toStdString(); }

  std::unique_ptr<HelpWindow> window;
};

TEST_F(HelpWindowTest, ShowsThePageThatWasAskedForAndMarksItInTheContents) {
  EXPECT_EQ(window->page(), "chat");
  EXPECT_EQ(firstLine(), titleOf("chat"));
  ASSERT_EQ(list().count(), static_cast<int>(Guide::shipped().pages().size()));
  EXPECT_EQ(list().currentItem()->text().toStdString(), titleOf("chat"));
  window->open("no such page");
  EXPECT_EQ(window->page(), "chat");
}

TEST_F(HelpWindowTest, LinksAmongPagesAreFollowedBackAndForward) {
  EXPECT_FALSE(button("helpBack").isEnabled());
  follow("maps.md");
  EXPECT_EQ(window->page(), "maps");
  text().verticalScrollBar()->setValue(60);
  follow("troubleshooting.md#out-of-memory");
  EXPECT_EQ(window->page(), "troubleshooting");
  EXPECT_EQ(text().textCursor().block().text(), "Out of memory");
  QTest::keyClick(window.get(), Qt::Key_Left, Qt::AltModifier);
  EXPECT_EQ(window->page(), "maps");
  EXPECT_EQ(text().verticalScrollBar()->value(), 60);
  button("helpBack").click();
  EXPECT_EQ(window->page(), "chat");
  button("helpForward").click();
  EXPECT_EQ(window->page(), "maps");
  follow("train.md");
  EXPECT_FALSE(button("helpForward").isEnabled()) << "another way was taken";
  button("helpHome").click();
  EXPECT_EQ(window->page(), kGuideContents);
}

TEST_F(HelpWindowTest, OtherLinksOpenInTheBrowser) {
  OpenedAddresses opened;
  follow("https://arxiv.org/abs/2604.22782");
  EXPECT_EQ(opened.urls, QList<QUrl>{QUrl("https://arxiv.org/abs/2604.22782")});
  EXPECT_EQ(window->page(), "chat");
}

TEST_F(HelpWindowTest, SearchingShowsWhereTheWordsAreAndEnterGoesThere) {
  QTest::keyClick(window.get(), Qt::Key_F, Qt::ControlModifier);
  auto& search = child<QLineEdit>("helpSearch");
  search.setText("out of memory");
  ASSERT_GT(list().count(), 0);
  QTest::keyClick(&search, Qt::Key_Return);
  EXPECT_EQ(window->page(), "troubleshooting");
  EXPECT_EQ(text().textCursor().block().text(), "Out of memory");
  EXPECT_GT(list().count(), 0) << "what was found stays in view";
  search.setText("xyzzy plugh");
  EXPECT_EQ(list().count(), 0);
  EXPECT_TRUE(child<QWidget>("helpNothing").isVisible());
  QTest::keyClick(&search, Qt::Key_Escape);
  EXPECT_EQ(list().count(), static_cast<int>(Guide::shipped().pages().size()));
  QTest::keyClick(window.get(), Qt::Key_Escape);
  EXPECT_FALSE(window->isVisible());
}

TEST_F(HelpWindowTest, PicturesAreAsWideAsThePaneAndFollowTheTheme) {
  const QVariant light = text().loadResource(QTextDocument::ImageResource, QUrl("pictures/chat.png"));
  ASSERT_TRUE(light.canConvert<QImage>());
  EXPECT_LE(light.value<QImage>().deviceIndependentSize().width(), text().viewport()->width());
  theme().setChoice(Theme::Choice::dark);
  const auto dark = text().loadResource(QTextDocument::ImageResource, QUrl("pictures/chat.png")).value<QImage>();
  theme().setChoice(Theme::Choice::light);
  EXPECT_LT(dark.pixelColor(dark.width() - 2, 2).lightness(), light.value<QImage>().pixelColor(2, 2).lightness());
  EXPECT_FALSE(
      text().loadResource(QTextDocument::ImageResource, QUrl("https://example.org/x.png")).canConvert<QImage>());
  EXPECT_FALSE(text().loadResource(QTextDocument::ImageResource, QUrl("/etc/x.png")).value<QImage>().width() > 0);
}

TEST_F(HelpWindowTest, NoPageIsWiderThanTheWindow) {
  for (const GuidePage& page : Guide::shipped().pages()) {
    window->open(page.id);
    QTest::qWait(10);
    EXPECT_EQ(text().horizontalScrollBar()->maximum(), 0) << page.id.toStdString();
  }
  for (const int percent : {150, 100}) {
    theme().setTextPercent(percent);
    waitForLayout(*window);
    EXPECT_EQ(layoutProblems(*window).join("\n").toStdString(), "") << percent;
  }
  EXPECT_EQ(fieldsWithoutHelp(*window).join(", ").toStdString(), "");
}

TEST_F(HelpWindowTest, Screenshots) {
  const QDir folder(QStringLiteral(STRATA_BINARY_DIR) + "/screenshots");
  folder.mkpath(".");
  for (const bool dark : {false, true}) {
    theme().setChoice(dark ? Theme::Choice::dark : Theme::Choice::light);
    for (const GuidePage& page : Guide::shipped().pages()) {
      window->open(page.id);
      QTest::qWait(30);
      const QString name = QString("help_%1_%2.png").arg(page.id, dark ? "dark" : "light");
      ASSERT_TRUE(window->grab().save(folder.filePath(name)));
    }
    child<QLineEdit>("helpSearch").setText("memory");
    QTest::qWait(30);
    ASSERT_TRUE(window->grab().save(folder.filePath(QString("help_search_%1.png").arg(dark ? "dark" : "light"))));
    child<QLineEdit>("helpSearch").clear();
  }
  theme().setTextPercent(150);
  window->open("maps");
  waitForLayout(*window);
  ASSERT_TRUE(window->grab().save(folder.filePath("help_maps_150.png")));
  theme().setTextPercent(100);
  theme().setChoice(Theme::Choice::light);
}

}  // namespace
}  // namespace strata::testing

#include "help_window_test.moc"
