// Training that cannot go on: weights that overflow, a full disk, memory that runs out. The page says why, what is good
// is kept, and the run goes on where the cause is gone.

#include <fstream>

#include "small_disk.h"
#include "train_steps.h"

namespace strata {
namespace {

class FailingRun : public ::testing::Test {
 protected:
  void open(const EngineClient::Command& command = {QStringLiteral(STRATA_BINARY_DIR "/bin/strata"), {"engine"}}) {
    window.emplace(folders, command);
    ASSERT_TRUE(window->isReady()) << window->engine.log().toStdString();
    page.emplace(*window);
    page->open();
  }
  /// The run is paused and its reason holds `words`, on the page and among the notices.
  void expectPaused(const QString& words) {
    ASSERT_TRUE(page->ends("paused"));
    const auto* message = window->find<QLabel>("runMessage");
    EXPECT_TRUE(until([&] { return message->text().contains(words); })) << page->problems();
    EXPECT_TRUE(message->isVisible());
  }
  void resumeUntilDone() {
    ASSERT_TRUE(
        until([&] { return page->button("resumeRun")->isVisible() && page->button("resumeRun")->isEnabled(); }));
    page->click("resumeRun");
    ASSERT_TRUE(page->ends("done"));
  }

  OwnFolders folders;
  std::optional<RealWindow> window;
  std::optional<TrainSteps> page;
};

/// A copy of a sample model whose last norm overflows: its bytes are those of the largest floats.
void copyOverflowing(const QString& from, const QString& to) {
  QDir().mkpath(to);
  for (const QString& name : QDir(from).entryList(QDir::Files)) {
    ASSERT_TRUE(QFile::copy(from + '/' + name, to + '/' + name));
    QFile::setPermissions(to + '/' + name, QFile::ReadOwner | QFile::WriteOwner);
  }
  QFile file(to + "/model.safetensors");
  ASSERT_TRUE(file.open(QIODevice::ReadWrite));
  quint64 header = 0;  // little-endian, as this machine is
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  const Json tensors = Json::parse(file.read(static_cast<qint64>(header)).toStdString());
  const Json& norm = tensors.at("model.norm.weight");
  const auto begin = norm.at("data_offsets").at(0).get<qint64>(), end = norm.at("data_offsets").at(1).get<qint64>();
  ASSERT_TRUE(file.seek(8 + static_cast<qint64>(header) + begin));
  const QByteArray largest = norm.at("dtype") == "F32" ? QByteArray("\xff\xff\x7f\x7f", 4) : QByteArray("\x7f\x7f", 2);
  file.write(largest.repeated(static_cast<int>((end - begin) / largest.size())));
}

TEST_F(FailingRun, WithoutAFiniteLossIsPausedAndSaysSo) {
  const QString model = folders.path("overflowing");
  copyOverflowing(QStringLiteral(STRATA_SOURCE_DIR "/resources/models/sample-base"), model);
  open();
  page->fill(WizardStep::data, "model-text", model);
  page->fill(WizardStep::budget, "steps", "12");
  page->start();
  expectPaused("finite");
  window->screenshot("train_journey_not_finite");
}

TEST_F(FailingRun, OnAFullDiskIsPausedWithItsCheckpointAndGoesOnOnceThereIsRoom) {
  const testing::SmallDisk disk("400M");
  STRATA_NEEDS(disk);
  qputenv("XDG_DATA_HOME", disk.path().c_str());
  open();
  page->fill(WizardStep::budget, "steps", "60");
  page->fill(WizardStep::review, "save-every", "4");
  page->start();
  ASSERT_TRUE(until([&] { return page->points("lossPlot") >= 6; }, 2 * kPatience)) << page->problems();
  const std::filesystem::path filler = disk.path() / "filler";
  {
    std::ofstream file(filler, std::ios::binary);
    const std::string block(64 << 10, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  expectPaused("space");
  window->screenshot("train_journey_full_disk");
  std::filesystem::remove(filler);
  resumeUntilDone();
  EXPECT_TRUE(until([&] { return page->points("lossPlot") == 60; })) << page->points("lossPlot") << ": each step once";
  window.reset();  // it writes to the disk
}

TEST_F(FailingRun, WithoutMemoryIsPausedAndGoesOnWithASmallerMicroBatch) {
  open({QStringLiteral("sh"), {"-c", "ulimit -v 3000000; exec \"$0\" engine", STRATA_BINARY_DIR "/bin/strata"}});
  page->fill(WizardStep::budget, "steps", "2");
  page->fill(WizardStep::budget, "batch", "128");  // two groups
  page->fill(WizardStep::budget, "micro-batch", "64");
  page->fill(WizardStep::budget, "length", "512");
  page->start();
  expectPaused("memory");
  window->screenshot("train_journey_no_memory");
}

}  // namespace
}  // namespace strata
