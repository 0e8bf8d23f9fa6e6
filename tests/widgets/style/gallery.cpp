#include "gallery.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHeaderView>
#include <QListWidget>
#include <QMenu>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QRadioButton>
#include <QSlider>
#include <QSpinBox>
#include <QSplitter>
#include <QTableWidget>
#include <QToolButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

QHBoxLayout* row(std::initializer_list<QWidget*> widgets, int gap = kGapRelated) {
  auto* line = new QHBoxLayout;
  line->setSpacing(gap);
  for (QWidget* widget : widgets) line->addWidget(widget);
  line->addStretch(1);
  return line;
}

QVBoxLayout* column(QWidget* parent) {
  auto* lines = new QVBoxLayout(parent);
  lines->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  lines->setSpacing(kGapGroups);
  return lines;
}

QWidget* off(QWidget* widget) {
  widget->setEnabled(false);
  return widget;
}

void addButtons(QVBoxLayout& lines) {
  auto* withIcon = makeButton("New chat");
  withIcon->setIcon(icon("plus-lg"));
  auto* withMenu = makeButton("Export");
  withMenu->setMenu(new QMenu(withMenu));
  auto* accentIcon = makeButton("Send", ButtonKind::accent);
  accentIcon->setIcon(icon("send"));
  lines.addLayout(row({makeButton("Plain"), makeButton("Send", ButtonKind::accent), accentIcon, withIcon, withMenu,
                       makeButton("Delete", ButtonKind::danger), makeButton("Quiet", ButtonKind::quiet),
                       makeButton("Open the sample", ButtonKind::link)}));
  auto* compact = makeButton("Compact");
  compact->setCompact(true);
  auto* pressed = makeIconButton("link-45deg", "Scroll together");
  pressed->setCheckable(true);
  pressed->setChecked(true);
  lines.addLayout(row({makeIconButton("arrow-repeat", "Regenerate", "Ctrl+R"), makeIconButton("copy", "Copy"),
                       makeIconButton("pencil", "Edit"), pressed, off(makeIconButton("trash", "Delete")), compact,
                       off(makeButton("Off")), off(makeButton("Send", ButtonKind::accent)),
                       off(makeButton("Quiet", ButtonKind::quiet))}));
}

void addChoices(QVBoxLayout& lines) {
  auto* retentions = new SegmentedButtons({"100", "75", "50", "33", "25 %"});
  retentions->setCurrent(2);
  retentions->setButtonEnabled(3, false, "5 layers have no map of 33 %");
  auto* compact = new SegmentedButtons({"List", "Table"});
  compact->setCompact(true);
  compact->setCurrent(0);
  auto* on = new Switch("Serve");
  on->setChecked(true);
  lines.addLayout(row({retentions, compact, new Switch("Serve"), on, off(new Switch("Off"))}, kGapGroups));
  auto* checked = new QCheckBox("Same seed");
  checked->setChecked(true);
  auto* partly = new QCheckBox("Some layers");
  partly->setTristate();
  partly->setCheckState(Qt::PartiallyChecked);
  auto* radio = new QRadioButton("Greedy");
  radio->setChecked(true);
  auto* ring = new QWidget;
  auto* ringRow = new QHBoxLayout(ring);
  ringRow->addWidget(radio);
  ringRow->addWidget(new QRadioButton("Sampled"));
  auto* offChecked = new QCheckBox("Off");
  offChecked->setChecked(true);
  offChecked->setEnabled(false);
  lines.addLayout(row({new QCheckBox("Time them"), checked, partly, offChecked, ring}, kGapGroups));
}

void addFields(QVBoxLayout& lines) {
  auto* seed = new QLineEdit("42");
  auto* path = new QLineEdit;
  path->setPlaceholderText("/models/Qwen3-4B");
  auto* wrong = new Field("Map", new QLineEdit("0,0,2,9"));
  wrong->setProblem("Layer 3 reads 9, which comes after it; a layer reads only earlier ones.");
  auto* combo = new QComboBox;
  combo->addItems({"routed · retention:.5", "base · full"});
  auto* editable = new QComboBox;
  editable->setEditable(true);
  editable->addItem("stride:4");
  auto* spin = new QDoubleSpinBox;
  spin->setValue(0.8);
  auto* slider = new QSlider(Qt::Horizontal);
  slider->setValue(40);
  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(kGapGroups);
  grid->setVerticalSpacing(kGapGroups);
  grid->addWidget(new Field("Seed", seed, "The same seed gives both sides the same draws."), 0, 0);
  grid->addWidget(new Field("Model folder", path, "A Hugging Face folder, or a run."), 0, 1);
  grid->addWidget(wrong, 0, 2);
  grid->addWidget(new Field("Side B", combo), 1, 0);
  grid->addWidget(new Field("Sharing map", editable), 1, 1);
  grid->addWidget(new Field("Temperature", spin), 1, 2);
  grid->addWidget(off(new Field("Top k", new QLineEdit("40"))), 2, 0);
  grid->addWidget(off(new Field("Device",
                                [] {
                                  auto* box = new QComboBox;
                                  box->addItem("cpu");
                                  return box;
                                }())),
                  2, 1);
  grid->addWidget(new Field("Top p", slider), 2, 2);
  lines.addLayout(grid);
}

