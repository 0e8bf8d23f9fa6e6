#include "widgets/shell/rail.h"

#include <QDir>
#include <QFontMetrics>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kMostHeight = 560;  // that it asks for: a screen of 800 pixels has no more beside jobs and status

int iconHeight() {
  return metrics().railIcon + 2 * kGapRelated;
}

int wordHeight() {
  return iconHeight() + kGapInside + QFontMetrics(fonts().caption).height();
}

}  // namespace

Rail::Rail(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, kGapRelated, 0, kGapRelated);
  column->setSpacing(0);
  m_top = new QVBoxLayout;
  m_foot = new QVBoxLayout;
  for (QVBoxLayout* part : {m_top, m_foot}) part->setSpacing(kGapInside);
  column->addLayout(m_top);
  column->addStretch();
  column->addLayout(m_foot);

  m_project = named(new RailButton("folder2-open", tr("Project"), this), "rail-project");
  m_project->setWhatsThis(tr("The open project: its models, data, chats and runs. Opens another, or makes a new one."));
  addButton(m_project, false);
  m_top->addSpacing(kGapRelated);
  connect(m_project, &RailButton::clicked, this, &Rail::showProjectMenu);

  m_help = named(new RailButton("question-circle", tr("Help"), this), "rail-help", tr("Help"));
  m_help->setWhatsThis(tr(
      "Opens the guide, brings the first steps back, explains the focused field, and says what Strata is built on."));
  addButton(m_help, true);
  connect(m_help, &RailButton::clicked, this, &Rail::showHelpMenu);

  connect(&session, &Session::projectChanged, this, &Rail::showProject);
  showProject();
  setAccessibleName(tr("Pages"));
  followTheme(this, [this] {
    setFixedWidth(metrics().rail);
    arrange();
    update();
  });
}

int Rail::heightWith(int button, int gap) const {
  const auto count = static_cast<int>(m_buttons.size());
  return count * button + (count - 2) * gap + 3 * kGapRelated;  // around, and below the project
}

void Rail::arrange() {
  for (RailButton* button : m_buttons) button->setMaximumHeight(QWIDGETSIZE_MAX);
  const bool hasWords = heightWith(wordHeight(), kGapInside) <= height();
  for (QVBoxLayout* part : {m_top, m_foot}) part->setSpacing(hasWords ? kGapInside : 0);
  if (hasWords) return;
  for (RailButton* button : m_buttons) button->setMaximumHeight(iconHeight());
}

QSize Rail::minimumSizeHint() const {
  return {metrics().rail,
          std::max(heightWith(iconHeight(), 0), std::min(heightWith(wordHeight(), kGapInside), kMostHeight))};
}

void Rail::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  arrange();
}

void Rail::addButton(RailButton* button, bool atFoot) {
  button->setCheckable(false);
  button->installEventFilter(this);
  (atFoot ? m_foot : m_top)->addWidget(button, 0, Qt::AlignHCenter);
  if (atFoot) {
    m_buttons.push_back(button);
  } else {
    const auto foot = std::find(m_buttons.begin(), m_buttons.end(), m_help);
    m_buttons.insert(foot, button);
  }
  arrange();
  updateGeometry();
}

void Rail::addPage(const Page& page, const QString& shortcut) {
  auto* button = new RailButton(page.iconName(), page.title(), this);
  named(button, qPrintable("rail-" + page.id()), page.title());
  button->setToolTip(tr("%1 (%2)").arg(page.title(), shortcut));
  addButton(button, page.isAtFoot());
  button->setCheckable(true);
  m_pages.push_back(button);
  connect(button, &RailButton::clicked, this, [this, id = page.id()] { Q_EMIT pageChosen(id); });
}

void Rail::setCurrent(const QString& page) {
  for (RailButton* button : m_pages) button->setChecked(button->objectName() == "rail-" + page);
}

void Rail::showProject() {
  const auto& project = m_session.project();
  const QString name = project ? QString::fromStdString(project->name) : tr("Project");
  m_project->setText(name);
  m_project->setAccessibleName(project ? tr("Project %1").arg(name) : tr("Project"));
  m_project->setToolTip(project ? tipOf(tr("%1\nin %2").arg(name, QString::fromStdString(project->folder)))
                                : tr("No project is open yet."));
}

void Rail::showProjectMenu() {
  auto* menu = named(new QMenu(this), "project-menu", tr("Project"));
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addAction(icon("folder2-open"), tr("Open a project…"), this, &Rail::openProjectWanted);
  menu->addAction(icon("plus-lg"), tr("New project…"), this, &Rail::newProjectWanted);
  menu->addAction(tr("Sample project"), this, [this] { Q_EMIT projectChosen({}); });
  const QString open = m_session.project() ? QString::fromStdString(m_session.project()->folder) : QString();
  QStringList recent = m_session.recentProjects();
  recent.removeAll(open);
  if (!recent.isEmpty()) menu->addSection(tr("Recent"));
  for (const QString& folder : recent) {
    QAction* action = menu->addAction(QDir(folder).dirName(), this, [this, folder] { Q_EMIT projectChosen(folder); });
    action->setToolTip(tipOf(folder));
  }
  menu->setToolTipsVisible(true);
  menu->popup(m_project->mapToGlobal(QPoint(m_project->width(), 0)));
}

void Rail::showHelpMenu() {
  auto* menu = named(new QMenu(this), "help-menu", tr("Help"));
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addAction(tr("Guide to this page\tF1"), this, &Rail::guideWanted);
  if (m_hasFirstSteps) {
    menu->addAction(tr("First steps"), this, [this] { m_session.go({{}, PlaceKind::firstSteps, {}}); });
  }
  menu->addAction(tr("About the focused field\tShift+F1"), this, &Rail::fieldHelpWanted);
  menu->addAction(tr("About Strata"), this, [this] { m_session.go(Place::setting("about")); });
  menu->popup(m_help->mapToGlobal(QPoint(m_help->width(), m_help->height() - menu->sizeHint().height())));
}

bool Rail::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::KeyPress) {
    const int key = static_cast<QKeyEvent*>(event)->key();
    const int step = key == Qt::Key_Down ? 1 : key == Qt::Key_Up ? -1 : 0;
    const auto here = std::find(m_buttons.begin(), m_buttons.end(), watched);
    if (step != 0 && here != m_buttons.end()) {
      const auto count = static_cast<std::ptrdiff_t>(m_buttons.size());
      const auto next = ((here - m_buttons.begin()) + step + count) % count;
      m_buttons[static_cast<std::size_t>(next)]->setFocus(Qt::TabFocusReason);
      return true;
    }
  }
  return QWidget::eventFilter(watched, event);
}

void Rail::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), colors().window);
  painter.fillRect(width() - 1, 0, 1, height(), colors().line);
}

}  // namespace strata
