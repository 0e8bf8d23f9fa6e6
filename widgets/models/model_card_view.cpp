#include "widgets/models/model_card_view.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QTimer>
#include <QVBoxLayout>

#include "widgets/models/export_section.h"
#include "widgets/models/kv_table.h"
#include "widgets/models/load_control.h"
#include "widgets/models/serve_control.h"
#include "widgets/models/template_preview.h"
#include "widgets/session/model_table.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

/// From here on the card's sections stand in two columns.
constexpr int kTwoColumns = 900;

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

QVBoxLayout* column(QWidget* parent = nullptr) {
  auto* layout = new QVBoxLayout(parent);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapSections);
  return layout;
}

}  // namespace

ModelCardView::ModelCardView(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_load(new LoadControl(session, this)),
      m_serve(new ServeControl(session, this)),
      m_export(new ExportSection(session, this)),
      m_memory(new MemorySection(this)),
      m_kv(new KvTable(this)),
      m_facts(new QGridLayout),
      m_template(new TemplatePreview(session, this)),
      m_broken(
          bodyLabel(tr("Its files are as they were: Strata only read them. It stays in the list; once the folder is "
                       "repaired, “Look again” opens it. The other models are not touched by this."),
                    this)),
      m_body(new QWidget(this)),
      m_columns(new QBoxLayout(QBoxLayout::TopToBottom, m_body)) {
  setObjectName("modelCard");
  setAccessibleName(tr("The chosen model"));
  m_broken->setObjectName("cardBroken");
  m_broken->setMaximumWidth(scaled(metrics().textWidth));
  m_broken->hide();
  auto* kv = new QVBoxLayout;
  kv->setSpacing(kGapRelated);
  kv->addWidget(sectionLabel(tr("KV cache per token"), this));
  kv->addWidget(m_kv);
  auto* facts = new QVBoxLayout;
  facts->setSpacing(kGapRelated);
  facts->addWidget(sectionLabel(tr("The model"), this));
  m_facts->setHorizontalSpacing(kGapGroups);
  m_facts->setVerticalSpacing(kGapInside);
  facts->addLayout(m_facts);

  QVBoxLayout* first = column();
  first->addWidget(m_memory);
  first->addLayout(kv);
  first->addStretch(1);
  QVBoxLayout* second = column();
  second->addLayout(facts);
  second->addWidget(m_template);
  second->addStretch(1);
  m_columns->setContentsMargins(0, 0, 0, 0);
  m_columns->setSpacing(kGapSections);
  m_columns->addLayout(first, 1);
  m_columns->addLayout(second, 1);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  layout->setSpacing(kGapGroups);
  layout->addWidget(makeHead());
  layout->addWidget(m_serve);
  layout->addSpacing(kGapRelated);
  layout->addWidget(m_export);
  layout->addWidget(m_body);
  layout->addWidget(m_broken);
  layout->addStretch(1);

  connect(m_load, &LoadControl::failed, this, &ModelCardView::failed);
  connect(m_serve, &ServeControl::failed, this, &ModelCardView::failed);
  connect(m_export, &ExportSection::changed, this, &ModelCardView::refreshExport);
  connect(m_load, &LoadControl::refChanged, this, [this] { m_serve->setModel(m_load->ref()); });
  connect(m_load, &LoadControl::finished, this, &ModelCardView::fitActions);
  followTheme(this, [this] {
    QTimer::singleShot(0, this, [this] {
      fitActions();
      fitFacts();
    });
  });
  connect(&session.maps(), &MapLibrary::changed, this, &ModelCardView::showMaps);
  connect(&session, &Session::sidesChanged, this, &ModelCardView::refreshSides);
  connect(&session.engine(), &EngineClient::loadedChanged, this, &ModelCardView::refreshMeasured);
  session.engine().on<protocol::Memory>(this, [this](const protocol::Memory& memory) {
    if (memory.device != m_load->ref().device) return;
    m_counted = memory;
    refreshMeasured();
  });
}

QWidget* ModelCardView::makeHead() {
  auto* head = new QWidget(this);
  m_name = new ElidedLabel(QString(), TextRole::title, Tone::normal, head);
  m_name->setObjectName("cardName");
  m_path = new ElidedLabel(QString(), TextRole::monoCaption, Tone::second, head);
  m_path->setObjectName("cardPath");
  m_path->setElideMode(Qt::ElideMiddle);
  m_badgeA = new SideBadge(BadgeSide::a, head);
  m_badgeB = new SideBadge(BadgeSide::b, head);
  m_useA = makeButton(tr("Use as A"), ButtonKind::plain, head);
  m_useA->setObjectName("cardUseA");
  m_useB = makeButton(tr("Use as B"), ButtonKind::accent, head);
  m_useB->setObjectName("cardUseB");
  m_place = makeButton(QString(), ButtonKind::quiet, head);
  m_place->setObjectName("cardPlace");
  m_exportButton = makeButton(tr("Export…"), ButtonKind::quiet, head);
  m_exportButton->setObjectName("cardExport");

  auto* top = new QHBoxLayout;
  top->setSpacing(kGapRelated);
  top->addWidget(m_name, 1);
  top->addWidget(m_badgeA);
  top->addWidget(m_badgeB);
  top->addWidget(m_exportButton);
  auto* sides = new QHBoxLayout;
  sides->setSpacing(kGapRelated);
  sides->addWidget(m_useB);
  sides->addWidget(m_useA);
  sides->addStretch(0);
  auto* running = new FoldingRow(m_load, m_serve->toggle(), head);
  m_actions = new QBoxLayout(QBoxLayout::LeftToRight);
  m_actions->setSpacing(kGapRelated);
  m_actions->addLayout(sides);
  m_actions->addWidget(running, 1);
  auto* second = new QHBoxLayout;
  second->setSpacing(kGapRelated);
  second->addWidget(m_path, 1);
  second->addWidget(m_place);
  auto* layout = new QVBoxLayout(head);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapInside);
  layout->addLayout(top);
  layout->addLayout(second);
  layout->addSpacing(kGapRelated);
  layout->addLayout(m_actions);

  connect(m_useA, &QPushButton::clicked, this, [this] { Q_EMIT useWanted(Which::a); });
  connect(m_useB, &QPushButton::clicked, this, [this] { Q_EMIT useWanted(Which::b); });
  connect(m_exportButton, &QPushButton::clicked, m_export, &ExportSection::open);
  connect(m_place, &QPushButton::clicked, this, [this] {
    if (m_entry.source == "project") {
      Q_EMIT removeWanted();
    } else {
      Q_EMIT addWanted();
    }
  });
  return head;
}

