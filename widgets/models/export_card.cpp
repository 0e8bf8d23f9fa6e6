#include "widgets/models/export_card.h"

#include <QClipboard>
#include <QDesktopServices>
#include <QGuiApplication>
#include <QUrl>
#include <QVBoxLayout>

#include "widgets/config/command_view.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

/// A sentence of the engine with `code` in it, which wraps.
Label* markdownLabel(const QString& markdown, TextRole role, Tone tone) {
  auto* label = new Label(markdown, role, tone);
  label->setTextFormat(Qt::MarkdownText);
  label->setWordWrap(true);
  return label;
}

}  // namespace

ExportCard::ExportCard(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_path(named(new ElidedLabel({}, TextRole::mono), "exportPath")),
      m_openFolder(named(makeButton(tr("Open folder")), "exportOpenFolder")),
      m_summary(named(bodyLabel({}), "exportSummary")),
      m_problem(named(new Label({}, TextRole::body, Tone::bad), "exportCardProblem")),
      m_uses(new QVBoxLayout) {
  named(this, "exportCard", tr("What was exported"));
  m_path->setElideMode(Qt::ElideMiddle);
  m_problem->setWordWrap(true);
  m_problem->hide();
  auto* copy = named(makeIconButton("copy", tr("Copy the folder's path")), "exportCopyPath");
  connect(copy, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(m_path->text()); });
  connect(static_cast<Button*>(m_openFolder), &QPushButton::clicked, this, [this] {
    const bool opened = QDesktopServices::openUrl(QUrl::fromLocalFile(m_path->text()));
    m_problem->setText(opened ? QString() : tr("No program opens folders. Copy the path instead."));
    m_problem->setVisible(!opened);
  });
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapRelated);
  layout->addWidget(new FoldingRow(m_path, rowOf({copy, m_openFolder})));
  layout->addWidget(m_problem);
  layout->addWidget(m_summary);
  m_uses->setSpacing(kGapGroups);
  layout->addSpacing(kGapRelated);
  layout->addLayout(m_uses);
}

void ExportCard::show(const protocol::ExportModel::Answer& answer) {
  while (QLayoutItem* item = m_uses->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  m_path->setText(text(answer.path));
  m_problem->hide();
  m_openFolder->setVisible(!m_session.engine().remote());
  const QString layers =
      tr("%1 of %2 layers keep keys and values (%3).").arg(answer.owners).arg(answer.layers).arg(text(answer.map));
  m_summary->setText(
      tr("%1 %2 on disk. The folder's README.md says the same as this card.").arg(layers, formatBytes(answer.bytes)));
  for (const protocol::ServingUse& use : answer.uses) addUse(use, answer);
}

void ExportCard::addUse(const protocol::ServingUse& use, const protocol::ExportModel::Answer& answer) {
  auto* part = named(new QWidget, qPrintable("exportUse" + text(use.program)), text(use.program));
  auto* column = new QVBoxLayout(part);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapInside);
  auto* head = new QHBoxLayout;
  head->setSpacing(kGapRelated);
  head->addWidget(new Label(text(use.program), TextRole::strong), 0, Qt::AlignBaseline);
  if (!use.needs.empty()) {
    head->addWidget(markdownLabel(text(use.needs), TextRole::body, Tone::second), 1, Qt::AlignBaseline);
  } else {
    head->addStretch(1);
  }
  column->addLayout(head);
  if (!use.command.empty()) {
    auto* command = new CommandView;
    command->setPurpose(tr("Command for %1").arg(text(use.program)),
                        tr("Copy the command for %1").arg(text(use.program)),
                        tr("Serves or loads what was exported in %1, under its map.").arg(text(use.program)));
    command->setCommand(text(use.setup.empty() ? use.command : use.setup + "\n" + use.command));
    column->addWidget(command);
    const QString context = formatContext(answer.context);
    QString saves = use.kvBytes < use.kvBytesFull
                        ? tr("The KV cache of %1 tokens takes %2 instead of %3.")
                              .arg(context, formatBytes(use.kvBytes), formatBytes(use.kvBytesFull))
                        : tr("The KV cache of %1 tokens takes %2: every layer keeps its own.")
                              .arg(context, formatBytes(use.kvBytes));
    if (!use.problem.empty()) saves.clear();
    if (!saves.isEmpty()) {
      column->addWidget(named(bodyLabel(saves), qPrintable("exportSaves" + text(use.program))));
    }
    column->addWidget(markdownLabel(tr("How to tell that it shares: %1").arg(text(use.check)) + ".", TextRole::caption,
                                    Tone::second));
  }
  if (!use.problem.empty()) column->addWidget(markdownLabel(text(use.problem), TextRole::body, Tone::warn));
  m_uses->addWidget(part);
}

}  // namespace strata
