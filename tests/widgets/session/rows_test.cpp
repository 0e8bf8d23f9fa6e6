#include "widgets/session/rows.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <random>

namespace strata {
namespace {

struct Item {
  std::string key;
  int value = 0;
  bool operator==(const Item&) const = default;
};

class Items : public Rows<Item> {
 public:
  using Rows::setRows;
  int columnCount(const QModelIndex& = {}) const override { return 2; }
  QVariant data(const QModelIndex& index, int role) const override {
    return index.isValid() && role == Qt::DisplayRole ? QVariant(at(index.row()).value) : QVariant();
  }

 protected:
  std::string keyOf(const Item& row) const override { return row.key; }
};

TEST(Rows, TellsOnlyOfTheRowsThatChanged) {
  Items items;
  items.setRows({{"a", 1}, {"b", 2}, {"c", 3}});
  QSignalSpy changed(&items, &QAbstractItemModel::dataChanged), inserted(&items, &QAbstractItemModel::rowsInserted),
      removed(&items, &QAbstractItemModel::rowsRemoved), reset(&items, &QAbstractItemModel::modelReset);
  items.setRows({{"a", 1}, {"b", 5}, {"d", 4}});
  ASSERT_EQ(changed.count(), 1);
  EXPECT_EQ(changed[0][0].toModelIndex().row(), 1);
  EXPECT_EQ(changed[0][1].toModelIndex().row(), 1);
  ASSERT_EQ(removed.count(), 1);
  EXPECT_EQ(removed[0][1].toInt(), 2);
  EXPECT_EQ(inserted.count(), 1);
  EXPECT_EQ(reset.count(), 0);
}

TEST(Rows, BecomeWhatIsWantedWhateverMovesComesAndGoes) {
  std::mt19937 random(3);
  Items items;
  QAbstractItemModelTester tester(&items, QAbstractItemModelTester::FailureReportingMode::Fatal);
  for (int round = 0; round < 300; ++round) {
    std::vector<Item> wanted;
    for (int key = 0; key < 12; ++key) {
      if (random() % 3 != 0) wanted.push_back({std::to_string(key), static_cast<int>(random() % 4)});
    }
    std::shuffle(wanted.begin(), wanted.end(), random);
    items.setRows(wanted);
    ASSERT_EQ(items.rows(), wanted);
  }
}

TEST(Rows, KeepAPersistentPlaceWhereItsRowGoes) {
  Items items;
  items.setRows({{"a", 1}, {"b", 2}, {"c", 3}});
  const QPersistentModelIndex b = items.index(1, 0);
  items.setRows({{"c", 3}, {"a", 1}, {"x", 9}, {"b", 7}});
  EXPECT_EQ(b.row(), 3);
  EXPECT_EQ(b.data().toInt(), 7);
}

TEST(Rows, KeepTheFirstOfTwoWithOneKey) {
  Items items;
  items.setRows({{"a", 1}, {"b", 2}, {"a", 3}});
  ASSERT_EQ(items.rowCount(), 2);
  EXPECT_EQ(items.at(0), (Item{"a", 1}));
  items.setRows({{"b", 4}, {"b", 5}, {"c", 6}, {"c", 7}});
  ASSERT_EQ(items.rowCount(), 2);
  EXPECT_EQ(items.at(0), (Item{"b", 4}));
  EXPECT_EQ(items.at(1), (Item{"c", 6}));
}

}  // namespace
}  // namespace strata
