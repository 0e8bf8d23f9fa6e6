#include "widgets/chat/composer.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMimeData>
#include <QTextBlock>
#include <QTextDocument>
#include <QTextLayout>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/chat/sampling_panel.h"
#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kMostLines = 8;
constexpr int kStoreMilliseconds = 300;
constexpr qsizetype kDraftMost = 1 << 20;
constexpr const char* kDraftKey = "chat/draft";

}  // namespace

DraftEdit::DraftEdit(QWidget* parent) : QPlainTextEdit(parent) {
  setTabChangesFocus(true);
  setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
  setPlaceholderText(tr("Ask both sides"));
  setAccessibleName(tr("Question"));
  setObjectName("chatDraft");
  setWhatsThis(tr("The question for both sides. Enter sends it, Shift+Enter breaks the line, Up edits the last one."));
  document()->setDocumentMargin(kGapInside);
  connect(this, &QPlainTextEdit::textChanged, this, &DraftEdit::fit);
  followTheme(this, [this] {
    setFont(fonts().body);
    fit();
  });
}

void DraftEdit::fit() {
  const int line = std::max(1, fontMetrics().lineSpacing());
  int lines = 0;
  for (QTextBlock block = document()->begin(); block.isValid() && lines < kMostLines; block = block.next()) {
    lines += std::max(1, block.layout()->lineCount());
  }
  setVerticalScrollBarPolicy(lines < kMostLines ? Qt::ScrollBarAlwaysOff : Qt::ScrollBarAsNeeded);
  const int height = std::clamp(lines, 1, kMostLines) * line + 2 * kGapInside + 2 * frameWidth();
  setFixedHeight(std::max(height, metrics().control + kGapInside));
}

void DraftEdit::resizeEvent(QResizeEvent* event) {
  QPlainTextEdit::resizeEvent(event);
  // Later: a height that is set while the layout is at work would be overlooked by it.
  if (event->oldSize().width() != event->size().width()) QTimer::singleShot(0, this, &DraftEdit::fit);
}

void DraftEdit::insertFromMimeData(const QMimeData* source) {
  if (source->hasText()) insertPlainText(source->text().left(kDraftMost));
}

void DraftEdit::keyPressEvent(QKeyEvent* event) {
  const bool enter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
  if (enter && !event->modifiers().testFlag(Qt::ShiftModifier)) {
    event->accept();
    Q_EMIT sendWanted();
    return;
  }
  if (event->key() == Qt::Key_Up && event->modifiers() == Qt::NoModifier && toPlainText().isEmpty()) {
    event->accept();
    Q_EMIT lastWanted();
    return;
  }
  if (enter) {  // a line of its own, not a line separator inside one
    insertPlainText("\n");
    ensureCursorVisible();
    return;
  }
  QPlainTextEdit::keyPressEvent(event);
}

