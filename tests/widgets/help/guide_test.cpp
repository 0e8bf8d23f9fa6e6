// The guide as it is shipped: every link and picture leads somewhere, and the pages can be searched.

#include "widgets/help/guide.h"

#include <gtest/gtest.h>

#include <QDir>
#include <QFile>
#include <QImage>
#include <QRegularExpression>

#include "support.h"

namespace strata::testing {
namespace {

QString sources() {
  return QString::fromStdString((sourceFolder() / "resources/guide").string());
}

QStringList headingsOf(const QString& markdown) {
  static const QRegularExpression mark("^#+ (.+)$", QRegularExpression::MultilineOption);
  QStringList anchors;
  for (auto match = mark.globalMatch(markdown); match.hasNext();) {
    anchors << Guide::anchorOf(match.next().captured(1).remove('`'));
  }
  return anchors;
}

/// Without code, in which brackets are no links.
QString proseOf(const QString& markdown) {
  static const QRegularExpression fence("```.*?```", QRegularExpression::DotMatchesEverythingOption), code("`[^`]*`");
  return QString(markdown).remove(fence).remove(code);
}

QStringList linksOf(const QString& markdown) {
  static const QRegularExpression link("\\]\\(([^)]+)\\)");
  QStringList all;
  const QString prose = proseOf(markdown);
  for (auto match = link.globalMatch(prose); match.hasNext();) all << match.next().captured(1);
  return all;
}

TEST(Guide, IsCompiledInWholeAndListsEachPageInItsContents) {
  const Guide files(sources());
  ASSERT_EQ(files.pages().size(), Guide::shipped().pages().size());
  for (std::size_t i = 0; i < files.pages().size(); ++i) {
    EXPECT_EQ(files.pages()[i].markdown, Guide::shipped().pages()[i].markdown) << files.pages()[i].id.toStdString();
    EXPECT_FALSE(files.pages()[i].title.isEmpty()) << files.pages()[i].id.toStdString();
  }
  for (const QString& file : QDir(sources()).entryList({"*.md"})) {
    EXPECT_NE(files.find(file.chopped(3)), nullptr) << file.toStdString() << " is not in README.md";
  }
}

TEST(Guide, EveryLinkAndPictureLeadsSomewhere) {
  const Guide& guide = Guide::shipped();
  for (const GuidePage& page : guide.pages()) {
    for (const QString& link : linksOf(page.markdown)) {
      const std::string where = (page.id + ": " + link).toStdString();
      if (link.startsWith("https://")) continue;
      if (link.endsWith(".png")) {
        EXPECT_FALSE(QImage(":/guide/" + link).isNull()) << where;
        EXPECT_FALSE(QImage(":/guide/" + QString(link).replace(".png", "-dark.png")).isNull()) << where;
        continue;
      }
      QString id = link.section('#', 0, 0);
      EXPECT_TRUE(id.isEmpty() || id.endsWith(".md")) << where;
      const GuidePage* target = id.isEmpty() ? &page : guide.find(id.chopped(3));
      ASSERT_NE(target, nullptr) << where;
      const QString anchor = link.section('#', 1);
      EXPECT_TRUE(anchor.isEmpty() || headingsOf(target->markdown).contains(anchor)) << where;
    }
  }
}

TEST(Guide, ItsPicturesAreShownAndSmall) {
  qint64 all = 0;
  QString text;
  for (const GuidePage& page : Guide::shipped().pages()) text += page.markdown;
  for (const QFileInfo& file : QDir(sources() + "/pictures").entryInfoList({"*.png"})) {
    EXPECT_LT(file.size(), 150'000) << file.fileName().toStdString();
    all += file.size();
    EXPECT_TRUE(text.contains("pictures/" + file.fileName().remove("-dark"))) << file.fileName().toStdString();
  }
  EXPECT_LT(all, 1'500'000);
}

TEST(Guide, APageOfTheWindowHasItsOwnAndOthersGetTheContents) {
  EXPECT_EQ(Guide::shipped().pageFor("train"), "train");
  EXPECT_EQ(Guide::shipped().pageFor("no such page"), kGuideContents);
  EXPECT_EQ(Guide::shipped().pages().front().id, kGuideContents);
}

TEST(Guide, IsSearchedForAllOfTheWordsHeadingsFirst) {
  const Guide& guide = Guide::shipped();
  const std::vector<GuideHit> hits = guide.search("out of memory");
  ASSERT_FALSE(hits.empty());
  EXPECT_TRUE(hits.front().heading.contains("memory", Qt::CaseInsensitive)) << hits.front().heading.toStdString();
  EXPECT_NE(guide.find(hits.front().page), nullptr);
  for (const GuideHit& hit : guide.search("vllm")) EXPECT_FALSE(hit.excerpt.contains('`'));
  EXPECT_FALSE(guide.search("RETENTION").empty());
  EXPECT_TRUE(guide.search("no page has these words xyzzy").empty());
  EXPECT_TRUE(guide.search("  ").empty());
}

TEST(Guide, AnchorsAreThoseOfGitHub) {
  EXPECT_EQ(Guide::anchorOf("Out of memory"), "out-of-memory");
  EXPECT_EQ(Guide::anchorOf("What is p_cross?"), "what-is-p_cross");
}

}  // namespace
}  // namespace strata::testing
