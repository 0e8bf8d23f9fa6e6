#include "widgets/mapeditor/pareto_section.h"

#include <QComboBox>
#include <QFileInfo>
#include <QMenu>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>
#include <map>
#include <numeric>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr double kKiB = 1024;

bool isLoss(const std::string& metric) {
  return metric == "nll";
}

}  // namespace

ParetoSection::ParetoSection(Session& session, SideMap& side, QWidget* parent)
    : QWidget(parent), m_session(session), m_side(side) {
  named(this, "paretoSection", tr("Measured maps"));
  m_choice = named(new QComboBox, "paretoScores", tr("Score and text"));
  m_choice->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_plot = new ParetoPlot(tr("Score"));
  m_plot->setAxis(tr("KV per token"), tr("KiB"));
  m_plot->setEmptyText(tr("No map was measured yet. Measure the drawn one, or search for one."));
  m_note = named(captionLabel({}), "paretoNote");
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  column->addWidget(sectionLabel(tr("Measured maps")));
  column->addWidget(m_choice);
  column->addWidget(m_plot);
  column->addWidget(m_note);
  connect(m_choice, &QComboBox::currentIndexChanged, this, &ParetoSection::refresh);
  connect(m_choice, &QComboBox::activated, this, [this] { m_byHand = true; });
  connect(m_plot, &ParetoPlot::pointChosen, this, &ParetoSection::load);
  connect(m_plot, &ParetoPlot::pointMenuWanted, this, &ParetoSection::openMenu);
  connect(m_plot, &PlotFrame::exported, this, [this](const QString& path, const QString& error) {
    if (!error.isEmpty()) return m_session.warn(error);
    m_session.announce(path.isEmpty() ? tr("Copied the measured maps.") : tr("Exported to %1.").arg(path));
  });
  connect(&session.maps(), &MapLibrary::changed, this, [this] {
    m_unreadable.clear();
    fillScores();
  });
  connect(&session, &Session::sidesChanged, this, &ParetoSection::refresh);
  connect(&session, &Session::cardsChanged, this, &ParetoSection::refresh);
  const auto follow = [this] {
    if (m_side.document() != nullptr) connect(m_side.document(), &MapDocument::changed, this, &ParetoSection::mark);
    fillScores();
  };
  connect(&side, &SideMap::documentChanged, this, follow);
  follow();
}

std::vector<ParetoSection::Measured> ParetoSection::measured(const Scores& scores) const {
  std::vector<Measured> found;
  for (const protocol::KnownMap& known : m_session.maps().rows()) {
    if (known.model.empty() || !known.problem.empty() || known.textHash != scores.textHash ||
        (scores.textHash.empty() && known.text != scores.text)) {
      continue;
    }
    for (const protocol::MapScore& score : known.scores) {
      if (score.metric == scores.metric) found.push_back({&known, &score});
    }
  }
  return found;
}

/// The loss first, then the others; of one metric the text with most points first.
void ParetoSection::fillScores() {
  std::vector<std::pair<Scores, int>> counted;
  for (const protocol::KnownMap& known : m_session.maps().rows()) {
    if (known.model.empty() || !known.problem.empty()) continue;
    for (const protocol::MapScore& score : known.scores) {
      const Scores scores{score.metric, known.text, known.textHash};
      const auto same = std::find_if(counted.begin(), counted.end(), [&](const auto& each) {
        return each.first.metric == scores.metric && each.first.textHash == scores.textHash &&
               (!scores.textHash.empty() || each.first.text == scores.text);
      });
      same != counted.end() ? void(++same->second) : counted.push_back({scores, 1});
    }
  }
  std::stable_sort(counted.begin(), counted.end(), [](const auto& a, const auto& b) {
    return isLoss(a.first.metric) != isLoss(b.first.metric) ? isLoss(a.first.metric) : a.second > b.second;
  });
  const int before = m_choice->currentIndex();
  const std::optional<Scores> chosen = m_byHand && before >= 0 && before < static_cast<int>(m_scores.size())
                                           ? std::optional(m_scores[before])
                                           : std::nullopt;
  m_scores.clear();
  {
    const QSignalBlocker quiet(m_choice);
    m_choice->clear();
    for (const auto& [scores, count] : counted) {
      const QString text = QFileInfo(QString::fromStdString(scores.text)).fileName();
      m_choice->addItem(text.isEmpty() ? metricName(scores.metric)
                                       : tr("%1 on %2").arg(metricName(scores.metric), text));
      m_choice->setItemData(m_choice->count() - 1, QString::fromStdString(scores.text), Qt::ToolTipRole);
      if (chosen == scores) m_choice->setCurrentIndex(m_choice->count() - 1);
      m_scores.push_back(scores);
    }
  }
  m_choice->setVisible(m_scores.size() > 1);
  refresh();
}