Composer::Composer(Session& session, QWidget* parent) : Pane(Ground::window, parent), m_session(session) {
  setObjectName("composer");
  setAccessibleName(tr("Your question"));
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapRelated);
  column->setSpacing(kGapRelated);
  m_edit = new DraftEdit(this);
  m_edit->setPlainText(session.settings().value(kDraftKey).toString());
  column->addWidget(m_edit);
  auto* row = new QHBoxLayout;
  row->setSpacing(kGapRelated);
  m_settings = makeButton(tr("Settings"), ButtonKind::quiet, this);
  m_settings->setIcon(icon("sliders"));
  m_settings->setCheckable(true);
  m_settings->setObjectName("chatSettings");
  m_settings->setToolTip(tr("Sampling settings and the system prompt"));
  row->addWidget(m_settings);
  m_seed = makeButton({}, ButtonKind::quiet, this);
  m_seed->setIcon(icon("dice-5"));
  m_seed->setObjectName("chatSeed");
  row->addWidget(m_seed);
  m_sampling = new ElidedLabel({}, TextRole::caption, Tone::second, this);
  m_sampling->setObjectName("composerSampling");
  row->addWidget(m_sampling);
  m_note = new ElidedLabel({}, TextRole::caption, Tone::second, this);
  m_note->setObjectName("composerNote");
  row->addWidget(m_note, 1);
  m_leave = makeButton(tr("Cancel edit"), ButtonKind::quiet, this);
  m_leave->setObjectName("leaveEditing");
  row->addWidget(m_leave);
  m_stop = makeButton(tr("Stop"), ButtonKind::plain, this);
  m_stop->setIcon(icon("stop-fill"));
  m_stop->setToolTip(tr("Stop all that is being answered (Esc)"));
  m_stop->setObjectName("stopBoth");
  row->addWidget(m_stop);
  m_send = makeButton(tr("Send"), ButtonKind::accent, this);
  m_send->setToolTip(tr("Ask both sides (Enter)"));
  m_send->setObjectName("send");
  row->addWidget(m_send);
  column->addLayout(row);
  m_storing.setSingleShot(true);
  m_storing.setInterval(kStoreMilliseconds);
  connect(&m_storing, &QTimer::timeout, this, &Composer::store);
  connect(m_edit, &QPlainTextEdit::textChanged, this, [this] { m_storing.start(); });
  connect(m_edit, &DraftEdit::sendWanted, this, &Composer::sendWanted);
  connect(m_edit, &DraftEdit::lastWanted, this, &Composer::lastWanted);
  connect(m_send, &QPushButton::clicked, this, &Composer::sendWanted);
  connect(m_stop, &QPushButton::clicked, this, &Composer::stopWanted);
  connect(m_seed, &QPushButton::clicked, this, &Composer::newSeedWanted);
  connect(m_settings, &QPushButton::toggled, this, &Composer::settingsToggled);
  connect(m_leave, &QPushButton::clicked, this, [this] { editTurn(-1, {}); });
  setBusy(false, false);
  setSampling({});
  m_leave->hide();
}

QString Composer::draft() const {
  return m_edit->toPlainText();
}

void Composer::setDraft(const QString& text) {
  m_edit->setPlainText(text);
  m_edit->moveCursor(QTextCursor::End);
}

void Composer::clear() {
  m_turn = -1;
  m_before.clear();
  m_leave->hide();
  setNote({});
  setDraft({});
  store();
}

void Composer::editTurn(int turn, const QString& question) {
  if (turn < 0) {
    const QString before = m_before;
    clear();
    setDraft(before);
    return;
  }
  if (m_turn < 0) m_before = draft();
  m_turn = turn;
  setDraft(question);
  m_leave->show();
  setNote(tr("Editing question %1: later turns go to the trash.").arg(turn + 1));
  m_edit->setFocus();
}

void Composer::setSampling(const GenerateConfig& sampling) {
  const bool draws = sampling.temperature > 0;
  m_seed->setText(tr("seed %1").arg(sampling.seed));
  m_seed->setAccessibleName(tr("Seed %1, draw another").arg(sampling.seed));
  m_seed->setEnabled(draws);
  m_seed->setToolTip(draws ? tr("Draw another seed for both sides")
                           : tr("At temperature 0 every seed gives the same answer"));
  QString text = tr("temperature %1").arg(sampling.temperature);
  if (!sampling.stop.empty()) text += QStringLiteral(" · ") + tr("stops at %1").arg(stopsText(sampling.stop));
  m_sampling->setText(text);
}

void Composer::setBusy(bool busy, bool both) {
  m_stop->setText(both ? tr("Stop both") : tr("Stop"));
  m_stop->setAccessibleName(both ? tr("Stop both sides") : tr("Stop the answer"));
  m_stop->setVisible(busy);
}

void Composer::setNote(const QString& note) {
  m_note->setText(note);
}

/// A draft outlives the process.
void Composer::store() {
  m_session.settings().setValue(kDraftKey, m_turn < 0 ? draft().left(kDraftMost) : m_before);
}

}  // namespace strata
