#include "widgets/config/field_editor.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QSignalBlocker>
#include <algorithm>
#include <cmath>

#include "widgets/style/button.h"
#include "widgets/style/format.h"
#include "widgets/style/labels.h"
#include "widgets/style/switch.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kNumberWidth = 160;

bool isNumber(const FieldInfo& field) {
  return field.kind == FieldKind::whole || field.kind == FieldKind::real;
}

bool hasOpenChoice(const FieldInfo& field) {
  const auto& choices = field.meta.choices;
  return std::any_of(choices.begin(), choices.end(), [](const Choice& choice) { return *choice.pattern != '\0'; });
}

QString limit(double value) {
  if (std::abs(value) < 1 || value != std::floor(value))
    return QString::fromStdString(fieldText(FieldKind::real, value));
  return formatCount(static_cast<std::int64_t>(value));
}

class FlagEditor : public FieldEditor {
 public:
  explicit FlagEditor(const FieldInfo& field) : FieldEditor(field), m_switch(new Switch) {
    setControl(m_switch);
    connect(m_switch, &Switch::toggled, this, &FlagEditor::showState);
    connect(m_switch, &Switch::clicked, this, [this] {
      Q_EMIT edited();
      Q_EMIT finished();
    });
    showState();
  }
  void setValue(const Json& value) override { m_switch->setChecked(value.get<bool>()); }
  std::optional<Json> value() const override { return Json(m_switch->isChecked()); }

 private:
  void showState() { m_switch->setText(m_switch->isChecked() ? FieldEditor::tr("On") : FieldEditor::tr("Off")); }
  Switch* m_switch;
};

/// A few words and no others.
class ChoiceEditor : public FieldEditor {
 public:
  explicit ChoiceEditor(const FieldInfo& field) : FieldEditor(field), m_box(new QComboBox) {
    for (const Choice& choice : field.meta.choices) m_box->addItem(translated(choice.label), QString(choice.value));
    m_box->setMinimumContentsLength(8);
    m_box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    setControl(m_box);
    connect(m_box, &QComboBox::currentTextChanged, this,
            [this](const QString& text) { m_box->setToolTip(tipOf(text)); });
    connect(m_box, &QComboBox::activated, this, [this] {
      Q_EMIT edited();
      Q_EMIT finished();
    });
  }
  void setValue(const Json& value) override {
    m_box->setCurrentIndex(m_box->findData(QString::fromStdString(value.get<std::string>())));
  }
  std::optional<Json> value() const override { return Json(m_box->currentData().toString().toStdString()); }

 private:
  QComboBox* m_box;
};

/// Words and patterns: the list says what each means, the line holds the word alone.
class OpenChoiceEditor : public FieldEditor {
 public:
  explicit OpenChoiceEditor(const FieldInfo& field) : FieldEditor(field), m_box(new QComboBox) {
    m_box->setEditable(true);
    m_box->setInsertPolicy(QComboBox::NoInsert);
    m_box->setCompleter(nullptr);
    for (const Choice& choice : field.meta.choices) {
      const QString value = choice.value;
      const QString label = translated(choice.label);
      m_box->addItem(value.isEmpty() ? label : QStringLiteral("%1 – %2").arg(value, label), value);
    }
    setControl(m_box);
    followTheme(this, [this] { m_box->lineEdit()->setFont(fonts().mono); });
    connect(m_box, &QComboBox::activated, this, [this](int index) {
      m_box->setEditText(m_box->itemData(index).toString());
      Q_EMIT edited();
      Q_EMIT finished();
    });
    connect(m_box->lineEdit(), &QLineEdit::textEdited, this, &OpenChoiceEditor::edited);
    connect(m_box->lineEdit(), &QLineEdit::editingFinished, this, &OpenChoiceEditor::finished);
  }
  void setValue(const Json& value) override {
    const QString text = QString::fromStdString(value.get<std::string>());
    m_box->setCurrentIndex(m_box->findData(text));
    m_box->setEditText(text);
  }
  std::optional<Json> value() const override { return Json(m_box->currentText().toStdString()); }

 private:
  QComboBox* m_box;
};

/// A path of the engine's machine: typed, browsed for, or one that is known by name.
class PathEditor : public FieldEditor {
 public:
  explicit PathEditor(const FieldInfo& field) : FieldEditor(field), m_box(new QComboBox) {
    m_box->setEditable(true);
    m_box->setInsertPolicy(QComboBox::NoInsert);
    m_box->setCompleter(nullptr);
    m_box->setMinimumContentsLength(8);
    m_box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_box->lineEdit()->setPlaceholderText(translated(field.meta.open));
    auto* browse = makeButton(FieldEditor::tr("Browse…"));
    browse->setAccessibleName(FieldEditor::tr("Browse for %1").arg(translated(field.meta.label)));
    browse->setObjectName(QStringLiteral("browse-") + QString::fromStdString(field.name));
    connect(browse, &Button::clicked, this, &PathEditor::browseRequested);
    setControl(m_box, {browse});
    connect(m_box, &QComboBox::activated, this, [this](int index) {
      m_box->setEditText(m_box->itemData(index).toString());
      Q_EMIT edited();
      Q_EMIT finished();
    });
    connect(m_box->lineEdit(), &QLineEdit::textEdited, this, &PathEditor::edited);
    connect(m_box->lineEdit(), &QLineEdit::editingFinished, this, &PathEditor::finished);
  }
  void setSuggestions(const QList<Suggestion>& suggestions) override {
    if (suggestions == m_suggestions) return;
    m_suggestions = suggestions;
    const QString text = m_box->currentText();
    const QSignalBlocker quiet(m_box);
    m_box->clear();
    for (const Suggestion& each : suggestions) {
      m_box->addItem(each.name, each.value);
      m_box->setItemData(m_box->count() - 1, tipOf(each.value), Qt::ToolTipRole);
    }
    m_box->setCurrentIndex(m_box->findData(text));
    m_box->setEditText(text);
  }
  void setValue(const Json& value) override {
    const QString text = QString::fromStdString(value.get<std::string>());
    m_box->setCurrentIndex(m_box->findData(text));
    m_box->setEditText(text);
    m_box->lineEdit()->end(false);  // of a path that is too long the file's name is seen
    m_box->setToolTip(tipOf(text));
  }
  std::optional<Json> value() const override { return Json(m_box->currentText().toStdString()); }

