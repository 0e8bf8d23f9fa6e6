#include "widgets/style/controls.h"

#include <gtest/gtest.h>

#include <QAccessible>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLineEdit>
#include <QListWidget>
#include <QPainter>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QRadioButton>
#include <QSignalSpy>
#include <QSlider>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include "style_test.h"
#include "widgets/style/icons.h"

namespace strata {
namespace {

QAccessible::Role roleOf(QWidget* widget) {
  return QAccessible::queryAccessibleInterface(widget)->role();
}
QString nameOf(QWidget* widget) {
  return QAccessible::queryAccessibleInterface(widget)->text(QAccessible::Name);
}

/// Shows `widget` below another one, and comes to it by Tab.
struct Tabbed {
  QWidget window;
  QLineEdit* first;
  explicit Tabbed(QWidget* widget) : first(new QLineEdit(&window)) {
    auto* column = new QVBoxLayout(&window);
    column->addWidget(first);
    column->addWidget(widget);
    window.show();
    window.activateWindow();
    EXPECT_TRUE(QTest::qWaitForWindowActive(&window));
    first->setFocus();
  }
};

/// One under the other in build/…/screenshots, for the eye.
void saveColumn(const std::vector<QImage>& pictures, const char* name) {
  int height = 0;
  for (const QImage& each : pictures) height += std::min(each.height(), 60) + kGapRelated;
  QImage column(640, height, QImage::Format_RGB32);
  column.fill(colors().window);
  QPainter painter(&column);
  int top = 0;
  for (const QImage& each : pictures) {
    painter.drawImage(0, top, each, 0, 0, 640, 60);
    top += std::min(each.height(), 60) + kGapRelated;
  }
  painter.end();
  ASSERT_TRUE(QDir().mkpath(QStringLiteral(STRATA_BINARY_DIR "/screenshots")));
  ASSERT_TRUE(column.save(QStringLiteral(STRATA_BINARY_DIR "/screenshots/%1.png").arg(name)));
}

TEST(Controls, TheFocusRingShowsOnEveryControlAfterTab) {
  for (const bool dark : {false, true}) {
    plainTheme().setSystem(dark, false);
    std::vector<QImage> rings;
    const std::pair<const char*, std::function<QWidget*()>> kinds[] = {
        {"plain", [] { return makeButton("Plain"); }},
        {"accent", [] { return makeButton("Send", ButtonKind::accent); }},
        {"quiet", [] { return makeIconButton("copy", "Copy"); }},
        {"link", [] { return makeButton("Link", ButtonKind::link); }},
        {"danger", [] { return makeButton("Delete", ButtonKind::danger); }},
        {"switch", [] { return new Switch("Serve"); }},
        {"segments",
         [] {
           auto* buttons = new SegmentedButtons({"100", "50"});
           buttons->setCurrent(1);
           return buttons;
         }},
        {"check", [] { return new QCheckBox("Check"); }},
        {"radio", [] { return new QRadioButton("Radio"); }},
        {"combo",
         [] {
           auto* box = new QComboBox;
           box->addItem("cpu");
           return box;
         }},
        {"line", [] { return new QLineEdit; }},
        {"text",
         [] {
           auto* edit = new QPlainTextEdit;
           edit->setTabChangesFocus(true);
           return edit;
         }},
        {"spin", [] { return new QSpinBox; }},
        {"slider", [] { return new QSlider(Qt::Horizontal); }},
        {"tool",
         [] {
           auto* button = new QToolButton;
           button->setText("Tool");
           button->setFocusPolicy(Qt::StrongFocus);
           return button;
         }},
        {"list",
         [] {
           auto* list = new QListWidget;
           list->addItem("model");
           return list;
         }},
        {"rail", [] { return new RailButton("gear", "Settings"); }},
    };
    for (const auto& [name, make] : kinds) {
      QWidget* widget = make();
      Tabbed tabbed(widget);
      const QImage before = picture(*widget);
      QTest::keyClick(tabbed.first, Qt::Key_Tab);
      QTest::qWait(1);
      ASSERT_TRUE(widget->hasFocus() || widget->isAncestorOf(QApplication::focusWidget())) << name;
      rings.push_back(picture(*widget));
      // A ring of 2 px round the smallest control has well over 60 pixels.
      EXPECT_GE(changedPixels(before, picture(*widget)), 60) << name << (dark ? " dark" : " light");
    }
    saveColumn(rings, dark ? "gallery_focus_dark" : "gallery_focus_light");
  }
  plainTheme();
}

TEST(Controls, EnterPressesAButtonAsSpaceDoes) {
  QWidget window;
  Button button("Go", ButtonKind::plain, &window);
  int pressed = 0;
  QObject::connect(&button, &QPushButton::clicked, [&] { ++pressed; });
  window.show();
  button.setFocus();
  QTest::keyClick(&button, Qt::Key_Return);
  QTest::keyClick(&button, Qt::Key_Space);
  EXPECT_EQ(pressed, 2);
}

TEST(Controls, ATooltipShowsItsTextAsItIs) {
  const QString hostile = "<img src=\"file:///etc/passwd\"> a & b";
  EXPECT_TRUE(tipOf(hostile).contains("&lt;img"));
  EXPECT_FALSE(tipOf(hostile).contains("<img"));
  EXPECT_EQ(tipOf("a & b"), "a & b");
  const QString broken = tipOf("a & " + QString(200, 'b'));
  EXPECT_TRUE(Qt::mightBeRichText(broken) && broken.contains("&amp;"));
  EXPECT_EQ(tipOf({}), QString());
}

TEST(Controls, AClickWithTheMouseLeavesNoRing) {
  plainTheme();
  auto* button = makeButton("Plain");
  Tabbed tabbed(button);
  const QImage before = picture(*button);
  QTest::mouseClick(button, Qt::LeftButton);
  QTest::mouseMove(&tabbed.window, QPoint(1, 1));
  EXPECT_LT(pixelsOf(picture(*button), colors().accent), 4);
}

TEST(Controls, EveryThemeChangeRepaintsWhatIsOpen) {
  Theme& theme = plainTheme();
  QWidget window;
  auto* column = new QVBoxLayout(&window);
  const std::initializer_list<QWidget*> all = {
      makeButton("Plain"), makeIconButton("gear", "Settings"), new Switch("Serve"),
      new Label("Words"),  new SideBadge(BadgeSide::a),        new QLineEdit("text"),
      new MemoryBar,       new RailButton("gear", "Settings"), new QProgressBar};
  for (QWidget* widget : all) column->addWidget(widget);
  window.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&window));
  std::vector<QImage> light;
  for (QWidget* widget : all) light.push_back(picture(*widget));
  QSignalSpy changed(&theme, &Theme::changed);
  theme.setChoice(Theme::Choice::dark);
  EXPECT_EQ(changed.count(), 1);
  QTest::qWait(1);
  std::size_t i = 0;
  for (QWidget* widget : all) {
    EXPECT_GT(changedPixels(light[i++], picture(*widget)), 30) << widget->metaObject()->className();
  }
  EXPECT_EQ(window.palette().color(QPalette::Window), colorsOf(Scheme::dark).window);
  theme.setChoice(Theme::Choice::dark);  // the same again changes nothing
  EXPECT_EQ(changed.count(), 1);
  plainTheme();
}

