#include "widgets/data/column_mapper.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QVBoxLayout>
#include <algorithm>
#include <array>

#include "widgets/style/controls.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

/// What a column can be given (core/data/columns.h), by kind of data; the needed ones first.
struct Kind {
  const char* name;
  std::array<const char*, 2> needed;
  std::array<const char*, 2> optional;
};
constexpr std::array<Kind, 5> kKinds = {{
    {QT_TRANSLATE_NOOP("strata::ColumnMapper", "Pairs"), {"prompt", "completion"}, {nullptr, nullptr}},
    {QT_TRANSLATE_NOOP("strata::ColumnMapper", "Questions"), {"question", "answers"}, {"context", "id"}},
    {QT_TRANSLATE_NOOP("strata::ColumnMapper", "Instructions"), {"instruction", "output"}, {"input", "system"}},
    {QT_TRANSLATE_NOOP("strata::ColumnMapper", "Chats"), {"messages", nullptr}, {"system", "tools"}},
    {QT_TRANSLATE_NOOP("strata::ColumnMapper", "Text"), {"text", nullptr}, {nullptr, nullptr}},
}};

constexpr qsizetype kMostSample = 60;  // characters

QString roleName(const std::string& role) {
  static const std::map<std::string, QString> names = {{"prompt", ColumnMapper::tr("Prompt")},
                                                       {"completion", ColumnMapper::tr("Completion")},
                                                       {"question", ColumnMapper::tr("Question")},
                                                       {"answers", ColumnMapper::tr("Answers")},
                                                       {"context", ColumnMapper::tr("Context")},
                                                       {"id", ColumnMapper::tr("Id")},
                                                       {"instruction", ColumnMapper::tr("Instruction")},
                                                       {"output", ColumnMapper::tr("Output")},
                                                       {"input", ColumnMapper::tr("Input")},
                                                       {"system", ColumnMapper::tr("System prompt")},
                                                       {"messages", ColumnMapper::tr("Messages")},
                                                       {"tools", ColumnMapper::tr("Tools")},
                                                       {"text", ColumnMapper::tr("Text")}};
  const auto found = names.find(role);
  return found == names.end() ? QString::fromStdString(role) : found->second;
}

/// The kind whose roles the mapping names.
int kindOf(const ColumnMapper::Columns& columns) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (columns.count(kKinds[i].needed[0]) > 0) return static_cast<int>(i);
  }
  return 0;
}

}  // namespace

ColumnMapper::ColumnMapper(QWidget* parent)
    : QWidget(parent),
      m_kinds(new SegmentedButtons({}, this)),
      m_grid(new QGridLayout),
      m_problem(captionLabel(QString(), this)),
      m_use(makeButton(tr("Use these columns"), ButtonKind::accent, this)),
      m_clear(makeButton(tr("Recognise by itself"), ButtonKind::plain, this)) {
  setObjectName("columnMapper");
  setAccessibleName(tr("Column meanings"));
  QStringList kinds;
  for (const Kind& kind : kKinds) kinds << tr(kind.name);
  m_kinds->setNames(kinds);
  m_kinds->setObjectName("mapperKinds");
  m_kinds->setAccessibleName(tr("Kind of data"));
  for (int i = 0; i < kinds.size(); ++i) m_kinds->button(i)->setObjectName("mapperKind" + QString::number(i));
  m_problem->setObjectName("mapperProblem");
  m_use->setObjectName("mapperUse");
  m_clear->setObjectName("mapperClear");
  m_grid->setHorizontalSpacing(kGapGroups);
  m_grid->setVerticalSpacing(kGapRelated);

  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(kGapRelated);
  buttons->addWidget(m_use);
  buttons->addWidget(m_clear);
  buttons->addWidget(m_problem, 1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapRelated);
  layout->addWidget(sectionLabel(tr("Column meanings"), this));
  layout->addWidget(m_kinds, 0, Qt::AlignLeft);
  layout->addLayout(m_grid);
  layout->addLayout(buttons);
  connect(m_kinds, &SegmentedButtons::chosen, this, &ColumnMapper::build);
  connect(m_use, &QPushButton::clicked, this, [this] { Q_EMIT wanted(columns()); });
  connect(m_clear, &QPushButton::clicked, this, &ColumnMapper::cleared);
}

