// Runs the tests of widgets inside a QApplication, in English, on the screens of screens.json unless QT_QPA_PLATFORM
// names others.

#include <gtest/gtest.h>

#include <QApplication>

#include "widgets/language/language.h"

int main(int argc, char** argv) {
  const QByteArray platform = qgetenv("QT_QPA_PLATFORM");
  if (platform.isEmpty() || platform == "offscreen") {
    qputenv("QT_QPA_PLATFORM", "offscreen:configfile=" STRATA_SOURCE_DIR "/tests/support/screens.json");
  }
  testing::InitGoogleTest(&argc, argv);
  const QApplication application(argc, argv);
  strata::loadLanguage("en");
  return RUN_ALL_TESTS();
}
