#include "widgets/config/config_form.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QUndoStack>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/config/command_view.h"
#include "widgets/config/field_editor.h"
#include "widgets/style/button.h"
#include "widgets/style/field.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/icons.h"
#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

QVBoxLayout* columnIn(QWidget* widget, int gap) {
  auto* column = new QVBoxLayout(widget);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(gap);
  return column;
}

/// "length" of "--length" and "length", "model" of "MODEL".
std::string fieldOf(const Error& error) {
  std::string name = error.context.starts_with("--") ? error.context.substr(2) : error.context;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

/// Why what was typed is not taken.
QString refusalOf(const FieldInfo& field, const std::optional<Json>& value) {
  const QString allowed = allowedValues(field);
  if (value && !field.meta.choices.empty()) return ConfigForm::tr("Give one of: %1.").arg(allowed);
  if (value) return ConfigForm::tr("Give a value of %1.").arg(allowed);
  if (field.kind == FieldKind::whole) return ConfigForm::tr("Give a whole number.");
  if (field.kind == FieldKind::real) return ConfigForm::tr("Give a number, such as 0.5.");
  return ConfigForm::tr("Give pairs such as prompt=q,completion=a.text.");
}

QString changesText(int count) {
  return count == 0 ? QString() : ConfigForm::tr("%n changed", nullptr, count);
}

}  // namespace

/// From some values to others; letters typed one after the other are one step.
class ConfigForm::SetValues : public QUndoCommand {
 public:
  SetValues(ConfigForm* form, Json before, Json after, const QString& what, int typing)
      : QUndoCommand(what), m_form(form), m_before(std::move(before)), m_after(std::move(after)), m_typing(typing) {}

  void redo() override { set(m_after); }
  void undo() override { set(m_before); }
  int id() const override { return 1; }
  bool mergeWith(const QUndoCommand* other) override {
    const auto* next = dynamic_cast<const SetValues*>(other);
    if (next == nullptr || next->m_form != m_form || next->m_typing != m_typing || m_after.size() != 1 ||
        next->m_after.size() != 1 || next->m_after.begin().key() != m_after.begin().key()) {
      return false;
    }
    m_after = next->m_after;
    setObsolete(m_after == m_before);
    return true;
  }

 private:
  void set(const Json& values) const {
    if (m_form != nullptr) m_form->apply(values);
  }
  QPointer<ConfigForm> m_form;
  Json m_before, m_after;
  int m_typing;
};

ConfigForm::ConfigForm(std::unique_ptr<AnyConfig> config, QUndoStack* undo, QWidget* parent)
    : QWidget(parent), m_config(std::move(config)), m_undo(undo) {
  auto* column = columnIn(this, kGapSections);
  addHead(column);
  for (const FieldInfo& info : m_config->fields()) {
    const QString group = translated(info.meta.group);
    auto section =
        std::find_if(m_sections.begin(), m_sections.end(), [&](const Section& s) { return s.group == group; });
    if (section == m_sections.end()) {
      addSection(group, column);
      section = std::prev(m_sections.end());
    }
    addRow(info, static_cast<int>(section - m_sections.begin()));
  }
  addCommand(column);
  column->addStretch(1);
  followTheme(this, [this] { setMaximumWidth(metrics().fieldWidth); });
  refresh();
}

ConfigForm::~ConfigForm() = default;

void ConfigForm::addHead(QVBoxLayout* column) {
  m_changed = new Label({}, TextRole::body, Tone::second);
  m_changed->setObjectName(QStringLiteral("changed"));
  m_resetAll = makeButton(tr("Reset all"), ButtonKind::quiet);
  m_resetAll->setObjectName(QStringLiteral("reset-all"));
  connect(m_resetAll, &Button::clicked, this, &ConfigForm::resetAll);
  m_general = captionLabel({});
  m_general->setTone(Tone::bad);
  m_general->setObjectName(QStringLiteral("problem"));
  QWidget* head = m_head = new QWidget(this);
  auto* rows = columnIn(head, kGapInside);
  rows->addWidget(new FoldingRow(m_changed, m_resetAll));
  rows->addWidget(m_general);
  column->addWidget(head);
}

