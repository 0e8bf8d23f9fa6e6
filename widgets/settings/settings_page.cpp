#include "widgets/settings/settings_page.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListWidget>
#include <QScrollArea>
#include <QScrollBar>
#include <QTextBrowser>
#include <QTimer>
#include <algorithm>

#include "widgets/language/language.h"
#include "widgets/session/launcher_field.h"
#include "widgets/settings/trash_list.h"
#include "widgets/shell/engine_command.h"
#include "widgets/shell/engine_popup.h"
#include "widgets/shell/folder_popup.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"

namespace strata {
namespace {

constexpr int kSizes[] = {100, 125, 150, 175, 200};
constexpr Theme::Choice kChoices[] = {Theme::Choice::system, Theme::Choice::light, Theme::Choice::dark,
                                      Theme::Choice::contrast};
constexpr const char* kChoiceNames[] = {"system", "light", "dark", "contrast"};
constexpr int kFolderRows = 4;
constexpr int kLicenceRows = 14;

}  // namespace

void restoreTheme(Settings& settings, Theme& theme) {
  const QString scheme = settings.value("look/theme").toString();
  for (std::size_t i = 0; i < std::size(kChoices); ++i) {
    if (scheme == kChoiceNames[i]) theme.setChoice(kChoices[i]);
  }
  theme.setTextPercent(settings.value("look/text", 100).toInt());
}

SettingsPage::SettingsPage(Session& session, Theme& theme, AboutTexts about, QWidget* parent)
    : Page(parent), m_session(session), m_theme(theme) {
  named(this, "settings-page", title());
  auto* inside = new QWidget;
  auto* centre = new QHBoxLayout(inside);
  centre->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapSections);
  auto* content = new QWidget;
  m_column = new QVBoxLayout(content);
  m_column->setContentsMargins(0, 0, 0, 0);
  m_column->setSpacing(kGapSections);
  m_column->addWidget(titleLabel(title()));
  centre->addWidget(content, 1);
  centre->addStretch(0);
  followTheme(this, [content] { content->setMaximumWidth(metrics().textWidth); });
  m_scroll = named(new QScrollArea, "settings-scroll", title());
  m_scroll->setWidgetResizable(true);
  m_scroll->setFocusPolicy(Qt::NoFocus);
  m_scroll->setWidget(inside);
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  outer->addWidget(m_scroll);

  addAppearance(theme);
  addFolders();
  addEngine();
  addProject();
  section("trash", tr("Trash"))->addWidget(new TrashList(session));
  addAbout(about);
  addCommands();
  m_column->addStretch();
}

QVBoxLayout* SettingsPage::section(const QString& id, const QString& title) {
  auto* part = new QWidget;
  auto* column = new QVBoxLayout(part);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  column->addWidget(sectionLabel(title));
  m_column->addWidget(part);
  m_sections[id] = part;
  return column;
}

void SettingsPage::addAppearance(Theme& theme) {
  QVBoxLayout* column = section("appearance", tr("Appearance"));
  m_scheme =
      named(new SegmentedButtons({tr("System"), tr("Light"), tr("Dark"), tr("High contrast")}), "theme", tr("Theme"));
  m_size = named(new SegmentedButtons, "text-size", tr("Text size"));
  QStringList sizes;
  for (const int size : kSizes) sizes << tr("%1 %").arg(size);
  m_size->setNames(sizes);
  column->addWidget(new Field(tr("Theme"), m_scheme, tr("System follows what the desktop asks for.")));
  column->addWidget(new Field(tr("Text size"), m_size, tr("Also by Ctrl++ and Ctrl+-.")));
  connect(m_scheme, &SegmentedButtons::chosen, this, [this](int index) {
    m_theme.setChoice(kChoices[index]);
    m_session.settings().setValue("look/theme", QString(kChoiceNames[index]));
  });
  connect(m_size, &SegmentedButtons::chosen, this, [this](int index) {
    m_theme.setTextPercent(kSizes[index]);
    m_session.settings().setValue("look/text", kSizes[index]);
  });
  const auto show = [this] {
    for (std::size_t i = 0; i < std::size(kChoices); ++i) {
      if (m_theme.choice() == kChoices[i]) m_scheme->setCurrent(static_cast<int>(i));
    }
    int nearest = -1;
    for (std::size_t i = 0; i < std::size(kSizes); ++i) {
      if (m_theme.textPercent() == kSizes[i]) nearest = static_cast<int>(i);
    }
    m_size->setCurrent(nearest);
  };
  connect(&theme, &Theme::changed, this, show);
  show();
  addLanguage(column);
}