TEST(Controls, TheSystemIsFollowedUnlessThePersonChose) {
  Theme& theme = plainTheme();
  theme.setSystem(true, false);
  EXPECT_EQ(theme.scheme(), Scheme::dark);
  theme.setSystem(true, true);
  EXPECT_EQ(theme.scheme(), Scheme::darkContrast);
  theme.setChoice(Theme::Choice::light);
  EXPECT_EQ(theme.scheme(), Scheme::lightContrast);
  theme.setSystem(true, false);
  EXPECT_EQ(theme.scheme(), Scheme::light);
  theme.setChoice(Theme::Choice::contrast);
  EXPECT_EQ(theme.scheme(), Scheme::darkContrast);
  plainTheme();
}

TEST(Controls, LargerTextMakesOpenControlsGrow) {
  Theme& theme = plainTheme();
  QWidget window;
  auto* column = new QVBoxLayout(&window);
  auto* button = makeButton("Plain");
  auto* edit = new QLineEdit;
  auto* title = titleLabel("Title");
  for (QWidget* widget : std::initializer_list<QWidget*>{button, edit, title}) column->addWidget(widget);
  window.show();
  EXPECT_EQ(button->height(), 28);
  EXPECT_EQ(edit->height(), 28);
  EXPECT_EQ(title->font().pixelSize(), 20);
  theme.setTextPercent(200);
  QTest::qWait(1);
  EXPECT_EQ(button->height(), 48);
  EXPECT_EQ(edit->height(), 48);
  EXPECT_EQ(title->font().pixelSize(), 40);
  theme.setTextPercent(900);  // kept to the range
  EXPECT_EQ(theme.textPercent(), 200);
  plainTheme();
}