void ConfigForm::addSection(const QString& group, QVBoxLayout* column) {
  Section section;
  section.group = group;
  section.widget = new QWidget(this);
  section.widget->setAccessibleName(group);
  section.changed = captionLabel({});
  section.changed->setWordWrap(false);
  auto* fields = columnIn(section.widget, kGapGroups);
  section.head = new QWidget;
  auto* head = new QHBoxLayout(section.head);
  head->setContentsMargins(0, 0, 0, 0);
  head->setSpacing(kGapRelated);
  head->addWidget(sectionLabel(group));
  head->addWidget(section.changed);
  head->addStretch(1);
  fields->addWidget(section.head);
  column->addWidget(section.widget);
  m_sections.push_back(section);
}

void ConfigForm::addRow(const FieldInfo& info, int index) {
  Section& section = m_sections[static_cast<std::size_t>(index)];
  auto* shown = static_cast<QVBoxLayout*>(section.widget->layout());
  if (info.meta.more && section.folded == nullptr) {
    section.folded = new QWidget;
    columnIn(section.folded, kGapGroups);
    section.more = makeButton({}, ButtonKind::quiet);
    section.more->setObjectName(QStringLiteral("more-") + QString::number(index));
    connect(section.more, &Button::clicked, this, [this, index] {
      Section& clicked = m_sections[static_cast<std::size_t>(index)];
      unfold(clicked, clicked.folded->isHidden());
    });
    shown->addWidget(section.more, 0, Qt::AlignLeft);
    shown->addWidget(section.folded);
    section.folded->hide();
  }
  auto row = std::make_unique<Row>();
  row->info = info;
  row->section = index;
  row->editor = FieldEditor::make(info);
  row->editor->setValue(info.value);
  row->field = new Field(translated(info.meta.label), row->editor, translated(info.meta.why));
  row->reset = makeButton(tr("Reset"), ButtonKind::link);
  row->reset->setCompact(true);
  row->reset->setObjectName(QStringLiteral("reset-") + QString::fromStdString(info.name));
  row->reset->setAccessibleName(tr("Reset %1").arg(translated(info.meta.label)));
  row->field->setCorner(row->reset);
  row->editor->focusProxy()->installEventFilter(this);
  connect(row->editor, &FieldEditor::edited, this, [this, at = row.get()] { onEdited(*at); });
  connect(row->editor, &FieldEditor::finished, this, [this] { ++m_typing; });
  const QString name = QString::fromStdString(info.name);
  connect(row->editor, &FieldEditor::browseRequested, this, [this, name] { Q_EMIT browseRequested(name); });
  connect(row->reset, &Button::clicked, this, [this, name] { reset(name); });
  if (info.meta.more) {
    section.folded->layout()->addWidget(row->field);
  } else {
    shown->insertWidget(section.more != nullptr ? shown->indexOf(section.more) : shown->count(), row->field);
  }
  m_rows.push_back(std::move(row));
}

void ConfigForm::addCommand(QVBoxLayout* column) {
  m_command = new CommandView;
  QWidget* section = m_commandPart = new QWidget(this);
  auto* rows = columnIn(section, kGapInside);
  rows->addWidget(sectionLabel(tr("Command line")));
  rows->addWidget(captionLabel(tr("Does the same in a terminal.")));
  rows->addWidget(m_command);
  column->addWidget(section);
}

ConfigForm::Row* ConfigForm::rowNamed(const std::string& name) {
  const auto found =
      std::find_if(m_rows.begin(), m_rows.end(), [&](const auto& row) { return row->info.name == name; });
  return found == m_rows.end() ? nullptr : found->get();
}

void ConfigForm::onEdited(Row& row) {
  const std::optional<Json> value = row.editor->value();
  const Json before = row.info.value;
  if (!value || !m_config->set({{row.info.name, *value}})) {
    row.pending = refusalOf(row.info, value);
    refresh();
    Q_EMIT changed();
    return;
  }
  row.pending.clear();
  if (*value == before) {
    refresh();
    Q_EMIT changed();
    return;
  }
  push({{row.info.name, *value}}, tr("Change %1").arg(translated(row.info.meta.label)));
}

void ConfigForm::push(const Json& values, const QString& what) {
  if (m_undo == nullptr) {
    apply(values);
    return;
  }
  Json before = Json::object();
  for (const auto& [name, value] : values.items()) before[name] = rowNamed(name)->info.value;
  m_undo->push(new SetValues(this, std::move(before), values, what, m_typing));
}