void ModelCardView::begin(const protocol::ModelEntry& entry) {
  m_entry = entry;
  m_name->setText(nameOf(entry));
  m_path->setText(text(entry.path));
  m_load->setModel(entry.model, entry.adapter);
  m_serve->setModel(m_load->ref());
  const bool mine = entry.source == "project", can = entry.problem.empty();
  m_place->setText(mine ? tr("Remove from the project") : tr("Add to the project"));
  m_place->setToolTip(mine ? tr("Removes the name from the project; the files stay")
                           : tr("Gives the folder a name in the project"));
  m_place->setVisible(mine || (can && (entry.source == "folder" || entry.source == "hub")));
  for (QWidget* part : {static_cast<QWidget*>(m_useA), static_cast<QWidget*>(m_useB), static_cast<QWidget*>(m_load),
                        static_cast<QWidget*>(m_serve->toggle()), static_cast<QWidget*>(m_exportButton)}) {
    part->setVisible(can);
  }
  m_export->setModel(entry);
  fitActions();
  refreshSides();
  refreshExport();
  refreshMeasured();
}

void ModelCardView::show(const protocol::ModelCard& card) {
  m_body->setVisible(true);
  m_broken->setVisible(false);
  m_card = card;
  showMaps();
  showFacts(card);
  m_template->show(card);
  m_export->setCard(card);
  refreshMeasured();
}

void ModelCardView::showMaps() {
  if (m_card) m_kv->show(m_session.maps().choicesWithOwn(*m_card), m_card->kvBytesPerToken);
}

void ModelCardView::showNothing() {
  m_card.reset();
  m_body->setVisible(false);
  m_broken->setVisible(!m_entry.problem.empty());
}