void ParetoSection::refresh() {
  setVisible(m_side.document() != nullptr);
  m_maps.clear();
  m_sides.clear();
  m_refs.clear();
  std::vector<ParetoSeries> all;
  const int index = m_choice->currentIndex();
  if (index < 0 || index >= static_cast<int>(m_scores.size())) {
    m_plot->setSeries({}, true);
    m_note->hide();
    return;
  }
  const Scores& scores = m_scores[static_cast<std::size_t>(index)];
  const auto cardOf = [this](const std::optional<protocol::Side>& side) {
    return side ? m_session.knownCard(side->ref) : nullptr;
  };
  const protocol::ModelCard *a = cardOf(m_session.side(Which::a)), *b = cardOf(m_session.side(Which::b));
  // A model's points, the newest measurement of a map alone.
  std::map<std::pair<std::string, std::string>, std::size_t> seriesOf;
  int others = 0, unreadable = 0;
  for (const Measured& each : measured(scores)) {
    const bool ofA = a != nullptr && MapLibrary::isMeasuredOn(*each.map, *a);
    const bool ofB = b != nullptr && MapLibrary::isMeasuredOn(*each.map, *b);
    protocol::ModelRef ref;
    ref.model = each.map->model;
    ref.adapter = each.map->adapter;
    const protocol::ModelCard* card = ofB ? b : ofA ? a : m_session.knownCard(ref);
    if (card == nullptr) {
      const std::pair key(ref.model, ref.adapter);
      if (m_unreadable.count(key) > 0) {
        ++unreadable;
        continue;
      }
      m_session.card(ref, this, [this, key](const Result<protocol::ModelCard>& answer) {
        if (!answer && m_unreadable.insert(key).second) refresh();  // else cardsChanged() says that it is there
      });
      continue;
    }
    const auto map = parseMap(each.map->map, each.map->layers);
    if (!map || card->layers != each.map->layers) continue;
    const auto [found, isNew] = seriesOf.try_emplace({each.map->model, each.map->adapter}, all.size());
    const std::size_t series = found->second;
    if (isNew) {
      all.push_back({m_session.modelName(ofB ? b->ref : ofA ? a->ref : ref), ofB ? 1 : ofA ? 0 : 2 + others++, {}});
      m_maps.emplace_back();
      m_sides.push_back(ofA && ofB ? 2 : ofB ? 1 : ofA ? 0 : 3);
      m_refs.push_back(ofB ? b->ref : ofA ? a->ref : ref);
    }
    if (std::find(m_maps[series].begin(), m_maps[series].end(), *map) != m_maps[series].end()) continue;
    const double scale = isLoss(scores.metric) ? 1 : 100;  // shares are shown in percent
    const double value = scale * each.score->value;
    ParetoPoint point;
    point.x = static_cast<double>(card->kvBytesPerToken) / card->layers * map->owners() / kKiB;
    point.y = value;
    if (each.score->halfWidth) {
      point.low = value - scale * *each.score->halfWidth;
      point.high = value + scale * *each.score->halfWidth;
    }
    point.label = QString::fromStdString(printMap(*map));
    all[series].points.push_back(point);
    m_maps[series].push_back(*map);
  }
  m_plot->setTitle(metricName(scores.metric), isLoss(scores.metric) ? tr("nats") : tr("%"));
  m_plot->setSeries(std::move(all), isLoss(scores.metric));
  const int points =
      static_cast<int>(std::accumulate(m_maps.begin(), m_maps.end(), std::size_t{0},
                                       [](std::size_t sum, const auto& maps) { return sum + maps.size(); }));
  QString note = tr("%n map(s) measured. Click a point to draw its map, or right-click it.", nullptr, points);
  if (unreadable > 0) note += ' ' + tr("%n more map(s) of models that cannot be read.", nullptr, unreadable);
  m_note->setText(note);
  m_note->setVisible(points > 0);
  mark();
}

/// The ring stands at the drawn map.
void ParetoSection::mark() {
  const MapDocument* document = m_side.document();
  std::optional<ParetoPlot::At> at;
  for (std::size_t s = 0; document != nullptr && s < m_maps.size(); ++s) {
    if (m_sides[s] != 1 && m_sides[s] != 2) continue;
    const auto found = std::find(m_maps[s].begin(), m_maps[s].end(), document->map());
    if (found != m_maps[s].end()) at = {s, static_cast<std::size_t>(found - m_maps[s].begin())};
  }
  m_plot->setCurrent(at);
}

void ParetoSection::load(std::size_t series, std::size_t point) {
  MapDocument* document = m_side.document();
  if (document == nullptr || series >= m_maps.size() || point >= m_maps[series].size()) return;
  const SharingMap map = m_maps[series][point];  // the lists change with the document
  if (map.layers() != document->layers()) {
    m_session.warn(
        tr("That map is for %1 layers; the model on side B has %2.").arg(map.layers()).arg(document->layers()));
    return mark();
  }
  document->setMap(map, tr("measured map %1").arg(QString::fromStdString(printMap(map))));
}

void ParetoSection::openMenu(std::size_t series, std::size_t point, const QPoint& global) {
  if (series >= m_maps.size() || point >= m_maps[series].size()) return;
  auto* menu = named(new QMenu(this), "pointMenu", tr("Measured map"));
  menu->setAttribute(Qt::WA_DeleteOnClose);
  for (const Which which : {Which::a, Which::b}) {
    QAction* action = menu->addAction(which == Which::a ? tr("Use as A") : tr("Use as B"));
    action->setObjectName(which == Which::a ? "pointUseA" : "pointUseB");
    connect(action, &QAction::triggered, this, [this, which, series, point] { use(which, series, point); });
  }
  menu->popup(global);
}

void ParetoSection::use(Which which, std::size_t series, std::size_t point) {
  if (series >= m_maps.size() || point >= m_maps[series].size()) return;  // the lists may have changed meanwhile
  const bool isDrawn = m_sides[series] == 1 || m_sides[series] == 2;      // of side B's model
  if (which == Which::b && isDrawn) return load(series, point);
  const std::string map = printMap(m_maps[series][point]);
  m_session.setSide(which, protocol::Side{m_refs[series], map});
  m_session.announce((which == Which::a ? tr("Side A answers with the map %1.") : tr("Side B answers with the map %1."))
                         .arg(QString::fromStdString(map)));
}

}  // namespace strata