void ConfigForm::apply(const Json& values) {
  if (!m_config->set(values)) return;
  for (const auto& [name, value] : values.items()) rowNamed(name)->pending.clear();
  refresh();
  Q_EMIT changed();
}

Result<void> ConfigForm::load(const Json& values, const Json& base) {
  const Json before = m_config->values();
  STRATA_CHECK(m_config->set(values));
  const Result<void> based = m_config->setBase(base);
  if (!based) {
    (void)m_config->set(before);
    return based;
  }
  for (const auto& row : m_rows) row->pending.clear();
  ++m_typing;
  refresh();
  Q_EMIT changed();
  return {};
}

void ConfigForm::edit(const QString& name, const Json& value) {
  Row* row = rowNamed(name.toStdString());
  if (row == nullptr) return;
  ++m_typing;
  row->editor->setValue(value);
  onEdited(*row);
  ++m_typing;
}

void ConfigForm::reset(const QString& name) {
  Row* row = rowNamed(name.toStdString());
  if (row == nullptr) return;
  row->editor->setFocus();  // its button goes
  edit(name, row->info.base);
}

void ConfigForm::resetAll() {
  Json values = Json::object();
  for (const auto& row : m_rows) {
    row->pending.clear();
    if (row->info.isChanged()) values[row->info.name] = row->info.base;
  }
  ++m_typing;
  if (values.empty()) {
    refresh();
    Q_EMIT changed();
  } else {
    push(values, tr("Reset all"));
  }
  ++m_typing;
}

void ConfigForm::refresh() {
  std::vector<FieldInfo> fields = m_config->fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    Row& row = *m_rows[i];
    row.info = std::move(fields[i]);
    // A text that says the same otherwise ("0.50") stays as it is being typed, and so does one that is no value yet.
    if (row.pending.isEmpty() && row.editor->value() != row.info.value) row.editor->setValue(row.info.value);
    const bool resettable = row.info.isChanged() || !row.pending.isEmpty();
    if (row.reset->isHidden() == resettable) row.reset->setVisible(resettable);
    row.reset->setToolTip(tr("Back to: %1").arg(shownValue(row.info, row.info.base)));
  }
  showProblems();
  showCounts();
  m_command->setCommand(commandLine());
}

void ConfigForm::showProblems() {
  m_problem.clear();
  m_problemRow = nullptr;
  const Result<void> checked = m_config->check();
  const Row* wrong = checked ? nullptr : rowNamed(fieldOf(checked.error()));
  const QString sentence = checked ? QString() : QString::fromStdString(checked.error().message);
  for (const auto& row : m_rows) {
    const QString& problem = !row->pending.isEmpty() ? row->pending : row.get() == wrong ? sentence : QString();
    row->field->setProblem(problem);
    if (problem.isEmpty()) continue;
    if (row->info.meta.more) unfold(m_sections[static_cast<std::size_t>(row->section)], true);
    if (m_problem.isEmpty()) {
      m_problem = problem;
      m_problemRow = row.get();
    }
  }
  const bool general = !checked && wrong == nullptr;
  if (general && m_problem.isEmpty()) m_problem = sentence;
  m_general->setText(general ? sentence : QString());
  m_general->setVisible(general);
}

void ConfigForm::showCounts() {
  const int all = changedCount();
  m_changed->setText(all == 0 ? tr("Nothing changed") : changesText(all));
  const bool pending =
      std::any_of(m_rows.begin(), m_rows.end(), [](const auto& row) { return !row->pending.isEmpty(); });
  m_resetAll->setEnabled(all > 0 || pending);
  for (std::size_t i = 0; i < m_sections.size(); ++i) {
    Section& section = m_sections[i];
    section.changed->setText(changesText(changedCount(section.group)));
    if (section.more == nullptr) continue;
    int folded = 0, changed = 0;
    for (const auto& row : m_rows) {
      if (row->section != static_cast<int>(i) || !row->info.meta.more) continue;
      ++folded;
      changed += row->info.isChanged();
    }
    section.more->setText(changed == 0 ? tr("More") : tr("More (%n changed)", nullptr, changed));
    section.more->setAccessibleName(tr("%1: %2").arg(section.group, section.more->text()));
    section.more->setAccessibleDescription(section.folded->isHidden() ? tr("Shows %n more field(s)", nullptr, folded)
                                                                      : tr("Hides %n field(s)", nullptr, folded));
    section.more->setToolTip(section.more->accessibleDescription());
    section.more->setIcon(icon(section.folded->isHidden() ? "chevron-right" : "chevron-down"));
  }
}

