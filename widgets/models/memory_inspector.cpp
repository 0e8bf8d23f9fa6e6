#include "widgets/models/memory_inspector.h"

#include <QGridLayout>
#include <QScrollArea>
#include <QScrollBar>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>

#include "core/routing/sharing_map.h"
#include "widgets/mapeditor/map_choices.h"
#include "widgets/models/memory_section.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kAskAfterMs = 120;
constexpr int kMostChats = 1'000'000;

QSpinBox* numberField(const QString& objectName, int least, int most, int step) {
  auto* field = new QSpinBox;
  field->setObjectName(objectName);
  field->setButtonSymbols(QAbstractSpinBox::NoButtons);
  field->setRange(least, most);
  field->setSingleStep(step);
  field->setGroupSeparatorShown(true);
  QLocale digits = QLocale::c();
  digits.setNumberOptions(QLocale::DefaultNumberOptions);  // "40,960", as formatCount() prints it
  field->setLocale(digits);
  followTheme(field, [field] { field->setFont(fontOf(TextRole::mono)); });
  return field;
}

/// The model's own map among them; 0 where it names none that can be read.
int ownMap(const std::vector<MapLibrary::Choice>& maps, const protocol::ModelCard& card) {
  const Result<SharingMap> own = parseMap(card.defaultMap, card.layers);
  for (std::size_t i = 0; own && i < maps.size(); ++i) {
    const Result<SharingMap> map = parseMap(maps[i].map, card.layers);
    if (map && *map == *own) return static_cast<int>(i);
  }
  return 0;
}

}  // namespace

