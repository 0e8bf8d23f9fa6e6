#include "widgets/mapeditor/map_table.h"

#include <QComboBox>
#include <QHeaderView>
#include <QPainter>
#include <QStyledItemDelegate>

#include "widgets/style/style_painters.h"

namespace strata {
namespace {

/// A combo box that is drawn in every row and opens where it is clicked.
class OwnerDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;

  QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem&, const QModelIndex& index) const override {
    auto* box = new QComboBox(parent);
    box->setObjectName("ownerChoice");
    box->setAccessibleName(MapTable::tr("Layer %1 reads").arg(index.row()));
    for (const QVariant& owner : index.data(MapModel::LegalOwners).toList()) {
      const int layer = owner.toInt();
      box->addItem(layer == index.row() ? MapTable::tr("itself: owner") : QString::number(layer), layer);
    }
    auto* self = const_cast<OwnerDelegate*>(this);
    connect(box, &QComboBox::activated, self, [self, box] {
      Q_EMIT self->commitData(box);
      Q_EMIT self->closeEditor(box);
    });
    return box;
  }
  void setEditorData(QWidget* editor, const QModelIndex& index) const override {
    auto* box = static_cast<QComboBox*>(editor);
    box->setCurrentIndex(box->findData(index.data(Qt::EditRole)));
  }
  void setModelData(QWidget* editor, QAbstractItemModel* model, const QModelIndex& index) const override {
    model->setData(index, static_cast<QComboBox*>(editor)->currentData());
  }
  void updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option, const QModelIndex&) const override {
    editor->setGeometry(option.rect);
  }
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    QStyledItemDelegate::paint(painter, option, index);
    if (!(index.flags() & Qt::ItemIsEditable)) return;
    const int side = metrics().icon;
    paint::chevron(*painter,
                   QRect(option.rect.right() - side - kGapRelated, option.rect.center().y() - side / 2, side, side),
                   "chevron-down");
  }
};

}  // namespace

MapTable::MapTable(MapModel& model, QWidget* parent) : QTreeView(parent) {
  setObjectName("mapTable");
  setAccessibleName(tr("Sharing map as a table"));
  setWhatsThis(
      tr("A row per layer. F2 or a click on the column Reads chooses the owner whose keys and values it reads."));
  setModel(&model);
  setRootIsDecorated(false);
  setItemsExpandable(false);
  setUniformRowHeights(true);
  setFrameShape(QFrame::NoFrame);
  setAllColumnsShowFocus(true);
  setItemDelegateForColumn(MapModel::Reads, new OwnerDelegate(this));
  setEditTriggers(QAbstractItemView::EditKeyPressed | QAbstractItemView::SelectedClicked);
  header()->setStretchLastSection(true);
  header()->setSectionsMovable(false);
  connect(this, &QTreeView::clicked, this, [this](const QModelIndex& index) {
    if (index.column() == MapModel::Reads && index.row() > 0) edit(index);
  });
  followTheme(this, [this] {
    const QFontMetrics words(fonts().body);
    header()->resizeSection(MapModel::Layer, words.horizontalAdvance("Layer000"));
    header()->resizeSection(MapModel::Reads, scaled(160));
    header()->resizeSection(MapModel::Bytes, scaled(120));
    header()->resizeSection(MapModel::Cost, scaled(120));
  });
}

void MapTable::currentChanged(const QModelIndex& now, const QModelIndex& before) {
  QTreeView::currentChanged(now, before);
  if (now.isValid()) Q_EMIT layerChanged(now.row());
}

}  // namespace strata
