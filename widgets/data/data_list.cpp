#include "widgets/data/data_list.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QListWidget>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kLeastLength = 2, kMostLength = 10'000'000;
constexpr qsizetype kMostOpened = 20;

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

}  // namespace

DataList::DataList(QWidget* parent)
    : QWidget(parent),
      m_files(new QListWidget(this)),
      m_remove(makeButton(tr("Remove from list"), ButtonKind::quiet, this)),
      m_none(captionLabel(tr("The project's folder holds no data files. Open one, or drop it here."), this)),
      m_model(new QComboBox),
      m_length(new QSpinBox),
      m_prompts(new Switch(tr("Train on prompts too"), this)) {
  setObjectName("dataList");
  setAccessibleName(tr("Data files and how they are read"));
  auto* open = makeButton(tr("Open…"), ButtonKind::plain, this);
  open->setObjectName("dataOpen");
  open->setAccessibleName(tr("Open a data file or folder"));
  open->setIcon(icon("folder2-open"));
  m_files->setObjectName("dataFiles");
  m_files->setAccessibleName(tr("Data sets and files of the project"));
  m_files->setFrameShape(QFrame::NoFrame);
  m_files->setTextElideMode(Qt::ElideMiddle);
  m_files->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  followTheme(m_files, [this] { m_files->setMinimumHeight(metrics().control); });  // it scrolls; what is below does not
  m_remove->setObjectName("dataRemove");
  m_remove->setToolTip(tr("The file stays. Its mapping is forgotten."));
  m_model->setObjectName("dataModel");
  m_model->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_length->setObjectName("dataLength");
  m_length->setButtonSymbols(QAbstractSpinBox::NoButtons);
  m_length->setRange(kLeastLength, kMostLength);
  m_length->setSingleStep(128);
  m_length->setGroupSeparatorShown(true);
  QLocale digits = QLocale::c();
  digits.setNumberOptions(QLocale::DefaultNumberOptions);  // "40,960", as formatCount() prints it
  m_length->setLocale(digits);
  followTheme(m_length, [this] { m_length->setFont(fontOf(TextRole::mono)); });
  m_length->setKeyboardTracking(false);
  m_prompts->setObjectName("dataTrainOnPrompt");
  m_prompts->setToolTip(tr("Off: only completions, answers and the assistant's turns count in the loss"));

  auto* top = new QHBoxLayout;
  top->setSpacing(kGapRelated);
  top->addWidget(titleLabel(tr("Data"), this), 1);
  top->addWidget(open);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  layout->setSpacing(kGapRelated);
  layout->addLayout(top);
  layout->addWidget(m_none);
  layout->addWidget(m_files, 1);
  layout->addWidget(m_remove, 0, Qt::AlignLeft);
  layout->addSpacing(kGapRelated);
  layout->addWidget(sectionLabel(tr("Read with"), this));
  layout->addWidget(new Field(tr("Model"), m_model, tr("Its tokenizer and chat template are used."), this));
  layout->addWidget(new Field(tr("Length, tokens"), m_length, tr("A longer row is cut, or loses passages."), this));
  layout->addWidget(m_prompts);
  setFocusProxy(m_files);

  connect(open, &QPushButton::clicked, this, &DataList::openWanted);
  connect(m_files, &QListWidget::currentItemChanged, this, [this](QListWidgetItem* item) {
    if (item == nullptr || item->data(Qt::UserRole).toString() == m_path) return;
    m_path = item->data(Qt::UserRole).toString();
    Q_EMIT chosen(m_path);
  });
  connect(m_remove, &QPushButton::clicked, this, [this] { Q_EMIT removeWanted(m_path); });
  connect(m_model, &QComboBox::activated, this, &DataList::settingsChanged);
  connect(m_length, &QSpinBox::valueChanged, this, &DataList::settingsChanged);
  connect(m_prompts, &QCheckBox::toggled, this, &DataList::settingsChanged);
  showFiles({});
}

void DataList::showFiles(const std::vector<protocol::DataEntry>& files) {
  m_listed = files;
  m_opened.removeIf([this](const QString& path) { return find(path) != nullptr; });
  select();
}

void DataList::forget() {
  m_listed.clear();
  m_opened.clear();
  setPath({});
}

void DataList::setPath(const QString& path) {
  m_path = path;
  if (!path.isEmpty() && !m_opened.contains(path) && find(path) == nullptr) {
    m_opened.prepend(path);
    while (m_opened.size() > kMostOpened) m_opened.removeLast();
  }
  select();
}

const protocol::DataEntry* DataList::find(const QString& path) const {
  const auto found = std::find_if(m_listed.begin(), m_listed.end(),
                                  [&](const protocol::DataEntry& file) { return text(file.path) == path; });
  return found == m_listed.end() ? nullptr : &*found;
}

void DataList::select() {
  const QSignalBlocker quiet(m_files);
  m_files->clear();
  const auto add = [this](const QString& name, const QString& path) {
    auto* item = new QListWidgetItem(icon("file-earmark-text", Ink::second), name, m_files);
    item->setData(Qt::UserRole, path);
    item->setToolTip(tipOf(path));
    if (path == m_path) m_files->setCurrentItem(item);
  };
  for (const protocol::DataEntry& file : m_listed) add(text(file.name), text(file.path));
  for (const QString& path : m_opened) add(path.section('/', -1, -1, QString::SectionSkipEmpty), path);
  const protocol::DataEntry* chosen = find(m_path);
  m_remove->setVisible(chosen != nullptr && chosen->added);
  m_none->setVisible(m_files->count() == 0);
}

void DataList::showModels(const std::vector<protocol::ModelEntry>& models, const std::string& chosen) {
  const QSignalBlocker quiet(m_model);
  m_model->clear();
  m_model->addItem(tr("None: tokens are not counted"), QString());
  for (const protocol::ModelEntry& model : models) {
    m_model->addItem(text(model.name), text(model.model));
    m_model->setItemData(m_model->count() - 1, tipOf(text(model.path)), Qt::ToolTipRole);
  }
  int at = m_model->findData(text(chosen));
  if (at < 0) {
    m_model->addItem(text(chosen).section('/', -1, -1, QString::SectionSkipEmpty), text(chosen));
    at = m_model->count() - 1;
  }
  m_model->setCurrentIndex(at);
}

std::string DataList::model() const {
  return m_model->currentData().toString().toStdString();
}

int DataList::length() const {
  return m_length->value();
}

void DataList::setLength(int tokens) {
  const QSignalBlocker quiet(m_length);
  m_length->setValue(tokens);
}

bool DataList::trainOnPrompt() const {
  return m_prompts->isChecked();
}

void DataList::setTrainOnPrompt(bool on) {
  const QSignalBlocker quiet(m_prompts);
  m_prompts->setChecked(on);
}

}  // namespace strata