void addFigures(QVBoxLayout& lines) {
  constexpr std::int64_t kGiB = 1LL << 30;
  auto* low = new MemoryBar;
  low->setParts({3 * kGiB, kGiB, kGiB / 2, 16 * kGiB});
  auto* high = new MemoryBar;
  high->setParts({10 * kGiB, 3 * kGiB, kGiB / 4, 16 * kGiB});
  auto* full = new MemoryBar;
  full->setParts({11 * kGiB, 3 * kGiB, kGiB, 16 * kGiB});
  full->setLegendShown(true);
  auto* unknown = new MemoryBar;
  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(kGapGroups);
  grid->setVerticalSpacing(kGapRelated);
  grid->addWidget(low, 0, 0);
  grid->addWidget(high, 0, 1);
  grid->addWidget(full, 1, 0);
  grid->addWidget(unknown, 1, 1, Qt::AlignTop);
  lines.addLayout(grid);
  auto* half = new QProgressBar;
  half->setValue(42);
  auto* bare = new QProgressBar;
  bare->setValue(70);
  bare->setTextVisible(false);
  auto* elided = new ElidedLabel("/home/someone/models/a-rather-long-folder-name/Qwen3-4B-Instruct/model.safetensors",
                                 TextRole::mono);
  elided->setElideMode(Qt::ElideMiddle);
  elided->setMaximumWidth(scaled(220));
  auto* figures = new QHBoxLayout;
  figures->setSpacing(kGapGroups);
  figures->addWidget(half, 1);
  figures->addWidget(bare, 1);
  figures->addWidget(elided, 1);
  lines.addLayout(figures);
}

}  // namespace

QWidget* controlsSheet() {
  auto* sheet = new Pane(Ground::window);
  auto* lines = column(sheet);
  auto* heads =
      row({titleLabel("Title 20"), sectionLabel("Section 15"), new Label("Body 13", TextRole::body),
           new Label("Caption 11", TextRole::caption, Tone::second), monoLabel("mono 0123 32,768"),
           new Label("good", TextRole::strong, Tone::good), new Label("warn", TextRole::strong, Tone::warn),
           new Label("bad", TextRole::strong, Tone::bad), new SideBadge(BadgeSide::a), new SideBadge(BadgeSide::b)},
          kGapGroups);
  lines->addLayout(heads);
  lines->addWidget(new Separator);
  addButtons(*lines);
  addChoices(*lines);
  addFields(*lines);
  lines->addWidget(new Separator);
  addFigures(*lines);
  lines->addStretch(1);
  return sheet;
}