TEST(Controls, ArrowKeysChooseInSegmentedButtonsAndScreenReadersHearRadioButtons) {
  plainTheme();
  auto* buttons = new SegmentedButtons({"100", "75", "50"});
  buttons->setCurrent(1);
  Tabbed tabbed(buttons);
  QSignalSpy chosen(buttons, &SegmentedButtons::chosen);
  QTest::keyClick(tabbed.first, Qt::Key_Tab);
  ASSERT_EQ(QApplication::focusWidget(), buttons->button(1));
  QTest::keyClick(QApplication::focusWidget(), Qt::Key_Right);
  EXPECT_EQ(buttons->current(), 2);
  EXPECT_EQ(chosen.count(), 1);
  EXPECT_EQ(roleOf(buttons->button(2)), QAccessible::RadioButton);
  EXPECT_EQ(nameOf(buttons->button(2)), "50");
  buttons->setCurrent(0);
  EXPECT_EQ(chosen.count(), 1);  // only the person's choice is told
  buttons->setCurrent(-1);
  EXPECT_EQ(buttons->current(), -1);
}

TEST(Controls, WhatAScreenReaderTogglesIsClicked) {
  plainTheme();
  SegmentedButtons buttons({"100", "75", "50"});
  buttons.setCurrent(0);
  QSignalSpy chosen(&buttons, &SegmentedButtons::chosen);
  QAccessibleInterface* half = QAccessible::queryAccessibleInterface(buttons.button(2));
  ASSERT_TRUE(half->actionInterface()->actionNames().contains(QAccessibleActionInterface::toggleAction()));
  half->actionInterface()->doAction(QAccessibleActionInterface::toggleAction());
  EXPECT_EQ(buttons.current(), 2);
  EXPECT_EQ(chosen.count(), 1);
  EXPECT_TRUE(half->state().checked);
  buttons.setButtonEnabled(1, false, {});
  QAccessibleInterface* disabled = QAccessible::queryAccessibleInterface(buttons.button(1));
  disabled->actionInterface()->doAction(QAccessibleActionInterface::toggleAction());
  EXPECT_EQ(buttons.current(), 2);

  Switch smooth("Smooth");
  QSignalSpy clicked(&smooth, &Switch::clicked);
  QAccessibleInterface* same = QAccessible::queryAccessibleInterface(&smooth);
  EXPECT_EQ(same->role(), QAccessible::CheckBox);
  EXPECT_EQ(same->text(QAccessible::Name), "Smooth");
  same->actionInterface()->doAction(QAccessibleActionInterface::toggleAction());
  EXPECT_EQ(clicked.count(), 1);
  EXPECT_TRUE(smooth.isChecked());
}

TEST(Controls, AnIconButtonSaysItsNameAndKey) {
  plainTheme();
  const std::unique_ptr<Button> button(makeIconButton("arrow-repeat", "Regenerate", "Ctrl+R"));
  EXPECT_EQ(nameOf(button.get()), "Regenerate");
  EXPECT_EQ(button->toolTip(), "Regenerate (Ctrl+R)");
  EXPECT_EQ(button->sizeHint(), QSize(28, 28));
}

TEST(Controls, AnElidedLabelKeepsItsWholeTextForTooltipAndReaders) {
  plainTheme();
  ElidedLabel label("/home/someone/models/a-long-name/model.safetensors");
  label.resize(80, 20);
  EXPECT_TRUE(label.isElided());
  EXPECT_EQ(nameOf(&label), "/home/someone/models/a-long-name/model.safetensors");
  label.resize(label.sizeHint());
  EXPECT_FALSE(label.isElided());
}

TEST(Controls, AnElidedLabelOfSeveralPartsShowsThoseThatFitWhole) {
  plainTheme();
  ElidedLabel label("Enter sends · F1 help · F6 next pane");
  label.setSeparator(" · ");
  label.resize(label.sizeHint());
  EXPECT_EQ(label.shownText(), label.text());
  label.resize(label.width() - 2, label.height());
  EXPECT_EQ(label.shownText(), "Enter sends · F1 help");
  label.resize(label.fontMetrics().horizontalAdvance("Enter sends · F1"), label.height());
  EXPECT_EQ(label.shownText(), "Enter sends");
  EXPECT_EQ(nameOf(&label), label.text());
}

TEST(Controls, TextOfFilesAndModelsIsNeverRichText) {
  plainTheme();
  Label label("<img src='file:///etc/passwd'>");
  EXPECT_EQ(label.textFormat(), Qt::PlainText);
}

