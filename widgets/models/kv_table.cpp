#include "widgets/models/kv_table.h"

#include <QGridLayout>
#include <QPainter>
#include <QTimer>
#include <algorithm>
#include <cmath>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

/// A part of the full width.
class ShareBar : public QWidget {
 public:
  ShareBar(double part, QWidget* parent) : QWidget(parent), m_part(part) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    setMinimumWidth(kGapGroups * 4);
  }
  QSize sizeHint() const override { return {kGapGroups * 8, kGapRelated}; }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    QRect bar(0, (height() - kGapRelated) / 2, width(), kGapRelated);
    painter.fillRect(bar, colors().raised);
    bar.setWidth(std::max(1, static_cast<int>(m_part * width())));
    painter.fillRect(bar, colors().series[3]);
  }

 private:
  double m_part;
};

Label* caption(const QString& text, Qt::Alignment alignment, QWidget* parent) {
  Label* label = captionLabel(text, parent);
  label->setWordWrap(false);
  label->setAlignment(alignment | Qt::AlignVCenter);
  return label;
}

}  // namespace

KvTable::KvTable(QWidget* parent) : QWidget(parent), m_grid(new QGridLayout(this)) {
  // Once the labels have taken the new font.
  followTheme(this, [this] { QTimer::singleShot(0, this, &KvTable::fit); });
  setObjectName("kvTable");
  setAccessibleName(tr("KV cache per token, by sharing map"));
  m_grid->setContentsMargins(0, 0, 0, 0);
  m_grid->setHorizontalSpacing(kGapGroups);
  m_grid->setVerticalSpacing(kGapInside);
}

void KvTable::show(const std::vector<MapLibrary::Choice>& maps, std::int64_t kvBytesPerToken) {
  while (QLayoutItem* item = m_grid->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  m_bars.clear();
  m_owners.clear();
  const Qt::Alignment right = Qt::AlignRight, left = Qt::AlignLeft;
  m_grid->addWidget(caption(tr("Cache"), right, this), 0, 0);
  m_owners.push_back(caption(tr("Owners"), right, this));
  m_grid->addWidget(m_owners.back(), 0, 1);
  m_grid->addWidget(caption(tr("Per token"), right, this), 0, 2);
  m_grid->addWidget(caption(tr("Map"), left, this), 0, 4);
  m_grid->setColumnStretch(3, 1);
  int row = 1;
  for (const MapLibrary::Choice& map : maps) {
    const double part = static_cast<double>(map.owners) / map.layers;
    const QString percent = map.percent(), bytes = formatBytes(kvBytesPerToken / map.layers * map.owners);
    const QString text = QString::fromStdString(map.map);
    const auto number = [&](const QString& value, int column) {
      auto* label = new Label(value, TextRole::mono, Tone::normal, this);
      label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
      m_grid->addWidget(label, row, column);
      return label;
    };
    Label* share = number(percent, 0);
    share->setToolTip(tipOf(map.explanation()));
    share->setAccessibleName(tr("%1 of the cache: %2 of %3 layers own, %4 per token, map %5")
                                 .arg(percent, QString::number(map.owners), QString::number(map.layers), bytes, text));
    m_owners.push_back(number(tr("%1 of %2").arg(map.owners).arg(map.layers), 1));
    number(bytes, 2);
    m_bars.push_back(new ShareBar(part, this));
    m_grid->addWidget(m_bars.back(), row, 3);
    // What speaks for the map comes first: a long one is cut off.
    const bool isScored = map.score && map.score->metric == "f1";
    auto* name = new ElidedLabel(
        isScored ? tr("F1 %1 %, %2").arg(QString::number(std::lround(100 * map.score->value)), text) : text,
        TextRole::mono, Tone::second, this);
    name->setMinimumWidth(kGapGroups * 6);
    name->setAccessibleDescription(map.explanation());
    m_grid->addWidget(name, row, 4);
    ++row;
  }
  fit();
}

void KvTable::fit() {
  if (m_bars.empty()) return;
  const auto widest = [](const std::vector<QWidget*>& column) {
    int width = 0;
    for (const QWidget* part : column) width = std::max({width, part->minimumWidth(), part->minimumSizeHint().width()});
    return width;
  };
  const int bars = widest(m_bars) + m_grid->horizontalSpacing(),
            owners = widest(m_owners) + m_grid->horizontalSpacing();
  const bool barsShown = !m_bars.front()->isHidden(), ownersShown = !m_owners.front()->isHidden();
  const int without = m_grid->minimumSize().width() - (barsShown ? bars : 0) - (ownersShown ? owners : 0);
  const bool showOwners = without + owners <= width(), showBars = without + owners + bars <= width();
  // Shown or hidden only where that changes: each time makes the layouts above begin anew.
  if (showBars != barsShown) {
    for (QWidget* bar : m_bars) bar->setVisible(showBars);
  }
  if (showOwners != ownersShown) {
    for (QWidget* owner : m_owners) owner->setVisible(showOwners);
  }
}

void KvTable::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  // Afterwards: showing a widget makes the layouts above begin anew, in the middle of what they do.
  QTimer::singleShot(0, this, &KvTable::fit);
}

}  // namespace strata
