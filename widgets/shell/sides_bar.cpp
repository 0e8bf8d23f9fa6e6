#include "widgets/shell/sides_bar.h"

#include <QBoxLayout>
#include <QComboBox>
#include <QPainter>
#include <QSpinBox>

#include "widgets/shell/side_picker.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kWide = 1560;  // of the bar, in a large window
constexpr int kMostChats = 10000;
constexpr std::int64_t kContexts[] = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072};

QHBoxLayout* rowIn(QWidget* widget) {
  auto* row = new QHBoxLayout(widget);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kGapRelated);
  return row;
}

}  // namespace

SidesBar::SidesBar(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_a(new SidePicker(session, Which::a)),
      m_b(new SidePicker(session, Which::b)),
      m_sides(new QWidget(this)),
      m_rest(new QWidget(this)),
      m_layout(new QBoxLayout(QBoxLayout::LeftToRight, this)) {
  named(this, "sides-bar", tr("Sides A and B"));
  m_swap = named(makeIconButton("arrow-left-right", tr("Swap A and B")), "swap-sides");
  m_copy = named(makeIconButton("copy", tr("Copy A to B")), "copy-a-to-b");
  auto* sides = rowIn(m_sides);
  sides->addWidget(m_a, 1);
  sides->addWidget(m_swap);
  sides->addWidget(m_copy);
  sides->addWidget(m_b, 1);

  m_context = named(new QComboBox, "context", tr("Context: tokens of a chat"));
  m_context->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  m_context->setToolTip(tr("Tokens of a chat that the KV figures are for"));
  m_context->setWhatsThis(tr("How long a chat may grow. The KV cache takes memory for each token of it."));
  m_chats = named(new QSpinBox, "chats", tr("Chats at once"));
  m_chats->setRange(1, kMostChats);
  m_chats->setValue(session.chats());
  m_chats->setToolTip(tr("Chats at once that the KV figures are for"));
  m_chats->setWhatsThis(tr("How many chats are held at once. Each has a KV cache of its own."));
  m_weights = new Label({}, TextRole::caption, Tone::second);
  named(m_weights, "weights");
  auto* rest = rowIn(m_rest);
  rest->addWidget(m_context);
  rest->addWidget(new Label(tr("×"), TextRole::body, Tone::second));
  rest->addWidget(m_chats);
  m_chatsUnit = new Label({}, TextRole::caption, Tone::second);
  rest->addWidget(m_chatsUnit);
  rest->addWidget(m_weights, 1);

  m_layout->setSpacing(kGapGroups);
  m_layout->addWidget(m_sides, 1);
  m_layout->addWidget(m_rest);

  connect(m_swap, &QPushButton::clicked, &session, &Session::swapSides);
  connect(m_copy, &QPushButton::clicked, &session, &Session::copyAToB);
  connect(m_context, &QComboBox::activated, this,
          [this] { m_session.setContext(m_context->currentData().toLongLong(), m_session.chats()); });
  connect(m_chats, &QSpinBox::valueChanged, this,
          [this](int chats) { m_session.setContext(m_session.context(), chats); });
  for (const auto signal : {&Session::sidesChanged, &Session::contextChanged, &Session::cardsChanged}) {
    connect(&session, signal, this, &SidesBar::show);
  }
  connect(&session.engine(), &EngineClient::loadedChanged, this, &SidesBar::show);
  followTheme(this, [this] {
    const int around = (metrics().bar - metrics().control) / 2;
    m_layout->setContentsMargins(kGapGroups, around, kGapGroups, around);
    arrange();
    update();
  });
  show();
}

void SidesBar::show() {
  const bool any = m_session.side(Which::a) || m_session.side(Which::b);
  m_swap->setEnabled(any);
  m_copy->setEnabled(m_session.side(Which::a).has_value());
  fillContexts();
  const QSignalBlocker quiet(m_chats);
  m_chats->setValue(m_session.chats());
  m_chatsUnit->setText(tr("chat(s)", nullptr, m_session.chats()));
  arrange();
}

void SidesBar::fillContexts() {
  std::int64_t most = 0;
  for (const Which which : {Which::a, Which::b}) {
    const auto& side = m_session.side(which);
    const protocol::ModelCard* card = side ? m_session.knownCard(side->ref) : nullptr;
    if (card != nullptr) most = std::max(most, card->context);
  }
  const QSignalBlocker quiet(m_context);
  m_context->clear();
  m_context->addItem(most > 0 ? tr("%1 token(s)", nullptr, pluralOf(most)).arg(formatContext(most)) : tr("all tokens"),
                     0);
  for (const std::int64_t tokens : kContexts) {
    if ((most == 0 || tokens < most) || tokens == m_session.context()) {
      m_context->addItem(tr("%1 token(s)", nullptr, pluralOf(tokens)).arg(formatContext(tokens)),
                         static_cast<qlonglong>(tokens));
    }
  }
  m_context->setCurrentIndex(std::max(0, m_context->findData(static_cast<qlonglong>(m_session.context()))));
}

/// `brief`: the figures with fewer words, for a narrow window; figures are never shortened.
QString SidesBar::weightsText(bool brief) const {
  const auto& a = m_session.side(Which::a);
  const auto& b = m_session.side(Which::b);
  if (!a || !b) return {};
  const auto bytes = [this](const protocol::ModelRef& ref) -> std::optional<std::int64_t> {
    for (const protocol::LoadedModel& model : m_session.engine().loaded()) {
      if (model.ref == ref) return model.weightBytes;
    }
    const protocol::ModelCard* card = m_session.knownCard(ref);
    return card ? std::optional(card->bytesOnDisk) : std::nullopt;
  };
  const auto ofA = bytes(a->ref), ofB = bytes(b->ref);
  if (m_session.sharesWeights()) {
    if (!ofA) return tr("one copy of the weights");
    return brief ? tr("weights %1").arg(formatBytes(ofA)) : tr("one copy of the weights, %1").arg(formatBytes(ofA));
  }
  if (!ofA || !ofB) return tr("two sets of weights");
  const QString both = formatBytes(ofA) == formatBytes(ofB) ? tr("2 × %1").arg(formatBytes(ofA))
                                                            : tr("%1 + %2").arg(formatBytes(ofA), formatBytes(ofB));
  return brief ? tr("weights %1").arg(both) : tr("two sets of weights, %1").arg(both);
}

/// One row where everything fits, else two.
void SidesBar::arrange() {
  for (SidePicker* side : {m_a, m_b}) side->setWide(width() >= scaled(kWide));
  const auto fits = [this](const QString& weights) {
    const int words = m_weights->fontMetrics().horizontalAdvance(weights) + 1;
    const int rest = m_rest->sizeHint().width() - m_weights->sizeHint().width() + words;
    return m_sides->sizeHint().width() + rest + 3 * kGapGroups <= width();
  };
  const QString whole = weightsText(false), brief = weightsText(true);
  const auto direction = fits(brief) ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom;
  const bool shortened = direction == QBoxLayout::LeftToRight && !fits(whole);
  m_weights->setText(shortened ? brief : whole);
  m_weights->setToolTip(shortened ? whole : QString());
  if (m_layout->direction() == direction) return;
  m_layout->setDirection(direction);
  m_layout->setSpacing(direction == QBoxLayout::LeftToRight ? kGapGroups : kGapInside);
  updateGeometry();
}

QSize SidesBar::minimumSizeHint() const {
  const int width = std::max(m_sides->minimumSizeHint().width(), m_rest->minimumSizeHint().width()) + 2 * kGapGroups;
  return {width, m_layout->sizeHint().height()};
}

void SidesBar::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  arrange();
}

void SidesBar::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), colors().window);
  painter.fillRect(0, height() - 1, width(), 1, colors().line);
}

}  // namespace strata