MemoryInspector::MemoryInspector(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_context(numberField("memoryContext", 1, 1, 1024)),
      m_chats(numberField("memoryChats", 1, kMostChats, 1)),
      m_choice(new MapChoices(session, this)),
      m_grid(new QGridLayout),
      m_scroll(new QScrollArea(this)),
      m_body(new QWidget(this)),
      m_none(bodyLabel(tr("Choose a model to see what it needs in memory."), this)),
      m_sentence(bodyLabel(QString(), m_body)) {
  setObjectName("memoryInspector");
  setAccessibleName(tr("What the model needs in memory"));
  m_none->setObjectName("memoryNone");
  m_sentence->setObjectName("memoryFit");
  m_choice->setObjectName("memoryMap");
  m_choice->setAccessibleName(tr("Share of the full cache"));
  m_choice->setOwnShown(true);
  m_choice->buttons()->setCompact(true);
  m_grid->setHorizontalSpacing(kGapGroups);
  m_grid->setVerticalSpacing(kGapInside);

  auto* body = new QVBoxLayout(m_body);
  body->setContentsMargins(0, 0, 0, 0);
  body->setSpacing(kGapGroups);
  body->addWidget(new Field(tr("Context, tokens"), m_context, tr("Of each chat, prompt and answers together.")));
  body->addWidget(
      new Field(tr("Chats at once"), m_chats, tr("Each holds a cache of its own; the weights are shared.")));
  body->addWidget(new Field(tr("Cache"), m_choice, tr("Share of the layers that keep their own keys and values.")));
  body->addLayout(m_grid);
  body->addWidget(m_sentence);
  auto* content = new QWidget;
  m_scroll->setObjectName("memoryScroll");
  m_scroll->setFrameShape(QFrame::NoFrame);
  m_scroll->setFocusPolicy(Qt::NoFocus);
  m_scroll->setWidgetResizable(true);
  m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_scroll->setWidget(content);
  auto* whole = new QVBoxLayout(this);
  whole->setContentsMargins(0, 0, 0, 0);
  whole->addWidget(m_scroll);
  auto* layout = new QVBoxLayout(content);
  layout->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  layout->setSpacing(kGapGroups);
  layout->addWidget(sectionLabel(tr("Memory needed"), this));
  layout->addWidget(m_none);
  layout->addWidget(m_body);
  layout->addStretch(1);

  m_soon.setSingleShot(true);
  m_soon.setInterval(kAskAfterMs);
  connect(&m_soon, &QTimer::timeout, this, &MemoryInspector::ask);
  const auto store = [this] { m_session.setContext(m_context->value(), m_chats->value()); };
  connect(m_context, &QSpinBox::valueChanged, this, store);
  connect(m_chats, &QSpinBox::valueChanged, this, store);
  connect(&m_session, &Session::contextChanged, this, [this] {
    const QSignalBlocker quietContext(m_context), quietChats(m_chats);
    m_context->setValue(static_cast<int>(context()));
    m_chats->setValue(m_session.chats());
    m_soon.start();
  });
  connect(m_choice, &MapChoices::chosen, this, [this](const std::string& map) {
    m_chosen = m_choice->buttons()->current();
    m_choice->setMap(map);
    showNumbers();
    Q_EMIT changed();
  });
  connect(&m_session.maps(), &MapLibrary::changed, this, [this] {
    if (!m_card) return;
    takeMaps();
    m_soon.start();
  });
  // Once the labels have taken the new font.
  followTheme(this, [this] { QTimer::singleShot(0, this, &MemoryInspector::fitTable); });
  // A scroll bar takes its width from the table.
  connect(m_scroll->verticalScrollBar(), &QScrollBar::rangeChanged, this,
          [this] { QTimer::singleShot(0, this, &MemoryInspector::fitTable); });
  setModel(nullptr);
}

std::int64_t MemoryInspector::context() const {
  const std::int64_t most = m_card ? std::clamp<std::int64_t>(m_card->context, 1, INT32_MAX) : 1;
  const std::int64_t wanted = m_session.context();
  return wanted > 0 ? std::min(wanted, most) : most;
}

void MemoryInspector::setModel(const protocol::ModelCard* card) {
  m_card = card != nullptr ? std::optional(*card) : std::nullopt;
  m_body->setVisible(m_card.has_value());
  m_none->setVisible(!m_card.has_value());
  m_problem.clear();
  m_chosen = -1;
  takeMaps();
  {
    const QSignalBlocker quietContext(m_context), quietChats(m_chats);
    m_context->setMaximum(m_card ? static_cast<int>(std::clamp<std::int64_t>(m_card->context, 1, INT32_MAX)) : 1);
    m_context->setValue(static_cast<int>(context()));
    m_chats->setValue(m_session.chats());
  }
  ask();
}

void MemoryInspector::takeMaps() {
  m_choice->setModel(m_card ? &*m_card : nullptr);
  const auto count = static_cast<int>(m_choice->choices().size());
  m_maps = m_choice->choices();
  m_estimates.assign(m_maps.size(), std::nullopt);
  if (m_chosen < 0 || m_chosen >= count) m_chosen = m_card && count > 0 ? ownMap(m_maps, *m_card) : -1;
  m_choice->setMap(m_chosen >= 0 ? m_maps[m_chosen].map : std::string());
}

void MemoryInspector::ask() {
  const int asked = ++m_asked;
  showNumbers();
  Q_EMIT changed();
  if (!m_card) return;
  for (std::size_t i = 0; i < m_maps.size(); ++i) {
    const protocol::EstimateMemory::Params params{{m_card->ref, m_maps[i].map}, context(), m_session.chats()};
    m_session.engine().call<protocol::EstimateMemory>(params, this, [=, this](const Result<Estimate>& answer) {
      if (asked != m_asked) return;
      if (answer) {
        m_estimates[i] = *answer;
        // What it holds already would be free for it.
        for (const protocol::LoadedModel& open : m_session.engine().loaded()) {
          if (open.ref == m_card->ref && answer->available > 0) m_estimates[i]->available += open.weightBytes;
        }
        m_problem.clear();
      } else if (m_problem.isEmpty()) {
        m_problem = QString::fromStdString(answer.error().message);
      }
      showNumbers();
      Q_EMIT changed();
    });
  }
}

std::optional<MemoryInspector::Estimate> MemoryInspector::estimate() const {
  return m_chosen >= 0 && m_chosen < static_cast<int>(m_estimates.size()) ? m_estimates[m_chosen] : std::nullopt;
}

QString MemoryInspector::situation() const {
  if (!m_card) return {};
  const QString cache = m_chosen >= 0 ? m_maps[m_chosen].percent() : QString();
  return tr("%1 tokens × %n chat(s) at %2", nullptr, m_session.chats()).arg(formatContext(context()), cache);
}

void MemoryInspector::showNumbers() {
  while (QLayoutItem* item = m_grid->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  m_kvColumn.clear();
  const auto put = [this](const QString& text, int row, int column, TextRole role, Tone tone) {
    auto* label = new Label(text, role, tone, m_body);
    label->setAlignment((column < 3 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    m_grid->addWidget(label, row, column);
    label->show();  // the grid's size leaves out what is not shown yet, and fitTable() asks for it
    if (column == 1) m_kvColumn.push_back(label);
    return label;
  };
  const QString heads[] = {tr("Cache"), tr("KV"), tr("In all"), QString()};
  for (int column = 0; column < 4; ++column) put(heads[column], 0, column, TextRole::caption, Tone::second);
  for (std::size_t i = 0; i < m_maps.size(); ++i) {
    const int row = static_cast<int>(i) + 1;
    const bool chosen = static_cast<int>(i) == m_chosen;
    const std::optional<Estimate>& estimate = m_estimates[i];
    const Tone tone = chosen ? Tone::normal : Tone::second;
    const QString percent = m_maps[i].percent();
    const QString kv = estimate ? formatBytes(estimate->kv) : QString("…");
    const QString all = estimate ? formatBytes(estimate->total) : QString("…");
    const std::optional<bool> fit = estimate ? fits(*estimate) : std::nullopt;
    put(percent, row, 0, TextRole::mono, tone)
        ->setAccessibleName(tr("%1 of the cache: KV %2, in all %3").arg(percent, kv, all));
    put(kv, row, 1, TextRole::mono, tone);
    put(all, row, 2, TextRole::mono, tone);
    put(!fit   ? QString()
        : *fit ? tr("fits")
               : tr("too big"),
        row, 3, TextRole::caption, !fit || *fit ? Tone::good : Tone::bad);
  }
  m_grid->setColumnStretch(4, 1);
  fitTable();
  const std::optional<Estimate> now = estimate();
  m_sentence->setText(!m_problem.isEmpty() ? m_problem
                      : !now               ? QString()
                      : now->available > 0 ? formatFree(now->available, m_card->ref.device)
                                           : tr("What the device has free is not known."));
  m_sentence->setTone(m_problem.isEmpty() ? Tone::second : Tone::bad);
}

/// In a narrow pane what is needed in all goes before the cache's part of it, which the card tells too.
void MemoryInspector::fitTable() {
  // What the pane offers: the table itself would widen anything inside.
  const int room = m_scroll->viewport()->width() - 2 * kGapGroups;
  if (m_kvColumn.empty()) return;
  const bool shown = !m_kvColumn.front()->isHidden();
  int column = 0;
  for (const Label* label : m_kvColumn) column = std::max(column, label->sizeHint().width());
  const int needed = m_grid->sizeHint().width() + (shown ? 0 : column + m_grid->horizontalSpacing());
  if ((needed <= room) == shown) return;
  for (Label* label : m_kvColumn) label->setVisible(!shown);
}

void MemoryInspector::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  // Afterwards: showing a widget makes the layouts above begin anew, in the middle of what they do.
  QTimer::singleShot(0, this, &MemoryInspector::fitTable);
}

}  // namespace strata