void SettingsPage::addLanguage(QVBoxLayout* column) {
  auto* box = named(new QComboBox, "language", tr("Language"));
  box->addItem(tr("System"), QString());
  for (const QString& language : languages()) box->addItem(languageName(language), language);
  const int chosen = box->findData(m_session.settings().value("look/language").toString());
  box->setCurrentIndex(std::max(0, chosen));
  column->addWidget(new Field(tr("Language"), box, tr("Takes effect when the window is opened again.")));
  connect(box, &QComboBox::activated, this,
          [this, box] { m_session.settings().setValue("look/language", box->currentData().toString()); });
}

void SettingsPage::addProject() {
  section("project", tr("Project"))->addWidget(new LauncherField(m_session, "launcher"));
}

void SettingsPage::addFolders() {
  QVBoxLayout* column = section("folders", tr("Folders of models"));
  column->addWidget(
      captionLabel(tr("Models in these folders of the engine's machine are listed beside those of the project and of "
                      "the Hugging Face cache.")));
  m_folders = named(new QListWidget, "model-folders", tr("Folders of models"));
  auto* add = named(makeButton(tr("Add a folder…")), "add-model-folder");
  auto* remove = named(makeButton(tr("Remove from list")), "remove-model-folder");
  auto* row = new QHBoxLayout;
  row->setSpacing(kGapRelated);
  row->addWidget(add);
  row->addWidget(remove);
  row->addStretch();
  column->addWidget(m_folders);
  column->addLayout(row);
  const auto show = [this, remove] {
    m_folders->clear();
    m_folders->addItems(m_session.models().folders());
    m_folders->setVisible(m_folders->count() > 0);
    remove->setVisible(m_folders->count() > 0);
    m_folders->setCurrentRow(0);
  };
  connect(add, &QPushButton::clicked, this, [this, add, show] {
    auto* popup = new FolderPopup(m_session, FolderPopup::Purpose::folder, this);
    connect(popup, &FolderPopup::chosen, this, [this, show](const QString& folder) {
      QStringList folders = m_session.models().folders();
      if (!folders.contains(folder)) folders << folder;
      m_session.models().setFolders(folders);
      show();
    });
    popup->openAt(add);
  });
  connect(remove, &QPushButton::clicked, this, [this, show] {
    QStringList folders = m_session.models().folders();
    if (m_folders->currentRow() >= 0) folders.removeAt(m_folders->currentRow());
    m_session.models().setFolders(folders);
    show();
  });
  followTheme(this, [this] { m_folders->setFixedHeight(kFolderRows * metrics().control); });
  show();
}

void SettingsPage::addEngine() {
  QVBoxLayout* column = section("engine", tr("Engine"));
  m_engine = captionLabel({});
  column->addWidget(m_engine);
  m_command = named(new QComboBox, "engine-choice");
  m_command->setEditable(true);
  m_command->setInsertPolicy(QComboBox::NoInsert);
  m_command->lineEdit()->setObjectName("engine-choice-text");
  followTheme(m_command, [this] { m_command->lineEdit()->setFont(fontOf(TextRole::mono)); });
  m_command->lineEdit()->setPlaceholderText(tr("the strata of this machine"));
  column->addWidget(new Field(tr("Command that starts it"), m_command,
                              tr("Empty: the strata of this machine. On another one: ssh gpu-box strata engine.")));
  auto* use = named(makeButton(tr("Start this one")), "engine-choose");
  column->addWidget(use, 0, Qt::AlignLeft);
  const auto choose = [this] { m_session.useEngine(m_command->currentText().trimmed()); };
  connect(use, &QPushButton::clicked, this, choose);
  connect(m_command->lineEdit(), &QLineEdit::returnPressed, this, choose);
  connect(&m_session.engine(), &EngineClient::stateChanged, this, &SettingsPage::showEngine);
  showEngine();
}