QWidget* viewsSheet() {
  auto* sheet = new Pane(Ground::window);
  auto* across = new QHBoxLayout(sheet);
  across->setContentsMargins(0, 0, 0, 0);
  across->setSpacing(0);
  auto* rail = new Pane(Ground::raised);
  auto* words = new QVBoxLayout(rail);
  words->setContentsMargins(0, 0, 0, 0);
  words->setSpacing(0);
  const std::pair<const char*, const char*> pages[] = {
      {"box-seam", "Models"}, {"database", "Data"}, {"chat-left-text", "Chat"}, {"gear", "Settings"}};
  for (const auto& [name, word] : pages) {
    auto* button = new RailButton(name, word);
    button->setChecked(QString(word) == "Chat");
    words->addWidget(button);
  }
  words->addStretch(1);
  across->addWidget(rail);
  auto* splitter = new QSplitter;
  across->addWidget(splitter, 1);

  auto* list = new QListWidget;
  for (int i = 0; i < 30; ++i) list->addItem(new QListWidgetItem(icon("box-seam"), QString("model %1").arg(i)));
  list->setCurrentRow(2);
  splitter->addWidget(list);

  auto* middle = new QWidget;
  auto* lines = column(middle);
  auto* table = new QTableWidget(12, 3);
  table->setHorizontalHeaderLabels({"Name", "Layers", "KV bytes per token"});
  table->verticalHeader()->hide();
  table->setSelectionBehavior(QAbstractItemView::SelectRows);
  table->horizontalHeader()->setSortIndicatorShown(true);
  table->horizontalHeader()->setStretchLastSection(true);
  for (int i = 0; i < 12; ++i) {
    table->setItem(i, 0, new QTableWidgetItem(QString("run %1").arg(i)));
    auto* layers = new QTableWidgetItem(QString::number(12 * i));
    layers->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    layers->setFont(fonts().mono);
    table->setItem(i, 1, layers);
    auto* bytes = new QTableWidgetItem(formatBytes(36864LL * i + 512));
    bytes->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    bytes->setFont(fonts().mono);
    table->setItem(i, 2, bytes);
  }
  table->selectRow(1);
  lines->addWidget(table);
  auto* tree = new QTreeWidget;
  tree->setHeaderLabels({"Model", "State"});
  auto* base = new QTreeWidgetItem(tree, {"base", "loaded"});
  new QTreeWidgetItem(base, {"run 20261104-1", "done"});
  new QTreeWidgetItem(base, {"run 20261104-2", "running 42 %"});
  new QTreeWidgetItem(tree, {"routed", ""});
  tree->expandAll();
  tree->setColumnWidth(0, scaled(200));
  tree->setCurrentItem(base);
  lines->addWidget(tree);
  splitter->addWidget(middle);

  auto* right = new Pane(Ground::surface);
  auto* texts = column(right);
  texts->addWidget(sectionLabel("Text"));
  auto* edit = new QPlainTextEdit(
      "It was late when the engine came home, and the cache was half of what it had been.\n\nA second paragraph.");
  texts->addWidget(edit);
  auto* reading = new QTextEdit;
  reading->setReadOnly(true);
  reading->setPlainText("Read only text has no edge.\nIt scrolls.\n\n\n\n\n\n\n\n\n\n\n\nThe end.");
  texts->addWidget(reading);
  auto* menu = new QMenu;
  menu->setParent(right, Qt::Widget);
  menu->addAction(icon("copy"), "Copy\tCtrl+C");
  QAction* checked = menu->addAction("Scroll together");
  checked->setCheckable(true);
  checked->setChecked(true);
  menu->addSeparator();
  menu->addMenu("Export");
  menu->addAction(icon("trash"), "Move to the trash\tDel")->setEnabled(false);
  menu->setActiveAction(checked);
  texts->addWidget(menu);
  auto* card = new Pane(Ground::surface);
  card->setRounded(true);
  card->setSelected(true);
  auto* inside = new QHBoxLayout(card);
  inside->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapRelated);
  inside->addWidget(new Label("A selected card", TextRole::strong));
  texts->addWidget(card);
  splitter->addWidget(right);
  splitter->setSizes({180, 420, 300});
  return sheet;
}

QWidget* stateSheet(const QString& state) {
  auto* content = new QWidget;
  auto* lines = column(content);
  lines->addWidget(titleLabel("Models"));
  lines->addLayout(row({new QLineEdit("search"), makeButton("Browse")}));
  auto* list = new QListWidget;
  for (int i = 0; i < 4; ++i) list->addItem(QString("model %1").arg(i));
  lines->addWidget(list);
  lines->addLayout(
      row({new Label(formatBytes(1213LL << 20), TextRole::mono), new Label("5 of 10 layers own their KV")}));
  auto* pane = new StatePane(content);
  if (state == "empty") {
    pane->setEmpty(
        "No model on side B.", "Choose a model", [] {}, "Open the sample", [] {});
  } else if (state == "loading") {
    pane->setLoading("Reading the model", [] {});
    pane->setProgress(42, 100);
  } else if (state == "failed") {
    pane->setFailed(
        {ErrorCode::notFound,
         "The shard model-00002-of-00003.safetensors of /models/Qwen3-4B is missing; download the model again.",
         "/models/Qwen3-4B"},
        "Choose another", [] {});
  } else if (state == "stale") {
    pane->setStale("from the map stride:2", [] {});
  }
  return pane;
}

}  // namespace strata
