#include "widgets/models/model_list.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QTreeView>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/session/model_table.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

const QString kDownload = QStringLiteral("hf download Qwen/Qwen3-0.6B");

}  // namespace

ModelList::ModelList(QWidget* parent)
    : QWidget(parent),
      m_search(new QLineEdit(this)),
      m_view(new QTreeView(this)),
      m_tree(new ModelTree(this)),
      m_filter(new ModelFilter(m_tree, this)),
      m_nothing(captionLabel(QString(), this)),
      m_hub(new QWidget(this)),
      m_hubText(captionLabel(QString(), m_hub)),
      m_offer(new QWidget(this)),
      m_offerText(bodyLabel(QString(), m_offer)),
      m_offerButton(makeButton(QString(), ButtonKind::link, m_offer)) {
  m_search->setWhatsThis(tr("Lists the models whose name or folder holds these words."));
  setObjectName("modelList");
  setAccessibleName(tr("Models"));
  auto* browse = makeButton(tr("Open…"), ButtonKind::plain, this);
  browse->setObjectName("modelsBrowse");
  browse->setAccessibleName(tr("Open a model"));
  browse->setIcon(icon("folder2-open"));
  connect(browse, &QPushButton::clicked, this, &ModelList::browseWanted);

  m_search->setObjectName("modelsSearch");
  m_search->setAccessibleName(tr("Search models"));
  m_search->setPlaceholderText(tr("Search models"));
  m_search->setClearButtonEnabled(true);
  connect(m_search, &QLineEdit::textChanged, this, [this](const QString& words) {
    m_filter->setWords(words);
    widen();
  });

  m_view->setObjectName("modelsTree");
  m_view->setAccessibleName(tr("Models of the project, of folders and of the Hugging Face cache"));
  m_view->setModel(m_filter);
  m_view->setHeaderHidden(true);
  m_view->setUniformRowHeights(true);
  m_view->setRootIsDecorated(false);
  m_view->setExpandsOnDoubleClick(false);
  m_view->setFrameShape(QFrame::NoFrame);
  m_view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_view->setIndentation(kGapGroups);
  connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& now) {
    const protocol::ModelEntry* entry = m_tree->entryAt(m_filter->mapToSource(now));
    if (entry == nullptr || keyOf(*entry) == m_chosen) return;
    m_chosen = keyOf(*entry);
    Q_EMIT chosenChanged();
  });
  m_nothing->setObjectName("modelsNothing");

  m_hub->setObjectName("modelsHub");
  auto* line = monoLabel(kDownload, m_hub);
  line->setObjectName("modelsDownloadLine");
  line->setWordWrap(true);
  line->setAccessibleName(tr("Line that downloads a model: %1").arg(kDownload));
  auto* copy = makeIconButton("copy", tr("Copy the line"), {}, m_hub);
  copy->setObjectName("modelsCopyDownload");
  connect(copy, &QPushButton::clicked, this, [] { QGuiApplication::clipboard()->setText(kDownload); });
  auto* hubLine = new QHBoxLayout;
  hubLine->setSpacing(kGapInside);
  hubLine->addWidget(line, 1);
  hubLine->addWidget(copy);
  auto* hub = new QVBoxLayout(m_hub);
  hub->setContentsMargins(0, 0, 0, 0);
  hub->setSpacing(kGapInside);
  hub->addWidget(m_hubText);
  hub->addLayout(hubLine);
  m_hub->hide();

  m_offer->setObjectName("modelsOffer");
  m_offerButton->setObjectName("modelsOfferButton");
  auto* offer = new QHBoxLayout(m_offer);
  offer->setContentsMargins(0, 0, 0, 0);
  offer->setSpacing(kGapRelated);
  offer->addWidget(m_offerText, 1);
  offer->addWidget(m_offerButton);
  connect(m_offerButton, &QPushButton::clicked, this, [this] {
    m_offer->hide();
    if (m_offerRun) m_offerRun();
  });
  m_offer->hide();

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  layout->setSpacing(kGapRelated);
  layout->addWidget(new FoldingRow(titleLabel(tr("Models")), browse, this));
  layout->addWidget(m_search);
  layout->addWidget(m_nothing);
  layout->addWidget(m_view, 1);
  layout->addWidget(m_offer);
  layout->addWidget(m_hub);
  setFocusProxy(m_view);
  followTheme(this, [this] {
    m_tree->show(m_tree->entries());  // its fonts
    widen();
  });
}

void ModelList::show(std::vector<protocol::ModelEntry> entries, const QString& hub) {
  const std::string wanted = m_chosen;
  const bool anyInHub = std::any_of(entries.begin(), entries.end(),
                                    [](const protocol::ModelEntry& entry) { return entry.source == "hub"; });
  m_tree->show(std::move(entries));
  widen();
  m_hub->setVisible(!anyInHub);
  showHub(hub);
  if (!wanted.empty() && !choose(wanted)) {
    m_chosen.clear();
    Q_EMIT chosenChanged();
  }
}

void ModelList::showHub(const QString& hub) {
  m_hubText->setText(tr("The Hugging Face cache holds no models. This line fetches one:"));
  m_hubText->setToolTip(
      tipOf(hub.isEmpty() ? QStringLiteral("~/.cache/huggingface/hub") : hub));  // a path would not wrap
}

void ModelList::widen() {
  m_view->expandAll();
  m_view->header()->setStretchLastSection(false);
  m_view->header()->setSectionResizeMode(0, QHeaderView::Stretch);
  m_view->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
  for (int row = 0; row < m_filter->rowCount(); ++row) m_view->setFirstColumnSpanned(row, {}, true);
  const bool nothing = m_filter->rowCount() == 0 && m_tree->rowCount() > 0;
  m_nothing->setText(nothing ? tr("No model has these words in its name, folder or architecture.") : QString());
  m_nothing->setVisible(nothing);
  if (const QModelIndex chosen = m_filter->mapFromSource(m_tree->find(m_chosen)); chosen.isValid()) {
    m_view->setCurrentIndex(chosen);
  }
}

const protocol::ModelEntry* ModelList::chosen() const {
  return m_chosen.empty() ? nullptr : m_tree->entryAt(m_tree->find(m_chosen));
}

bool ModelList::choose(const std::string& model) {
  const QModelIndex found = m_tree->find(model);
  if (!found.isValid()) return false;
  QModelIndex shown = m_filter->mapFromSource(found);
  if (!shown.isValid()) {
    m_search->clear();
    shown = m_filter->mapFromSource(found);
  }
  m_view->setCurrentIndex(shown);
  m_view->scrollTo(shown);
  return true;
}

void ModelList::offer(const QString& sentence, const QString& action, std::function<void()> run) {
  m_offerText->setText(sentence);
  m_offerButton->setText(action);
  m_offerRun = std::move(run);
  m_offer->setVisible(!sentence.isEmpty());
}

void ModelList::focusSearch() {
  m_search->setFocus(Qt::ShortcutFocusReason);
  m_search->selectAll();
}

}  // namespace strata
