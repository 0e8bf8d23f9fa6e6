// Runs the tests of widgets inside a QApplication, on the screens of screens.json unless QT_QPA_PLATFORM names others.

#include <gtest/gtest.h>

#include <QApplication>

int main(int argc, char** argv) {
  const QByteArray platform = qgetenv("QT_QPA_PLATFORM");
  if (platform.isEmpty() || platform == "offscreen") {
    qputenv("QT_QPA_PLATFORM", "offscreen:configfile=" STRATA_SOURCE_DIR "/tests/support/screens.json");
  }
  testing::InitGoogleTest(&argc, argv);
  const QApplication application(argc, argv);
  return RUN_ALL_TESTS();
}
