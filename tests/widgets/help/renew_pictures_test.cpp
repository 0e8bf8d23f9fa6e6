// Makes the guide's pictures from the screenshots that the tests of the pages wrote: see renew_pictures. Without
// STRATA_RENEW_GUIDE nothing is written.

#include <gtest/gtest.h>

#include <QDir>
#include <QHash>
#include <QImage>
#include <algorithm>

#include "support.h"

namespace strata::testing {
namespace {

struct Picture {
  const char *name, *screenshot;
  QRect part;  // of 1280 x 800
};

/// The page without the stand-ins for rail and strips.
constexpr QRect kPage(72, 0, 1208, 744), kWhole(0, 0, 1280, 800);

const Picture kPictures[] = {
    {"models", "models_working_%1_1280x800", kPage}, {"data", "data_working_%1_1280x800", kPage},
    {"train", "train_step_2_%1_1280x800", kPage},    {"map", "map_12_%1_1280x800", kPage},
    {"chat", "chat_working_%1_1280x800", kWhole},    {"evaluate", "evaluate_results_%1_1280x800", kPage},
    {"reports", "reports_plain_%1_1280x800", kPage}, {"settings", "settings-1280-%1", kPage},
};

/// The colours that most pixels have, at most 256: a picture of a window has few more.
QList<QRgb> coloursOf(const QImage& image) {
  QHash<QRgb, int> counts;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) ++counts[image.pixel(x, y)];
  }
  QList<QRgb> colours = counts.keys();
  std::sort(colours.begin(), colours.end(),
            [&](QRgb a, QRgb b) { return counts[a] != counts[b] ? counts[a] > counts[b] : a < b; });
  return colours.mid(0, 256);
}

TEST(GuidePictures, AreRenewedFromTheScreenshots) {
  if (!qEnvironmentVariableIsSet("STRATA_RENEW_GUIDE")) GTEST_SKIP() << "tests/widgets/help/renew_pictures runs it";
  const QDir from(STRATA_BINARY_DIR "/screenshots"), to(STRATA_SOURCE_DIR "/resources/guide/pictures");
  for (const Picture& picture : kPictures) {
    for (const bool dark : {false, true}) {
      const QString file = from.filePath(QString(picture.screenshot).arg(dark ? "dark" : "light") + ".png");
      QImage image(file);
      ASSERT_FALSE(image.isNull()) << file.toStdString();
      image = image.copy(picture.part.intersected(image.rect())).convertToFormat(QImage::Format_RGB32);
      image = image.convertToFormat(QImage::Format_Indexed8, coloursOf(image), Qt::ThresholdDither | Qt::AvoidDither);
      const QString name = QString(picture.name) + (dark ? "-dark.png" : ".png");
      ASSERT_TRUE(image.save(to.filePath(name), "PNG", 0)) << name.toStdString();
    }
  }
}

}  // namespace
}  // namespace strata::testing
