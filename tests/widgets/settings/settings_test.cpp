#include <QComboBox>
#include <QLabel>
#include <QListWidget>
#include <QTextBrowser>

#include "shell_fixture.h"
#include "widgets/session/launcher_field.h"
#include "widgets/style/controls.h"

namespace strata {
namespace {

using Settings = Shell;

/// As another window did it before the engine starts.
void putRunIntoTrash(const QTemporaryDir& folder) {
  testing::writeText(folder.filePath("jobs.json").toStdString(),
                     R"({"kept": [], "trash": [{"id": "20261128-101500-aa", "kind": "train", "state": "done",
                         "created": "2026-11-28T10:15:00Z", "title": "base on train.txt", "step": 240, "steps": 240}]})");
}

TEST_F(Settings, ThemeAndTextSizeComeBackAfterARestart) {
  window->showPage("settings");
  child<SegmentedButtons>("theme")->button(2)->click();
  child<SegmentedButtons>("text-size")->button(2)->click();
  EXPECT_TRUE(colors().dark);
  EXPECT_EQ(settings.value("look/theme"), "dark");
  EXPECT_EQ(settings.value("look/text"), 150);
  testTheme().setChoice(Theme::Choice::light);
  testTheme().setTextPercent(100);
  makeWindow();
  restoreTheme(settings, testTheme());
  auto* theme = child<SegmentedButtons>("theme");
  EXPECT_EQ(theme->current(), 2);
  EXPECT_EQ(child<SegmentedButtons>("text-size")->current(), 2);
  EXPECT_TRUE(colors().dark);
}

TEST_F(Settings, TheLanguageIsTheDesktopsUntilOneIsChosen) {
  window->showPage("settings");
  auto* language = child<QComboBox>("language");
  EXPECT_EQ(language->currentText(), "System");
  const int english = language->findText("English");
  ASSERT_GT(english, 0);
  QTest::keyClick(language, Qt::Key_Down);
  EXPECT_EQ(settings.value("look/language").toString(), language->currentData().toString());
  EXPECT_FALSE(settings.value("look/language").toString().isEmpty());
  makeWindow();
  EXPECT_GT(child<QComboBox>("language")->currentIndex(), 0);
}

TEST_F(Settings, TextGrowsAndShrinksByKeys) {
  QTest::keyClick(window.get(), Qt::Key_Plus, Qt::ControlModifier);
  EXPECT_EQ(look().textPercent, 125);
  QTest::keyClick(window.get(), Qt::Key_Minus, Qt::ControlModifier);
  QTest::keyClick(window.get(), Qt::Key_Minus, Qt::ControlModifier);
  EXPECT_EQ(look().textPercent, 100);
  EXPECT_EQ(settings.value("look/text"), 100);
}

TEST_F(Settings, ALauncherIsKept) {
  window->showPage("settings");
  auto* launcher = child<QLineEdit>("launcher");
  EXPECT_FALSE(launcher->isEnabled()) << "there is no project yet";
  startEngine();
  ASSERT_TRUE(eventually([&] { return launcher->isEnabled(); }));
  launcher->setText("mpirun -np 8");
  Q_EMIT launcher->editingFinished();
  EXPECT_TRUE(eventually([&] { return session->project()->launcher == "mpirun -np 8"; }));
  Q_EMIT launcher->editingFinished();
  EXPECT_EQ(requests("project/set_launcher"), 1) << "nothing has changed";
  launcher->setText(QString(2000, 'x'));
  Q_EMIT launcher->editingFinished();
  EXPECT_TRUE(eventually([&] { return child<LauncherField>("launcherField")->hasProblem(); }));
  EXPECT_EQ(session->project()->launcher, "mpirun -np 8");
}

TEST_F(Settings, FoldersOfModelsAreAskedForInTheList) {
  startEngine();
  session->go(Place::setting("folders"));
  child<QPushButton>("add-model-folder")->click();
  QWidget* browser = popup("folder-popup");
  ASSERT_NE(browser, nullptr);
  auto* use = browser->findChild<QPushButton*>("folder-use");
  ASSERT_TRUE(eventually([&] { return use->isEnabled(); }));
  use->click();
  auto* folders = child<QListWidget>("model-folders");
  ASSERT_EQ(folders->count(), 1);
  EXPECT_EQ(folders->item(0)->text(), "/home/ada");
  Json params;
  ASSERT_TRUE(eventually([&] { return requests("models/list", &params) > 0 && params["folders"].size() == 1; }));
  EXPECT_EQ(params["folders"][0], "/home/ada");
  child<QPushButton>("remove-model-folder")->click();
  EXPECT_EQ(folders->count(), 0);
  EXPECT_TRUE(settings.value("models/folders").toStringList().isEmpty());
}