void ColumnMapper::show(const std::vector<protocol::DataKey>& keys, const Columns& columns) {
  m_keys = keys;
  m_columns = columns;
  m_clear->setVisible(!columns.empty());
  m_kinds->setCurrent(kindOf(columns));
  build(kindOf(columns));
}

void ColumnMapper::build(int kind) {
  m_kind = kind;
  while (QLayoutItem* item = m_grid->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  m_boxes.clear();
  m_fields.clear();
  int column = 0;
  const auto add = [&](const char* role, bool needed) {
    if (role == nullptr) return;
    auto* box = new QComboBox(this);
    box->setObjectName(QString("column-") + role);
    box->setEditable(true);
    box->setInsertPolicy(QComboBox::NoInsert);
    box->setWhatsThis(tr("The key of a record that holds this."));
    box->lineEdit()->setObjectName(QString("column-edit-") + role);
    box->lineEdit()->setAccessibleName(roleName(role));
    box->lineEdit()->setPlaceholderText(needed ? tr("choose a key") : tr("none"));
    box->addItem(QString());
    for (const protocol::DataKey& key : m_keys) {
      box->addItem(QString::fromStdString(key.name));
      box->setItemData(box->count() - 1, tipOf(QString::fromStdString(key.sample)), Qt::ToolTipRole);
    }
    const auto mapped = m_columns.find(role);
    const bool isSame =
        std::any_of(m_keys.begin(), m_keys.end(), [&](const protocol::DataKey& key) { return key.name == role; });
    box->setEditText(QString::fromStdString(mapped != m_columns.end() ? mapped->second
                                            : isSame                  ? std::string(role)
                                                                      : std::string()));
    connect(box, &QComboBox::editTextChanged, this, &ColumnMapper::refresh);
    auto* field = new Field(roleName(role), box, {}, this);
    m_grid->addWidget(field, column / 2, column % 2);
    m_boxes[role] = box;
    m_fields[role] = field;
    ++column;
  };
  for (const char* role : kKinds[kind].needed) add(role, true);
  for (const char* role : kKinds[kind].optional) add(role, false);
  refresh();
}

ColumnMapper::Columns ColumnMapper::columns() const {
  Columns columns;
  for (const auto& [role, box] : m_boxes) {
    const QString key = box->currentText().trimmed();
    if (!key.isEmpty()) columns[role] = key.toStdString();
  }
  return columns;
}

QString ColumnMapper::problem() const {
  const Columns given = columns();
  for (const char* role : kKinds[m_kind].needed) {
    if (role != nullptr && given.count(role) == 0) return tr("Choose the key for: %1.").arg(roleName(role));
  }
  return {};
}

QString ColumnMapper::sampleOf(const QString& key) const {
  const auto found = std::find_if(m_keys.begin(), m_keys.end(), [&](const protocol::DataKey& each) {
    return QString::fromStdString(each.name) == key.trimmed();
  });
  if (found == m_keys.end()) return {};
  const QString sample = QString::fromStdString(found->sample).simplified();
  if (sample.isEmpty()) return tr("Empty in the first record.");
  const QString shown = sample.size() > kMostSample ? sample.left(kMostSample - 1) + QChar(0x2026) : sample;
  return tr("First record: %1").arg(shown);
}

void ColumnMapper::refresh() {
  for (const auto& [role, field] : m_fields) field->setReason(sampleOf(m_boxes.at(role)->currentText()));
  const QString problem = this->problem();
  m_problem->setText(problem);
  m_use->setEnabled(problem.isEmpty());
}

}  // namespace strata
