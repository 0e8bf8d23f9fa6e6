#include <QLockFile>
#include <QSettings>

#include "loop_probe.h"
#include "shell_fixture.h"

namespace strata {
namespace {

/// Makes whoever writes a settings file wait, as a slow disk would: QSettings takes this lock for each write.
class SlowDisk {
 public:
  explicit SlowDisk(const QString& file) : m_lock(file + ".lock") { EXPECT_TRUE(m_lock.tryLock(0)); }

 private:
  QLockFile m_lock;
};

class SettingsFile : public ::testing::Test {
 protected:
  QString path() const { return m_folder.filePath("settings.ini"); }
  /// What the file says, read apart from the writer, whose memory QSettings shares within a process.
  QVariant written(const QString& key, const QString& file = {}) const {
    const QString copy = m_folder.filePath("copy.ini");
    QFile::remove(copy);
    QFile::copy(file.isEmpty() ? path() : file, copy);
    return QSettings(copy, QSettings::IniFormat).value(key);
  }
  QTemporaryDir m_folder;
};

TEST_F(SettingsFile, IsWrittenAMomentAfterAChange) {
  Settings settings(path());
  settings.setValue("chat/draft", "half a thought");
  EXPECT_EQ(settings.value("chat/draft").toString(), "half a thought");
  EXPECT_TRUE(eventually([&] { return written("chat/draft") == "half a thought"; }));
}

TEST_F(SettingsFile, HoldsEverythingAtTheEnd) {
  {
    Settings settings(path());
    for (int i = 0; i < 100; ++i) settings.setValue("number", i);
    settings.setValue("columns", QVariantMap{{"prompt", "ask"}});
    settings.setValue("gone/one", 1);
    settings.remove("gone");
  }
  Settings again(path());
  EXPECT_EQ(again.value("number").toInt(), 99);
  EXPECT_EQ(again.value("columns").toMap().value("prompt").toString(), "ask");
  EXPECT_FALSE(again.contains("gone/one"));
  EXPECT_EQ(again.value("gone/one", "nothing").toString(), "nothing");
}

TEST_F(SettingsFile, WhatIsSetWhileAWriteIsUnderWayIsWrittenToo) {
  {
    Settings settings(path());
    {
      const SlowDisk slow(path());
      settings.setValue("first", 1);
      QTest::qWait(150);  // the write of it waits by now
      settings.setValue("second", 2);
    }
  }
  EXPECT_EQ(written("first").toInt(), 1);
  EXPECT_EQ(written("second").toInt(), 2);
}

TEST_F(SettingsFile, KeepsWhatAnotherWindowWrote) {
  Settings settings(path());
  settings.setValue("mine", 1);
  ASSERT_TRUE(eventually([&] { return written("mine") == 1; }));
  QFile file(path());  // not by QSettings, which would share its memory with the writer in this process
  ASSERT_TRUE(file.open(QIODevice::Append));
  file.write("[other]\nwindow=2\n");
  file.close();
  settings.setValue("mine", 3);
  EXPECT_TRUE(eventually([&] { return settings.value("other/window").toInt() == 2; }));
  EXPECT_EQ(settings.value("mine").toInt(), 3);
  EXPECT_EQ(written("other/window").toInt(), 2);
}

TEST_F(SettingsFile, ThatCannotBeWrittenIsSaidOnceAndWrittenWhenItCanBe) {
  const QString inTheWay = m_folder.filePath("folder"), file = inTheWay + "/settings.ini";
  ASSERT_TRUE(QFile(inTheWay).open(QIODevice::WriteOnly));  // a file where the folder would be
  {
    Settings settings(file);
    QStringList said;
    QObject::connect(&settings, &Settings::failed, [&](const QString& sentence) { said << sentence; });
    settings.setValue("one", 1);
    ASSERT_TRUE(eventually([&] { return !said.isEmpty(); }));
    EXPECT_TRUE(said.first().contains(file)) << qPrintable(said.first());
    EXPECT_EQ(settings.value("one").toInt(), 1);
    settings.setValue("two", 2);
    QTest::qWait(200);
    EXPECT_EQ(said.size(), 1);
    ASSERT_TRUE(QFile::remove(inTheWay));
  }
  EXPECT_EQ(written("one", file).toInt(), 1);
  EXPECT_EQ(written("two", file).toInt(), 2);
}

using SlowSettings = Shell;

TEST_F(SlowSettings, NeverHoldTheWindow) {
  startEngine();
  auto slow = std::make_unique<SlowDisk>(settings.fileName());
  testing::LoopProbe probe;
  window->resize(1100, 700);
  for (const char* page : {"models", "data", "chat"}) {
    window->showPage(page);
    QTest::qWait(150);  // geometry and page are written meanwhile, or would be
  }
  EXPECT_LE(probe.worst(), testing::mostMilliseconds());
  slow.reset();
  EXPECT_TRUE(eventually([&] {
    QFile file(settings.fileName());
    return file.open(QIODevice::ReadOnly) && file.readAll().contains("geometry=");
  }));
}

}  // namespace
}  // namespace strata
