// Training that cannot go on: weights that overflow, a full disk, memory that runs out. The page says why, what is good
// is kept, and the run goes on where the cause is gone.

#include <QLineEdit>
#include <QTreeView>
#include <fstream>

#include "real_window.h"
#include "small_disk.h"
#include "widgets/plots/series_plot.h"

namespace strata {
namespace {

class FailingRun : public ::testing::Test {
 protected:
  void open(const EngineClient::Command& command = {QStringLiteral(STRATA_BINARY_DIR "/bin/strata"), {"engine"}}) {
    window.emplace(folders, command);
    ASSERT_TRUE(window->isReady()) << window->engine.log().toStdString();
    QTest::mouseClick(button("rail-train"), Qt::LeftButton);
    ASSERT_TRUE(startable()) << label("runSummary").toStdString() << label("startNote").toStdString();
  }
  QAbstractButton* button(const char* name) const { return window->find<QAbstractButton>(name); }
  QString label(const char* name) const { return window->find<QLabel>(name)->text(); }
  bool startable() const {
    return until([&] { return button("startRun")->isVisible() && button("startRun")->isEnabled(); });
  }
  void set(const char* field, const QString& value) {
    auto* line = window->find<QLineEdit>(field);
    ASSERT_NE(line, nullptr) << field;
    line->setText(value);
    Q_EMIT line->textEdited(value);
    Q_EMIT line->editingFinished();
  }
  void start() {
    ASSERT_TRUE(startable()) << label("runSummary").toStdString() << label("startNote").toStdString();
    QTest::mouseClick(button("startRun"), Qt::LeftButton);
  }
  std::size_t points() const {
    const auto* plot = window->find<SeriesPlot>("lossPlot");
    return plot->series().isEmpty() ? 0 : plot->data(plot->series().first())->size();
  }
  /// The run is paused and its reason holds `words`, on the page and among the notices.
  void expectPaused(const QString& words) {
    ASSERT_TRUE(until([&] { return label("runStatus") == "paused" || label("runStatus") == "failed"; }, 4 * kPatience))
        << label("runStatus").toStdString() << label("runProblem").toStdString();
    EXPECT_EQ(label("runStatus"), "paused");
    EXPECT_TRUE(until([&] { return label("runMessage").contains(words); })) << label("runMessage").toStdString();
    EXPECT_TRUE(window->find<QLabel>("runMessage")->isVisible());
  }
  void resumeUntilDone() {
    ASSERT_TRUE(until([&] { return button("resumeRun")->isVisible() && button("resumeRun")->isEnabled(); }));
    QTest::mouseClick(button("resumeRun"), Qt::LeftButton);
    ASSERT_TRUE(until([&] { return label("runStatus") == "done"; }, 4 * kPatience))
        << label("runStatus").toStdString() << label("runMessage").toStdString() << label("runProblem").toStdString();
  }

  OwnFolders folders;
  std::optional<RealWindow> window;
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
  set("model-text", model);
  set("steps", "12");
  start();
  expectPaused("finite");
  window->screenshot("train_journey_not_finite");
}

TEST_F(FailingRun, OnAFullDiskIsPausedWithItsCheckpointAndGoesOnOnceThereIsRoom) {
  const testing::SmallDisk disk("400M");
  STRATA_NEEDS(disk);
  qputenv("XDG_DATA_HOME", disk.path().c_str());
  open();
  set("steps", "60");
  set("save-every", "4");
  start();
  ASSERT_TRUE(until([&] { return points() >= 6; }, 2 * kPatience))
      << label("startNote").toStdString() << label("runProblem").toStdString();
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
  EXPECT_TRUE(until([&] { return points() == 60; })) << points() << ": each step once";
  window.reset();  // it writes to the disk
}

TEST_F(FailingRun, WithoutMemoryIsPausedAndGoesOnWithASmallerMicroBatch) {
  open({QStringLiteral("sh"), {"-c", "ulimit -v 3000000; exec \"$0\" engine", STRATA_BINARY_DIR "/bin/strata"}});
  set("steps", "2");
  set("batch", "128");  // two groups
  set("micro-batch", "64");
  set("length", "512");
  start();
  expectPaused("memory");
  window->screenshot("train_journey_no_memory");
}

}  // namespace
}  // namespace strata