TEST_F(Settings, AChatComesBackFromTheTrash) {
  startEngine();
  window->showPage("settings");
  auto* trash = child<QListWidget>("trash-list");
  ASSERT_TRUE(eventually([&] { return trash->count() == 1; }));
  EXPECT_EQ(trash->item(0)->text(), "Chat: It was late");
  child<QPushButton>("trash-restore")->click();
  Json params;
  ASSERT_TRUE(eventually([&] { return requests("chats/remove", &params) == 1; }));
  EXPECT_EQ(params["how"], "restore");
  EXPECT_EQ(params["id"], "c1");
  EXPECT_TRUE(eventually([&] { return trash->count() == 0; }));
}

TEST_F(Settings, DeletingForGoodTakesTwoPresses) {
  startEngine();
  window->showPage("settings");
  ASSERT_TRUE(eventually([&] { return child<QListWidget>("trash-list")->count() == 1; }));
  auto* remove = child<QPushButton>("trash-delete");
  remove->click();
  QTest::qWait(50);
  EXPECT_EQ(requests("chats/remove"), 0);
  EXPECT_EQ(remove->text(), "Press again: it cannot be undone");
  remove->click();
  Json params;
  ASSERT_TRUE(eventually([&] { return requests("chats/remove", &params) == 1; }));
  EXPECT_EQ(params["how"], "delete");
}

TEST_F(Settings, ARunThatSomeoneElseMovedToTheTrashComesBack) {
  putRunIntoTrash(folder);
  startEngine();
  session->go(Place::setting("trash"));
  auto* trash = child<QListWidget>("trash-list");
  ASSERT_TRUE(eventually([&] { return trash->count() == 2; }));
  EXPECT_TRUE(trash->item(1)->text().startsWith("Run: Train: base on train.txt · 2026-11-2"));
  EXPECT_FALSE(child<QPushButton>("jobs-undo")->isVisibleTo(window.get())) << "it was not moved there here";
  trash->setCurrentRow(1);
  child<QPushButton>("trash-restore")->click();
  ASSERT_TRUE(eventually([&] { return trash->count() == 1 && session->runs().rows().size() == 1; }));
  EXPECT_EQ(session->runs().rows().front().title, "base on train.txt");
}

TEST_F(Settings, ARunIsDeletedForGoodByTwoPressesWhileAnotherGoesOn) {
  putRunIntoTrash(folder);
  startEngine();
  session->go(Place::setting("trash"));
  auto* trash = child<QListWidget>("trash-list");
  ASSERT_TRUE(eventually([&] { return trash->count() == 2; }));
  trash->setCurrentRow(1);
  auto* remove = child<QPushButton>("trash-delete");
  remove->click();
  protocol::JobsChanged news;
  news.jobs.resize(1);
  news.jobs[0].id = "20261128-120000-bb";
  news.jobs[0].alive = true;
  say(news);
  ASSERT_TRUE(eventually([&] { return session->runs().running() != nullptr; }));
  EXPECT_EQ(remove->text(), "Press again: it cannot be undone");
  EXPECT_EQ(requests("jobs/remove"), 0);
  remove->click();
  Json params;
  ASSERT_TRUE(eventually([&] { return requests("jobs/remove", &params) == 1; }));
  EXPECT_EQ(params["how"], "delete");
  EXPECT_TRUE(eventually([&] { return trash->count() == 1; }));
}

TEST_F(Settings, AboutNamesVersionAndLicences) {
  session->go(Place::setting("about"));
  QString texts;
  for (const QLabel* label : window->currentPage()->findChildren<QLabel*>()) texts += label->text() + "\n";
  EXPECT_TRUE(texts.contains("Strata 0.3.0"));
  EXPECT_TRUE(texts.contains("QCustomPlot (GPL-3.0 or later)"));
  auto* licences = child<QTextBrowser>("licences");
  EXPECT_FALSE(licences->isVisible());
  child<QPushButton>("licences-toggle")->click();
  EXPECT_TRUE(licences->isVisible());
  EXPECT_TRUE(licences->toPlainText().contains("The licence."));
}

TEST_F(Settings, CtrlKFindsTheValuesAndSetsThemWhereOneIs) {
  window->showPage("chat");
  const auto run = [&](const QString& text) {
    const std::vector<Findable> all = window->findables();
    const auto found = FindPopup::found(all, text);
    ASSERT_FALSE(found.empty()) << text.toStdString();
    found.front()->run();
  };
  run("dark");
  EXPECT_TRUE(colors().dark);
  EXPECT_EQ(settings.value("look/theme"), "dark");
  run("200 %");
  EXPECT_EQ(look().textPercent, 200);
  EXPECT_EQ(window->currentPage()->id(), "chat");
  EXPECT_EQ(FindPopup::found(window->findables(), "theme").front()->name, "Theme") << "the setting before its values";
}

}  // namespace
}  // namespace strata
