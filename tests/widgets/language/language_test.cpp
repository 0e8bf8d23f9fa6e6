#include "widgets/language/language.h"

#include <gtest/gtest.h>

#include <QCoreApplication>
#include <QRegularExpression>

#include "widgets/language/pseudo_translator.h"

namespace strata {
namespace {

/// As tr() of a class asks.
QString chats(int count) {
  return QCoreApplication::translate("strata::HeldMemory", "%n chat(s)", nullptr, count);
}

class LanguageTest : public ::testing::Test {
 protected:
  void TearDown() override { loadLanguage("en"); }
};

TEST_F(LanguageTest, EnglishHasItsPlurals) {
  EXPECT_EQ(chats(0), "0 chats");
  EXPECT_EQ(chats(1), "1 chat");
  EXPECT_EQ(chats(21), "21 chats");
}

TEST_F(LanguageTest, WhatIsNotTranslatedIsEnglishWithItsPlurals) {
  loadLanguage("tlh");
  EXPECT_EQ(chats(1), "1 chat");
  EXPECT_EQ(chats(2), "2 chats");
}

TEST_F(LanguageTest, ListsEnglishByTheNameThatItsSpeakersUse) {
  EXPECT_TRUE(languages().contains("en"));
  EXPECT_FALSE(languages().contains("pseudo"));
  EXPECT_EQ(languageName("en"), "English");
  EXPECT_EQ(languageName("de"), "Deutsch");
}

TEST_F(LanguageTest, ALanguageTakesThePlaceOfTheOneBefore) {
  loadLanguage("pseudo");
  EXPECT_NE(chats(2), "2 chats");
  loadLanguage("en");
  EXPECT_EQ(chats(2), "2 chats");
}

TEST_F(LanguageTest, PseudoHasPluralsToo) {
  loadLanguage("pseudo");
  EXPECT_EQ(chats(1), "1 " + pseudoText("chat"));
  EXPECT_EQ(chats(2), "2 " + pseudoText("chats"));
}

TEST_F(LanguageTest, PseudoLeavesOthersTextsAlone) {
  loadLanguage("pseudo");
  EXPECT_EQ(QCoreApplication::translate("QShortcut", "Ctrl"), "Ctrl");
}

TEST(PseudoText, IsFortyPercentLongerAndNoLetterOfItGetsLost) {
  for (const QString text : {"Models", "Try again", "Rhythm", "KV", "The engine cannot be started"}) {
    const QString pseudo = pseudoText(text);
    const auto letters = static_cast<double>(text.size() - text.count(' '));
    const auto more = static_cast<double>(pseudo.size() - text.size());
    EXPECT_GE(more, 0.4 * letters - 1e-9) << text.toStdString();
    EXPECT_LE(more, 0.4 * letters + 1) << text.toStdString();
    EXPECT_TRUE(pseudo.contains(QRegularExpression("[^\\x00-\\x7f]"))) << text.toStdString();
  }
}

TEST(PseudoText, KeepsWhatAProgramReads) {
  EXPECT_TRUE(pseudoText("%1 of %L2 and %n").contains(QRegularExpression("^%1 .*%L2 .*%n$")));
  EXPECT_TRUE(pseudoText("see <a href=\"about:it\">this</a> &amp; that").contains("<a href=\"about:it\">"));
  EXPECT_TRUE(pseudoText("A &amp; B").contains("&amp;"));
  EXPECT_TRUE(pseudoText("&Open").startsWith("&O"));
  EXPECT_TRUE(pseudoText("F1 %1 %").startsWith("F1"));
  EXPECT_TRUE(pseudoText("Rename\tF2").endsWith("\tF2"));
  EXPECT_TRUE(pseudoText("Markdown (*.md)").contains("(*.md)"));
}

TEST(PseudoText, LeavesWhatHasNoWordsAsItIs) {
  for (const QString text : {"", "%1 %", ", ", "%1: %2", "1 %", "×"}) EXPECT_EQ(pseudoText(text), text);
}

}  // namespace
}  // namespace strata
