// Four linked plots of 1,000,000 points each, zoomed and panned on the offscreen platform: frames a second, what a
// frame of all four costs on one core, and the longest turn of the event loop.
//
//   cmake --build build/release --target plots_bench && build/release/bin/plots_bench [points] [width] [height]

#include <QApplication>
#include <QElapsedTimer>
#include <QGridLayout>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <random>
#include <vector>

#include "loop_probe.h"
#include "widgets/plots/plot_link.h"
#include "widgets/plots/series_plot.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kFrames = 90;

PlotColumns noisyCurve(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> jitter(0, 0.2);
  PlotColumns columns;
  for (std::size_t i = 1; i <= count; ++i) {
    const auto step = static_cast<double>(i);
    columns.step.push_back(step);
    columns.tokens.push_back(step * 8192);
    columns.seconds.push_back(step * 0.02);
    columns.value.push_back(2 + 4 * std::exp(-6 * step / static_cast<double>(count)) + jitter(random));
  }
  return columns;
}

double cpuMilliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

class Page {
 public:
  Page(std::size_t points, QSize size) {
    auto* grid = new QGridLayout(&m_page);
    for (int i = 0; i < 4; ++i) {
      auto* plot = new SeriesPlot(QStringLiteral("Plot %1").arg(i + 1));
      plot->setLink(&m_link);
      plot->setSeries(QStringLiteral("a"), {.name = QStringLiteral("training"), .slot = i, .live = true},
                      noisyCurve(points, static_cast<unsigned>(i)));
      grid->addWidget(plot, i / 2, i % 2);
      m_plots.push_back(plot);
      QObject::connect(plot, &PlotFrame::drawn, &m_page, [this, i] { m_drawn[static_cast<std::size_t>(i)] = true; });
    }
    m_page.resize(size);
    m_page.show();
    waitForFrame();
  }

  PlotLink& link() { return m_link; }
  const std::vector<SeriesPlot*>& plots() const { return m_plots; }

  /// `act` for each frame; the next one begins once all four have drawn it and are painted.
  void measure(const char* what, const std::function<void(int frame)>& act) {
    testing::LoopProbe probe;
    QElapsedTimer wall;
    wall.start();
    const double before = cpuMilliseconds();
    for (int frame = 0; frame < kFrames; ++frame) {
      m_drawn.fill(false);
      act(frame);
      waitForFrame();
    }
    const double cpu = (cpuMilliseconds() - before) / kFrames;
    std::printf("%-34s %5.1f frames/s shown; %5.2f ms of a core a frame = %4.0f frames/s; longest turn %lld ms\n", what,
                kFrames * 1e3 / static_cast<double>(wall.elapsed()), cpu, 1e3 / cpu,
                static_cast<long long>(probe.worst()));
    std::fflush(stdout);
  }

 private:
  void waitForFrame() {
    const auto drawn = [this] { return std::all_of(m_drawn.begin(), m_drawn.end(), [](bool one) { return one; }); };
    while (!drawn()) QCoreApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents);
    QCoreApplication::processEvents();  // what was drawn is painted
  }

  PlotLink m_link;
  QWidget m_page;
  std::vector<SeriesPlot*> m_plots;
  std::array<bool, 4> m_drawn{};
};

void zoomAndPan(Page& page, const std::string& how) {
  PlotLink& link = page.link();
  page.measure((how + "zoom in").c_str(), [&](int) { link.zoom(0.9, link.whole().to * 0.37); });
  page.measure((how + "zoom out").c_str(), [&](int frame) {
    link.zoom(1 / 0.9, link.whole().to * 0.37);
    if (link.isWhole()) link.setRange({frame * 1.0, link.whole().to});
  });
  link.reset();
  link.zoom(0.5, link.whole().to / 2);
  page.measure((how + "pan").c_str(), [&](int frame) { link.pan(frame % 60 < 30 ? 0.01 : -0.01); });
  link.reset();
}

}  // namespace
}  // namespace strata

int main(int argc, char** argv) {
  using namespace strata;
  qputenv("QT_QPA_PLATFORM", "offscreen");
  QApplication application(argc, argv);
  Theme theme(application);
  const auto argument = [&](int at, int otherwise) { return argc > at ? std::atoi(argv[at]) : otherwise; };
  const int points = argument(1, 1'000'000);
  const QSize size(argument(2, 1280), argument(3, 800));
  Page page(static_cast<std::size_t>(points), size);
  std::printf("4 linked plots x %d points, %d x %d; repaints are held at 30 a second\n", points, size.width(),
              size.height());
  zoomAndPan(page, "raw: ");
  page.measure("one smoothing set in all four", [&](int frame) {
    for (SeriesPlot* plot : page.plots()) plot->setSmoothing(frame % 2 == 0 ? 0.9 : 0.99);
  });
  zoomAndPan(page, "smoothed 0.99: ");
  for (SeriesPlot* plot : page.plots()) plot->setLogScale(true);
  zoomAndPan(page, "smoothed, log: ");
  for (SeriesPlot* plot : page.plots()) plot->setLogScale(false);
  for (SeriesPlot* plot : page.plots()) plot->setIgnoreOutliers(true);
  zoomAndPan(page, "smoothed, outliers ignored: ");
  double step = points;
  page.measure("100 points appended to each", [&](int) {
    for (int i = 0; i < 100; ++i) {
      step += 1;
      for (SeriesPlot* plot : page.plots()) {
        plot->append(QStringLiteral("a"),
                     {.step = {step}, .tokens = {step * 8192}, .seconds = {step * 0.02}, .value = {2}});
      }
    }
  });
  page.plots()[0]->setTableShown(true);
  page.measure("a point appended, one as a table", [&](int) {
    for (SeriesPlot* plot : page.plots()) {
      step += 1;
      plot->append(QStringLiteral("a"),
                   {.step = {step}, .tokens = {step * 8192}, .seconds = {step * 0.02}, .value = {2}});
    }
  });
  page.plots()[0]->setTableShown(false);
  page.measure("crosshair moved", [&](int frame) {
    page.link().setCrosshair(step * frame / kFrames, page.plots()[0]);
    for (SeriesPlot* plot : page.plots()) plot->setEmptyText({});
  });
  return 0;
}