 private:
  QComboBox* m_box;
  QList<Suggestion> m_suggestions;
};

class LineEditor : public FieldEditor {
 public:
  explicit LineEditor(const FieldInfo& field) : FieldEditor(field), m_line(new QLineEdit) {
    m_line->setPlaceholderText(translated(field.meta.open));
    QList<QWidget*> beside;
    if (*field.meta.unit != '\0') beside << new Label(translated(field.meta.unit), TextRole::body, Tone::second);
    setControl(m_line, beside);
    followTheme(this, [this] {
      const bool narrow = isNumber(this->field()) && m_line->placeholderText().isEmpty();
      m_line->setMaximumWidth(narrow ? scaled(kNumberWidth) : QWIDGETSIZE_MAX);
      m_line->setFont(this->field().kind == FieldKind::text ? fonts().body : fonts().mono);
    });
    connect(m_line, &QLineEdit::textEdited, this, &LineEditor::edited);
    connect(m_line, &QLineEdit::editingFinished, this, &LineEditor::finished);
  }
  void setValue(const Json& value) override {
    m_line->setText(QString::fromStdString(fieldText(field().kind, value)));
    m_line->setCursorPosition(0);  // of a long one its beginning
  }
  std::optional<Json> value() const override {
    const std::string text = m_line->text().toStdString();
    return parseField(field().kind, field().optional,
                      isNumber(field()) ? m_line->text().trimmed().toStdString() : text);
  }

 private:
  QLineEdit* m_line;
};

/// For F1: the reason, then what an expert looks for.
QString helpFor(const FieldInfo& field) {
  QStringList lines{translated(field.meta.why), {}};
  lines << FieldEditor::tr("Option --%1: %2").arg(QString::fromStdString(field.name), translated(field.meta.help));
  const QString allowed = allowedValues(field);
  if (!allowed.isEmpty()) lines << FieldEditor::tr("Allowed: %1").arg(allowed);
  return lines.join('\n');
}

}  // namespace

QString translated(const char* text) {
  return *text == '\0' ? QString() : QCoreApplication::translate("strata::Config", text);
}

QString allowedValues(const FieldInfo& field) {
  if (!field.meta.choices.empty()) return QString::fromStdString(printChoices(field.meta.choices));
  const Range& range = field.meta.range;
  const bool min = std::isfinite(range.min), max = std::isfinite(range.max);
  if (min && max) return FieldEditor::tr("%1 to %2").arg(limit(range.min), limit(range.max));
  if (min) return FieldEditor::tr("%1 or more").arg(limit(range.min));
  if (max) return FieldEditor::tr("at most %1").arg(limit(range.max));
  return {};
}

QString shownValue(const FieldInfo& field, const Json& value) {
  if (field.kind == FieldKind::flag) return value.get<bool>() ? FieldEditor::tr("on") : FieldEditor::tr("off");
  const QString text = QString::fromStdString(fieldText(field.kind, value));
  if (text.isEmpty()) return *field.meta.open != '\0' ? translated(field.meta.open) : FieldEditor::tr("empty");
  return *field.meta.unit != '\0' ? text + ' ' + translated(field.meta.unit) : text;
}

void FieldEditor::setControl(QWidget* control, const QList<QWidget*>& beside) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kGapRelated);
  const bool line = qobject_cast<QLineEdit*>(control) != nullptr || qobject_cast<QComboBox*>(control) != nullptr;
  row->addWidget(control, line ? 1 : 0);
  for (QWidget* each : beside) row->addWidget(each);
  if (!line || (isNumber(m_field) && *m_field.meta.open == '\0')) row->addStretch(1);
  QString name = translated(m_field.meta.label);
  if (*m_field.meta.unit != '\0') name = tr("%1, in %2").arg(name, translated(m_field.meta.unit));
  control->setAccessibleName(name);
  control->setWhatsThis(helpFor(m_field));
  control->setObjectName(QString::fromStdString(m_field.name));
  if (auto* box = qobject_cast<QComboBox*>(control); box != nullptr && box->isEditable()) {
    box->lineEdit()->setObjectName(control->objectName() + QStringLiteral("-text"));
    box->lineEdit()->setAccessibleName(name);
    box->lineEdit()->setWhatsThis(control->whatsThis());
  }
  control->setFocusPolicy(Qt::StrongFocus);  // the wheel alone does not take the focus
  setFocusProxy(control);
}

FieldEditor* FieldEditor::make(const FieldInfo& field) {
  if (field.kind == FieldKind::flag) return new FlagEditor(field);
  if (field.kind == FieldKind::text && field.meta.path) return new PathEditor(field);
  if (field.meta.choices.empty()) return new LineEditor(field);
  if (hasOpenChoice(field)) return new OpenChoiceEditor(field);
  return new ChoiceEditor(field);
}

}  // namespace strata