void SettingsPage::showEngine() {
  const EngineClient& engine = m_session.engine();
  QString text = engineStateText(engine) + ". ";
  if (!engine.problem().isEmpty()) text += engine.problem();
  if (engine.ready()) {
    text += tr("Version %1 on %2.")
                .arg(QString::fromStdString(engine.engine().version), QString::fromStdString(engine.engine().host));
    for (const protocol::Device& device : engine.engine().devices) {
      text += ' ' + QString::fromStdString(device.description.empty() ? device.name : device.description);
      if (device.memoryBytes > 0) text += tr(", %1").arg(formatBytes(device.memoryBytes));
      text += device.usable ? "." : ". " + QString::fromStdString(device.reason);
    }
  }
  m_engine->setText(text);
  if (m_command->lineEdit()->hasFocus()) return;
  const QString chosen = m_session.settings().value("engine/command").toString();
  m_command->clear();
  m_command->addItem({});
  m_command->addItems(m_session.settings().value("engine/hosts").toStringList());
  m_command->setCurrentText(chosen);
}

void SettingsPage::addAbout(const AboutTexts& about) {
  QVBoxLayout* column = section("about", tr("About Strata"));
  column->addWidget(
      bodyLabel(tr("Strata %1: a workbench for models whose layers share one another's KV cache.").arg(about.version)));
  column->addWidget(
      bodyLabel(tr("Strata's sources are under the Apache License 2.0. This program, the window, is distributed under "
                   "the GNU General "
                   "Public License 3, because it links Qt Charts (GPL-3.0) and QCustomPlot (GPL-3.0 or later). The "
                   "engine links neither.")));
  auto* toggle = named(makeButton(tr("Show the licences")), "licences-toggle");
  toggle->setCheckable(true);
  auto* text = named(new QTextBrowser, "licences", tr("Licences"));
  text->setOpenLinks(false);
  text->hide();
  column->addWidget(toggle, 0, Qt::AlignLeft);
  column->addWidget(text);
  connect(toggle, &QPushButton::toggled, text, [toggle, text, about](bool shown) {
    // Laid out when it is asked for first: the texts are long.
    if (shown && text->document()->isEmpty()) {
      text->setMarkdown(about.dependencies + "\n\n```\n" + about.licence + "\n```\n");
    }
    text->setVisible(shown);
    toggle->setText(shown ? tr("Hide the licences") : tr("Show the licences"));
  });
  followTheme(this, [text] { text->setFixedHeight(kLicenceRows * metrics().control); });
}

QList<QWidget*> SettingsPage::panes() {
  return {m_scroll->widget()};
}

bool SettingsPage::shows(const Place& place) const {
  return place.kind == PlaceKind::setting || Page::shows(place);
}

void SettingsPage::open(const Place& place) {
  QWidget* part = m_sections.value(place.id);
  if (part == nullptr) return;
  // Once laid out: the page may have been shown only now.
  QTimer::singleShot(0, part, [this, part] {
    m_scroll->verticalScrollBar()->setValue(part->y());
    for (QWidget* control : part->findChildren<QWidget*>()) {
      if (control->isVisible() && control->focusPolicy() & Qt::TabFocus) return control->setFocus(Qt::OtherFocusReason);
    }
  });
}

void SettingsPage::addCommands() {
  const std::pair<QString, const char*> sections[] = {
      {tr("Theme"), "appearance"},          {tr("Text size"), "appearance"},    {tr("Language"), "appearance"},
      {tr("Folders of models"), "folders"}, {tr("Engine and hosts"), "engine"}, {tr("Trash"), "trash"},
      {tr("About and licences"), "about"}};
  for (const auto& [name, section] : sections) {
    addCommand(section, name, {}, [this, section = section] { m_session.go(Place::setting(section)); });
  }
  // "dark" finds the value itself.
  for (const auto& [name, values] : {std::pair(tr("Theme"), m_scheme), std::pair(tr("Text size"), m_size)}) {
    for (int i = 0; i < values->count(); ++i) {
      QAbstractButton* value = values->button(i);
      QAction* action =
          addCommand("setting-value", tr("%1: %2").arg(name, value->text()), {}, [value] { value->click(); });
      action->setProperty(kDoneInPlace, true);
    }
  }
}

}  // namespace strata
