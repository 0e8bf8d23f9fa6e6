#include "widgets/mapeditor/budget_section.h"

#include <QDoubleSpinBox>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "widgets/session/model_shape.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr const char* kMemoryKey = "map/budgetGiB";  // absent: the device's
constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
constexpr double kUnknownDevice = 24;  // GiB, until one is told or typed
constexpr int kMostShownChats = 9'999;

}  // namespace

BudgetSection::BudgetSection(Session& session, SideMap& side, QWidget* parent)
    : QWidget(parent), m_session(session), m_side(side) {
  named(this, "budgetSection", tr("Budget"));
  m_memory = named(new QDoubleSpinBox, "budgetMemory");
  m_memory->setRange(0.1, 100'000);
  m_memory->setDecimals(1);
  m_memory->setSuffix(tr(" GiB"));
  m_memory->setKeyboardTracking(false);
  m_useDevice = named(new Button(tr("Use the device's"), ButtonKind::quiet), "budgetUseDevice");
  m_useDevice->setCompact(true);
  auto* field = new Field(tr("Memory"), m_memory, tr("Of the GPU or computer; type another device's to plan for it."));
  m_situation = named(captionLabel({}), "budgetSituation");
  m_verdict = named(bodyLabel({}), "budgetVerdict");
  m_held = named(captionLabel({}), "budgetHeld");
  m_rows = new QVBoxLayout;
  m_rows->setObjectName(QStringLiteral("budgetRows"));
  m_rows->setSpacing(kGapInside);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  column->addWidget(sectionLabel(tr("Budget")));
  column->addWidget(field);
  column->addWidget(m_useDevice, 0, Qt::AlignLeft);
  column->addWidget(m_verdict);
  column->addLayout(m_rows);
  column->addWidget(m_situation);
  column->addWidget(m_held);

  const QVariant typed = session.settings().value(kMemoryKey);
  m_typed = typed.isValid();
  m_memory->setValue(m_typed ? typed.toDouble() : kUnknownDevice);
  connect(m_memory, &QDoubleSpinBox::valueChanged, this, [this](double value) {
    m_typed = true;
    m_session.settings().setValue(kMemoryKey, value);
    refresh();
  });
  connect(m_useDevice, &QPushButton::clicked, this, &BudgetSection::useDevice);
  session.engine().on<protocol::Memory>(this, [this](const protocol::Memory& memory) { heard(memory); });
  connect(&side, &SideMap::documentChanged, this, [this] {
    if (m_side.document() != nullptr) {
      connect(m_side.document(), &MapDocument::changed, this, &BudgetSection::refresh);
    }
    refresh();
  });
  connect(&side, &SideMap::costChanged, this, &BudgetSection::refresh);
  if (side.document() != nullptr) connect(side.document(), &MapDocument::changed, this, &BudgetSection::refresh);
  refresh();
}

std::int64_t BudgetSection::memory() const {
  return static_cast<std::int64_t>(std::llround(m_memory->value() * kGiB));
}

std::optional<ServingLimits> BudgetSection::limits() const {
  if (m_side.document() == nullptr) return {};
  const protocol::ModelCard& card = m_side.cost().card();
  if (bytesPerElement(card) <= 0) return {};
  return ServingLimits{shapeOf(card), bytesPerElement(card), memory()};
}

void BudgetSection::heard(const protocol::Memory& memory) {
  const auto& ref = m_side.ref();
  if (ref && ref->device != "auto" && memory.device != (ref->device == "cuda" ? "cuda:0" : ref->device)) return;
  const bool news = !m_device || m_device->total != memory.total || m_device->models != memory.models;
  m_device = memory;
  if (!news) return;
  m_typed ? refresh() : useDevice();
}

void BudgetSection::useDevice() {
  if (!m_device || m_device->total <= 0) return;
  m_typed = false;
  m_session.settings().setValue(kMemoryKey, QVariant());
  const QSignalBlocker quiet(m_memory);
  m_memory->setValue(static_cast<double>(m_device->total) / kGiB);
  refresh();
}

void BudgetSection::refresh() {
  while (QLayoutItem* item = m_rows->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  const auto limits = this->limits();
  setVisible(limits.has_value());
  if (!limits) return;
  const protocol::ModelCard& card = m_side.cost().card();
  const std::int64_t tokens = m_side.cost().tokens();
  const int chats = m_side.cost().chats();
  m_useDevice->setVisible(m_typed && m_device && m_device->total > 0);

  struct Row {
    QString name;
    SharingMap map;
  };
  std::vector<Row> rows;
  for (const MapLibrary::Choice& choice : m_session.maps().choices(card)) {
    if (const auto map = parseMap(choice.map, card.layers)) rows.push_back({choice.percent(), *map});
  }
  const int drawnOwners = m_side.document()->map().owners();
  const bool listed =
      std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.map.owners() == drawnOwners; });
  if (!listed) rows.push_back({formatPercent(m_side.document()->map().retention()), m_side.document()->map()});
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.map.owners() > b.map.owners(); });

  QString largest;  // share that fits
  bool allFit = true;
  for (const Row& row : rows) {
    const bool fits = limits->fits(row.map, tokens, chats);
    if (fits && largest.isEmpty()) largest = row.name;
    allFit = allFit && fits;
    const int most = limits->mostChats(row.map, tokens);
    const int shownChats = std::min(most, kMostShownChats);
    auto* line =
        captionLabel((fits ? tr("%1: %2 · %3 tokens · %4 chat(s)", nullptr, shownChats)
                           : tr("%1: %2, too big · %3 tokens · %4 chat(s)", nullptr, shownChats))
                         .arg((row.map.owners() == drawnOwners ? QStringLiteral("▸ ") : QString()) + row.name,
                              formatBytes(limits->needed(row.map, tokens, chats)),
                              formatCount(limits->mostTokens(row.map, chats, card.context)),
                              formatCount(shownChats) + (most > kMostShownChats ? QStringLiteral("+") : QString())),
                     this);
    line->setTone(fits ? Tone::normal : Tone::second);
    m_rows->addWidget(line);
  }
  if (allFit) {
    m_verdict->setText(tr("Every share of the cache fits."));
  } else if (!largest.isEmpty()) {
    m_verdict->setText(tr("%1 of the cache and less fits.").arg(largest));
  } else {
    m_verdict->setText(tr("None fits. The weights alone take %1.").arg(formatBytes(limits->weights())));
  }
  m_verdict->setTone(allFit ? Tone::good : largest.isEmpty() ? Tone::bad : Tone::normal);
  m_situation->setText(
      tr("Predicted for %1 tokens × %n chat(s), with the longest context of as many chats and the most "
         "chats of that context. ▸ marks the drawn map's size.",
         nullptr, chats)
          .arg(formatContext(tokens)));
  QStringList held;
  if (m_device) {
    held << tr("%1: %2 free of %3.")
                .arg(deviceName(m_device->device), formatBytes(m_device->available), formatBytes(m_device->total));
    for (const protocol::ModelMemory& model : m_device->models) {
      if (!m_side.ref() || model.ref != *m_side.ref()) continue;
      std::int64_t reserved = 0, predicted = 0;
      for (const protocol::CacheMemory& cache : model.caches) {
        reserved += cache.reserved;
        if (const auto map = parseMap(cache.map, card.layers)) {
          predicted += kvBytes(*map, limits->shape, cache.context, limits->bytesPerElement);
        }
      }
      held << tr("Loaded: weights %1 (predicted %2).").arg(formatBytes(model.weights), formatBytes(limits->weights()));
      if (!model.caches.empty()) {
        held << tr("KV caches: %1 (predicted %2).").arg(formatBytes(reserved), formatBytes(predicted));
      }
    }
  }
  m_held->setText(held.join(' '));
  m_held->setVisible(!held.isEmpty());
}

}  // namespace strata