void ConfigForm::unfold(Section& section, bool open) {
  if (section.folded == nullptr || section.folded->isHidden() != open) return;
  section.folded->setVisible(open);
  showCounts();
}

QStringList ConfigForm::groups() const {
  QStringList names;
  for (const Section& section : m_sections) names << section.group;
  return names;
}

void ConfigForm::showGroups(const QStringList& groups) {
  for (const Section& section : m_sections) section.widget->setVisible(groups.contains(section.group));
}

void ConfigForm::setHeadsShown(bool shown) {
  m_head->setVisible(shown);
  for (const Section& section : m_sections) section.head->setVisible(shown);
}

void ConfigForm::setCommandShown(bool shown) {
  m_commandPart->setVisible(shown);
}

void ConfigForm::setFieldShown(const QString& name, bool shown) {
  if (Row* row = rowNamed(name.toStdString())) row->field->setVisible(shown);
}

void ConfigForm::addBelow(const QString& group, QWidget* widget) {
  const auto section =
      std::find_if(m_sections.begin(), m_sections.end(), [&](const Section& s) { return s.group == group; });
  if (section != m_sections.end()) section->widget->layout()->addWidget(widget);
}

void ConfigForm::suggest(const QString& name, const QList<FieldEditor::Suggestion>& suggestions) {
  if (Row* row = rowNamed(name.toStdString())) row->editor->setSuggestions(suggestions);
}

int ConfigForm::changedCount(const QString& group) const {
  return static_cast<int>(std::count_if(m_rows.begin(), m_rows.end(), [&](const auto& row) {
    return row->info.isChanged() &&
           (group.isEmpty() || m_sections[static_cast<std::size_t>(row->section)].group == group);
  }));
}

QStringList ConfigForm::changes() const {
  QStringList changes;
  for (const auto& row : m_rows) {
    const FieldInfo& field = row->info;
    if (!field.isChanged()) continue;
    changes << tr("%1: %2, was %3")
                   .arg(translated(field.meta.label), shownValue(field, field.value), shownValue(field, field.base));
  }
  return changes;
}

QString ConfigForm::problemGroup() const {
  return m_problemRow == nullptr ? QString() : m_sections[static_cast<std::size_t>(m_problemRow->section)].group;
}

QString ConfigForm::problemField() const {
  return m_problemRow == nullptr ? QString() : QString::fromStdString(m_problemRow->info.name);
}

void ConfigForm::focusField(const QString& name) {
  Row* row = rowNamed(name.toStdString());
  if (row == nullptr) return;
  Section& section = m_sections[static_cast<std::size_t>(row->section)];
  section.widget->show();
  if (row->info.meta.more) unfold(section, true);
  row->editor->setFocus(Qt::OtherFocusReason);
}

QString ConfigForm::commandLine() const {
  return QString::fromStdString(m_config->commandLine());
}

bool ConfigForm::eventFilter(QObject* watched, QEvent* event) {
  auto* control = qobject_cast<QWidget*>(watched);
  if (event->type() == QEvent::Wheel && control != nullptr && !control->hasFocus()) {
    event->ignore();  // scrolls the page instead of changing what the pointer happens to be on
    return true;
  }
  const bool key = event->type() == QEvent::ShortcutOverride || event->type() == QEvent::KeyPress;
  if (!key || m_undo == nullptr) return QWidget::eventFilter(watched, event);
  // A line's own undo would take single letters back, and leave the page's out of step.
  auto* press = static_cast<QKeyEvent*>(event);
  const bool undo = press->matches(QKeySequence::Undo);
  if (!undo && !press->matches(QKeySequence::Redo)) return QWidget::eventFilter(watched, event);
  if (event->type() == QEvent::ShortcutOverride) {
    event->ignore();
    return true;
  }
  ++m_typing;
  Row* row = rowNamed(watched->objectName().toStdString());
  if (undo && row != nullptr && !row->pending.isEmpty()) {
    row->pending.clear();  // there is no step for it: the config never held it
    refresh();
    Q_EMIT changed();
    return true;
  }
  undo ? m_undo->undo() : m_undo->redo();
  return true;
}

}  // namespace strata
