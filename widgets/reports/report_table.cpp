#include "widgets/reports/report_table.h"

#include <QDateTime>
#include <QPainter>
#include <QTextLayout>

#include "widgets/reports/report_files.h"
#include "widgets/style/style_painters.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kLeastWidth = 180;
constexpr int kConclusionLines = 2;

QString createdText(const protocol::ReportFile& report) {
  const QDateTime time = QDateTime::fromString(QString::fromStdString(report.created), Qt::ISODate).toLocalTime();
  return time.isValid() ? time.toString(QStringLiteral("yyyy-MM-dd HH:mm")) : QString::fromStdString(report.created);
}

QString formatsText(const protocol::ReportFile& report) {
  QStringList all;
  for (const std::string& format : report.formats) all << reportFormatName(QString::fromStdString(format));
  return all.join(QStringLiteral(", "));
}

}  // namespace

QString reportTitle(const protocol::ReportFile& report) {
  return QString::fromStdString(report.title.empty() ? report.name : report.title);
}

QString reportDetails(const protocol::ReportFile& report) {
  return ReportTable::tr("%1 · %2").arg(createdText(report), formatsText(report));
}

QVariant ReportTable::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const protocol::ReportFile& report = at(index.row());
  switch (role) {
    case Qt::DisplayRole:
      return reportTitle(report);
    case Qt::AccessibleTextRole:
      return tr("%1. %2 From %3.")
          .arg(reportTitle(report), QString::fromStdString(report.conclusion), createdText(report));
    case Qt::ToolTipRole:
      return tipOf(tr("%1\n%2\n%3, %4")
                       .arg(reportTitle(report), QString::fromStdString(report.conclusion), createdText(report),
                            formatsText(report)));
    default:
      return {};
  }
}

QSize ReportDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const {
  const int body = QFontMetrics(fonts().body).height(), caption = QFontMetrics(fonts().caption).height();
  return {scaled(kLeastWidth), (kConclusionLines + 1) * body + caption + 2 * kGapInside + 2 * kGapRelated};
}

void ReportDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  const auto* table = qobject_cast<const ReportTable*>(index.model());
  if (table == nullptr) return;
  const protocol::ReportFile& report = table->at(index.row());
  painter->save();
  const bool isChosen = option.state & QStyle::State_Selected;
  if (isChosen) paint::selection(*painter, option.rect, colors(), true);
  QRect room = option.rect.adjusted(kGapGroups, kGapRelated, -kGapGroups, -kGapRelated);
  const QFontMetrics body(fonts().body), strong(fonts().strong), caption(fonts().caption);
  painter->setFont(fonts().strong);
  painter->setPen(colors().text);
  painter->drawText(room.left(), room.top() + strong.ascent(),
                    strong.elidedText(reportTitle(report), Qt::ElideRight, room.width()));
  room.setTop(room.top() + strong.height() + kGapInside);
  painter->setFont(fonts().body);
  const QRect words(room.left(), room.top(), room.width(), kConclusionLines * body.height());
  const QString conclusion = QString::fromStdString(report.conclusion).simplified();
  QTextLayout layout(conclusion, fonts().body);
  layout.beginLayout();
  for (int at = 0; at < kConclusionLines; ++at) {
    QTextLine line = layout.createLine();
    if (!line.isValid()) break;
    line.setLineWidth(words.width());
    const bool isLast = at + 1 == kConclusionLines;
    const QString text = conclusion.mid(line.textStart(), isLast ? -1 : line.textLength()).trimmed();
    painter->drawText(words.left(), words.top() + at * body.height() + body.ascent(),
                      body.elidedText(text, Qt::ElideRight, words.width()));
  }
  layout.endLayout();
  room.setTop(words.bottom() + kGapInside);
  painter->setFont(fonts().caption);
  painter->setPen(colors().second);
  painter->drawText(room.left(), room.top() + caption.ascent(),
                    caption.elidedText(reportDetails(report), Qt::ElideRight, room.width()));
  if (paint::showsFocus(option)) paint::focusRing(*painter, option.rect, colors());
  painter->restore();
}

}  // namespace strata