TEST(Controls, AFieldNamesItsControlAndSaysWhatIsWrong) {
  plainTheme();
  auto* edit = new QLineEdit;
  Field field("Map", edit, "Which layers share.");
  EXPECT_EQ(nameOf(edit), "Map");
  EXPECT_EQ(edit->accessibleDescription(), "Which layers share.");
  field.setProblem("Layer 3 reads 9, which comes after it.");
  EXPECT_TRUE(field.hasProblem());
  EXPECT_EQ(edit->accessibleDescription(), "Layer 3 reads 9, which comes after it.");
  field.setProblem({});
  EXPECT_EQ(edit->accessibleDescription(), "Which layers share.");
  EXPECT_EQ(field.maximumWidth(), 480);
}

TEST(Controls, WhatMayNotBeAsWideAsItsPlaceIsAsHighAsItsTextNeeds) {
  plainTheme();
  const QString sentence =
      QString("Which layers keep keys and values of their own, and which read others'. ").repeated(3);
  QWidget window;
  auto* column = new QVBoxLayout(&window);
  auto* label = bodyLabel(sentence);
  label->setMaximumWidth(300);
  auto* field = new Field("Map", new QLineEdit, sentence);
  column->addWidget(label);
  column->addWidget(field);
  window.resize(1200, column->totalHeightForWidth(1200));
  window.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&window));
  EXPECT_EQ(label->width(), 300);
  EXPECT_GE(label->height(), label->heightForWidth(300));
  const auto captions = field->findChildren<Label*>();
  ASSERT_EQ(captions.size(), 2);
  for (const Label* each : captions) {
    EXPECT_GE(each->height(), each->wordWrap() ? each->heightForWidth(each->width()) : each->sizeHint().height());
  }
}

TEST(Controls, SidesCanBeToldApartInGrey) {
  plainTheme();
  SideBadge a(BadgeSide::a);
  SideBadge b(BadgeSide::b);
  a.resize(a.sizeHint());
  b.resize(b.sizeHint());
  const QImage greyA = picture(a).convertToFormat(QImage::Format_Grayscale8).convertToFormat(QImage::Format_RGB32);
  const QImage greyB = picture(b).convertToFormat(QImage::Format_Grayscale8).convertToFormat(QImage::Format_RGB32);
  EXPECT_GT(changedPixels(greyA, greyB), 100);
  EXPECT_EQ(sidePen(BadgeSide::a).style(), Qt::SolidLine);
  EXPECT_EQ(sidePen(BadgeSide::b).style(), Qt::CustomDashLine);
  EXPECT_EQ(nameOf(&a), "Side A");
}

TEST(Controls, MemoryWarnsInWordsFrom80And90Percent) {
  plainTheme();
  EXPECT_EQ(levelOf({}), MemoryLevel::normal);
  EXPECT_EQ(levelOf({79, 0, 0, 100}), MemoryLevel::normal);
  EXPECT_EQ(levelOf({70, 5, 5, 100}), MemoryLevel::high);
  EXPECT_EQ(levelOf({70, 10, 10, 100}), MemoryLevel::full);
  EXPECT_EQ(describe({1LL << 30, 36LL << 20, {}, 16LL << 30}),
            "weights 1.00 GiB, KV 36.0 MiB, other not measured, of 16.0 GiB");
  MemoryBar bar;
  bar.setParts({70, 10, 10, 100});
  EXPECT_TRUE(bar.accessibleName().startsWith("Memory: weights 70 B"));
}

TEST(Controls, EveryIconOfTheListIsDrawnInTheThemesColour) {
  Theme& theme = plainTheme();
  QFile list(QStringLiteral(STRATA_SOURCE_DIR "/resources/icons.txt"));
  ASSERT_TRUE(list.open(QIODevice::ReadOnly));
  int count = 0;
  for (const QByteArray& line : list.readAll().split('\n')) {
    if (line.isEmpty() || line.startsWith('#')) continue;
    const QString name = QString::fromUtf8(line).section(u' ', 0, 0);
    ASSERT_TRUE(hasIcon(name)) << name.toStdString();
    const QImage drawn = icon(name).pixmap(16, 16).toImage();
    int ink = 0;
    for (int y = 0; y < 16; ++y) {
      for (int x = 0; x < 16; ++x) ink += drawn.pixelColor(x, y).alpha() > 96;
    }
    EXPECT_GE(ink, 6) << name.toStdString();
    ++count;
  }
  EXPECT_GE(count, 40);
  const QIcon once = icon("gear");
  const QImage light = once.pixmap(16, 16).toImage();
  theme.setChoice(Theme::Choice::dark);
  EXPECT_NE(once.pixmap(16, 16).toImage(), light);  // an icon once set follows the theme
  plainTheme();
}

TEST(Controls, ANameThatTheListLacksIsNoIcon) {
  EXPECT_FALSE(hasIcon("no-such-icon"));
}

}  // namespace
}  // namespace strata