void ModelCardView::showFacts(const protocol::ModelCard& card) {
  while (QLayoutItem* item = m_facts->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  const QString tokenizer = card.tokenizer.empty() ? tr("none: it cannot chat") : text(card.tokenizer);
  const std::pair<QString, QString> facts[] = {
      {tr("Architecture"), text(card.architecture)},
      {tr("Parameters"), formatParameters(card.parameters)},
      {tr("Layers"), formatCount(card.layers)},
      {tr("Stored in"), text(card.dtype)},
      {tr("Heads"), tr("%1 × %2").arg(card.heads).arg(card.headDim)},
      {tr("Size on disk"), formatBytes(card.bytesOnDisk)},
      {tr("KV heads"), tr("%1 × %2").arg(card.kvHeads).arg(card.headDim)},
      {tr("Context"), tr("%1 token(s)", nullptr, pluralOf(card.context)).arg(formatContext(card.context))},
      {tr("Vocabulary"), formatCount(card.vocab)},
      {tr("Tokenizer"), tokenizer},
  };
  int number = 0;
  for (const auto& [name, value] : facts) {
    const int row = number / 2, at = (number % 2) * 2;
    m_facts->addWidget(new Label(name, TextRole::body, Tone::second, this), row, at);
    auto* shown = new ElidedLabel(value, TextRole::mono, Tone::normal, this);
    shown->setAccessibleName(name + ": " + value);
    m_facts->addWidget(shown, row, at + 1);
    ++number;
  }
  m_factColumns = 2;
  m_facts->setColumnStretch(1, 1);
  m_facts->setColumnStretch(3, 1);
  fitFacts();
}

/// Two facts a row where they fit, else one: a figure is not shortened.
void ModelCardView::fitFacts() {
  std::vector<QLayoutItem*> items;
  int needed[2][4] = {};  // widths, by facts a row and column
  for (int i = 0; i < m_facts->count(); ++i) {
    const int width = m_facts->itemAt(i)->sizeHint().width();
    for (const int columns : {1, 2}) {
      int& widest = needed[columns - 1][i % (2 * columns)];
      widest = std::max(widest, width);
    }
  }
  const int room = m_facts->geometry().width() > 0 ? m_facts->geometry().width() : width() - 2 * kGapGroups;
  const int two = needed[1][0] + needed[1][1] + needed[1][2] + needed[1][3] + 3 * m_facts->horizontalSpacing();
  const int columns = two <= room ? 2 : 1;
  if (columns == m_factColumns || m_facts->count() == 0) return;
  m_factColumns = columns;
  while (QLayoutItem* item = m_facts->takeAt(0)) items.push_back(item);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const int at = static_cast<int>(i);
    m_facts->addItem(items[i], at / (2 * columns), at % (2 * columns));
  }
  m_facts->setColumnStretch(3, columns - 1);
}

/// The accent is on what is missing: side A where it is empty, else B.
void ModelCardView::refreshSides() {
  const auto holds = [&](Which which) {
    const auto& side = m_session.side(which);
    return side && keyOf(side->ref) == keyOf(m_entry);
  };
  const bool onA = holds(Which::a), onB = holds(Which::b);
  m_badgeA->setVisible(onA);
  m_badgeB->setVisible(onB);
  m_useA->setEnabled(!onA);
  m_useB->setEnabled(!onB);
  m_useA->setToolTip(onA ? tr("Already on side A") : tr("A is what you have"));
  m_useB->setToolTip(onB ? tr("Already on side B") : tr("B is what you try"));
  const bool accentA = !m_session.side(Which::a) || onB;
  m_useA->setKind(accentA && !onA ? ButtonKind::accent : ButtonKind::plain);
  m_useB->setKind(accentA || onB ? ButtonKind::plain : ButtonKind::accent);
}

void ModelCardView::refreshExport() {
  m_exportButton->setEnabled(m_export->canOpen());
  m_exportButton->setToolTip(m_export->canOpen()
                                 ? tr("Writes a folder for vLLM, transformers and other programs, with a sharing map")
                                 : tr("Another model is being exported."));
}

void ModelCardView::refreshMeasured() {
  const protocol::LoadedModel* loaded = m_load->loaded();
  if (loaded == nullptr) return m_memory->setLoaded(std::nullopt, std::nullopt);
  const protocol::ModelCard* card = m_session.knownCard(m_load->ref());
  std::optional<HeldMemory> held;
  for (const protocol::ModelMemory& model : m_counted ? m_counted->models : std::vector<protocol::ModelMemory>()) {
    if (card != nullptr && model.ref == m_load->ref()) held = heldMemory(*card, model);
  }
  m_memory->setLoaded(loaded->weightBytes, held);
}

void ModelCardView::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  m_columns->setDirection(width() >= scaled(kTwoColumns) ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
  fitActions();
  // Once the columns are laid out.
  QTimer::singleShot(0, this, &ModelCardView::fitFacts);
}

/// Changed only where it differs: each time makes the layouts above begin anew.
void ModelCardView::fitActions() {
  int needed = m_actions->spacing() + 2 * kGapGroups;
  for (int i = 0; i < m_actions->count(); ++i) needed += m_actions->itemAt(i)->minimumSize().width();
  const auto direction = needed <= width() ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom;
  if (m_actions->direction() != direction) m_actions->setDirection(direction);
}

QSize ModelCardView::minimumSizeHint() const {
  return {0, QWidget::minimumSizeHint().height()};
}

}  // namespace strata
