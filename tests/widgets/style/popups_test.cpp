// What opens in a window of its own: the dark theme must have no light patch there.

#include <gtest/gtest.h>

#include <QComboBox>
#include <QDir>
#include <QListView>
#include <QMenu>
#include <QToolTip>

#include "style_test.h"
#include "widgets/style/icons.h"

namespace strata {
namespace {

void save(const QImage& image, const QString& name) {
  const QString folder = QStringLiteral(STRATA_BINARY_DIR "/screenshots");
  ASSERT_TRUE(QDir().mkpath(folder));
  ASSERT_TRUE(image.save(QStringLiteral("%1/gallery_%2.png").arg(folder, name)));
}

/// The part of pixels that are light.
double lightPart(const QImage& image) {
  qint64 light = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) light += qGray(image.pixel(x, y)) > 150;
  }
  return static_cast<double>(light) / std::max(1, image.width() * image.height());
}

class Popups : public testing::Test {
 protected:
  Popups() { plainTheme().setSystem(true, false); }
  ~Popups() override { plainTheme(); }
};

TEST_F(Popups, AComboBoxsListIsDarkAndOpensBelow) {
  QComboBox box;
  for (int i = 0; i < 6; ++i) box.addItem(QStringLiteral("retention:%1").arg(i));
  box.move(100, 100);
  box.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&box));
  box.showPopup();
  QTest::qWait(50);
  QWidget* list = box.view()->window();
  ASSERT_TRUE(list->isVisible());
  EXPECT_GE(list->y(), box.geometry().bottom());
  EXPECT_GE(box.view()->sizeHintForRow(0), 28);
  const QImage image = picture(*list);
  save(image, QStringLiteral("popup_combo_dark"));
  EXPECT_GT(pixelsOf(image, colors().surface), image.width() * image.height() / 3);
  EXPECT_LT(lightPart(image), 0.1);
  box.hidePopup();
}

TEST_F(Popups, AMenuIsDarkWithRowsOf28AndShowsItsKeys) {
  QMenu menu;
  menu.addAction(icon("copy"), "Copy")->setShortcut(QKeySequence::Copy);
  QAction* checked = menu.addAction("Scroll together");
  checked->setCheckable(true);
  checked->setChecked(true);
  menu.addSeparator();
  menu.addMenu("Export")->addAction("Markdown");
  menu.addAction(icon("trash"), "Move to the trash")->setEnabled(false);
  menu.popup(QPoint(50, 50));
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&menu));
  menu.setActiveAction(checked);
  EXPECT_EQ(menu.actionGeometry(checked).height(), 28);
  const QImage image = picture(menu);
  save(image, QStringLiteral("popup_menu_dark"));
  EXPECT_LT(lightPart(image), 0.1);
  EXPECT_GT(pixelsOf(image, colors().raised), 500);  // the row under the pointer
}

TEST_F(Popups, ATooltipIsRaisedGroundWithText) {
  QWidget window;
  window.resize(300, 200);
  window.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&window));
  QToolTip::showText(window.mapToGlobal(QPoint(20, 20)), "Regenerate (Ctrl+R)", &window);
  ASSERT_TRUE(QTest::qWaitFor([] { return QToolTip::isVisible(); }, 2000));
  for (QWidget* top : QApplication::topLevelWidgets()) {
    if (!top->inherits("QTipLabel")) continue;
    const QImage image = picture(*top);
    save(image, QStringLiteral("popup_tooltip_dark"));
    EXPECT_GT(pixelsOf(image, colors().raised), image.width() * image.height() / 2);
    EXPECT_LT(lightPart(image), 0.3);
  }
  QToolTip::hideText();
}

}  // namespace
}  // namespace strata
