#include "widgets/shell/notices_popup.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QListView>

#include "widgets/style/controls.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kNoticesWidth = 560;
constexpr int kNoticesRows = 10;

}  // namespace

NoticesPopup::NoticesPopup(Session& session, QWidget* parent) : Popup(parent), m_session(session) {
  setAttribute(Qt::WA_DeleteOnClose);
  named(this, "notices-popup", tr("Notices"));
  m_list = named(new QListView(this), "notices-list", tr("Notices, the newest first"));
  m_list->setModel(&session.notices());
  m_list->setWordWrap(true);
  m_list->setResizeMode(QListView::Adjust);
  m_list->setTextElideMode(Qt::ElideNone);
  m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_list->setMinimumSize(scaled(kNoticesWidth), kNoticesRows * metrics().control);
  auto* copy = named(makeButton(tr("Copy all"), ButtonKind::plain, this), "notices-copy");
  content()->addWidget(sectionLabel(tr("Notices"), this));
  content()->addWidget(m_list);
  content()->addWidget(copy, 0, Qt::AlignLeft);
  connect(m_list, &QListView::activated, this, &NoticesPopup::go);
  connect(m_list, &QListView::clicked, this, &NoticesPopup::go);
  connect(copy, &QPushButton::clicked, this, &NoticesPopup::copy);
  m_list->setCurrentIndex(session.notices().index(0));
  m_list->setFocus();
}

void NoticesPopup::go(const QModelIndex& index) {
  const Place place = m_session.notices().at(index.row()).place;
  if (place == Place()) return;
  close();
  m_session.go(place);
}

void NoticesPopup::copy() {
  QStringList lines;
  for (int row = 0; row < m_session.notices().rowCount(); ++row) {
    const Notice& notice = m_session.notices().at(row);
    lines << notice.time.toString(Qt::ISODate) + "  " + notice.text;
  }
  QGuiApplication::clipboard()->setText(lines.join('\n'));
}

}  // namespace strata
