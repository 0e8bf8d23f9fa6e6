#include "widgets/models/template_preview.h"

#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QVBoxLayout>

#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kLinesShown = 14;

}  // namespace

TemplatePreview::TemplatePreview(QWidget* parent)
    : QWidget(parent),
      m_origin(bodyLabel(QString(), this)),
      m_toggle(makeButton(QString(), ButtonKind::link, this)),
      m_source(new QPlainTextEdit(this)) {
  setObjectName("templatePreview");
  setAccessibleName(tr("Chat template"));
  m_origin->setObjectName("templateOrigin");
  m_toggle->setObjectName("templateToggle");
  m_toggle->setCheckable(true);
  m_source->setObjectName("templateSource");
  m_source->setAccessibleName(tr("Source of the chat template"));
  m_source->setReadOnly(true);
  m_source->setTabChangesFocus(true);
  m_source->setFrameShape(QFrame::NoFrame);
  m_source->setLineWrapMode(QPlainTextEdit::NoWrap);
  followTheme(this, [this] {
    m_source->setFont(fontOf(TextRole::mono));
    m_source->setFixedHeight(kLinesShown * m_source->fontMetrics().lineSpacing() + 2 * kGapRelated);
  });

  auto* top = new QHBoxLayout;
  top->setSpacing(kGapRelated);
  top->addWidget(sectionLabel(tr("Chat template"), this), 1);
  top->addWidget(m_toggle);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapInside);
  layout->addLayout(top);
  layout->addWidget(m_origin);
  layout->addWidget(m_source);
  connect(m_toggle, &QPushButton::toggled, this, &TemplatePreview::setOpen);
  setOpen(false);
}

void TemplatePreview::show(const protocol::ModelCard& card) {
  const QString origin = QString::fromStdString(card.templateOrigin);
  const bool source = !card.templateText.empty();
  m_origin->setText(!card.problem.empty() ? QString::fromStdString(card.problem)
                    : source              ? tr("Found in %1.").arg(origin)
                    : origin.isEmpty()    ? tr("The model brings none; the built-in one, ChatML, is used.")
                                          : tr("The model brings none; %1 is used.").arg(origin));
  m_origin->setTone(card.problem.empty() ? Tone::second : Tone::warn);
  m_source->setPlainText(QString::fromStdString(card.templateText));
  m_toggle->setVisible(source);
  if (!source) setOpen(false);
}

void TemplatePreview::setOpen(bool open) {
  m_source->setVisible(open);
  m_toggle->setChecked(open);
  m_toggle->setText(open ? tr("Fold") : tr("Show the source"));
  m_toggle->setIcon(icon(open ? "chevron-up" : "chevron-down", Ink::accent));
  m_toggle->setAccessibleName(open ? tr("Fold the chat template") : tr("Show the chat template's source"));
}

bool TemplatePreview::isOpen() const {
  return m_toggle->isChecked();
}

}  // namespace strata
