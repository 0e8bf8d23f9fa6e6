// No sequence of actions gives an invalid map, or an undo that does not restore.

#include <random>

#include "map_fixture.h"

namespace strata::testing {
namespace {

class RandomUser {
 public:
  RandomUser(MapEditor& editor, unsigned seed) : m_editor(editor), m_random(seed) {}

  void act() {
    switch (below(14)) {
      case 0:
      case 1:
        return m_editor.drag(anyPlace(), anyPlace());
      case 2:
        m_editor.press(anyPlace());
        m_editor.move(anyPlace());
        if (below(2)) m_editor.key(Qt::Key_Escape);
        return m_editor.release(anyPlace());
      case 3:
        return m_editor.drag(m_editor.cell(anyLayer(), anyLayer()), m_editor.cell(anyLayer(), anyLayer()));
      case 4:
        return m_editor.drag(m_editor.gap(anyLayer()), m_editor.tile(anyLayer()));
      case 5:
        m_editor.press(m_editor.number(anyLayer()), below(2) ? Qt::ShiftModifier : Qt::ControlModifier);
        return m_editor.release(m_editor.number(anyLayer()));
      case 6:
      case 7:
      case 8:
        return pressKey();
      case 9:
        return m_editor.document.undoStack().undo();
      case 10:
        return m_editor.document.undoStack().redo();
      case 11:
        return import();
      case 12:
        return preset();
      case 13:
        return chooseInTable();
    }
  }

 private:
  int below(int bound) { return static_cast<int>(m_random() % static_cast<unsigned>(bound)); }
  int anyLayer() { return below(m_editor.document.layers()); }
  QPoint anyPlace() { return {below(m_editor.view->width()), below(m_editor.view->height())}; }
  void pressKey() {
    static constexpr Qt::Key kKeys[] = {Qt::Key_Up,   Qt::Key_Down,   Qt::Key_Left,  Qt::Key_Right,     Qt::Key_Space,
                                        Qt::Key_O,    Qt::Key_R,      Qt::Key_Enter, Qt::Key_Escape,    Qt::Key_1,
                                        Qt::Key_7,    Qt::Key_Return, Qt::Key_Home,  Qt::Key_End,       Qt::Key_PageUp,
                                        Qt::Key_Plus, Qt::Key_Minus,  Qt::Key_A,     Qt::Key_Backspace, Qt::Key_X};
    static constexpr Qt::KeyboardModifier kModifiers[] = {Qt::NoModifier, Qt::NoModifier, Qt::ShiftModifier,
                                                          Qt::ControlModifier};
    m_editor.key(kKeys[below(std::size(kKeys))], kModifiers[below(4)]);
  }
  void import() {
    std::vector<int> src;
    for (int l = 0; l < m_editor.document.layers(); ++l) src.push_back(below(3) ? below(l + 1) : below(99) - 40);
    (void)m_editor.document.loadJson(
        {{"format", "strata-map"}, {"version", 1}, {"layers", below(2) ? src.size() : 7}, {"src", src}}, "any.json");
  }
  void preset() {
    static const char* kTexts[] = {"full", "stride:2", "even:3", "retention:.25", "prefix:2", "0,0", "stride:0", "x"};
    (void)m_editor.document.setText(kTexts[below(std::size(kTexts))]);
  }
  void chooseInTable() { m_editor.model.setData(m_editor.model.index(anyLayer(), MapModel::Reads), anyLayer()); }

  MapEditor& m_editor;
  std::mt19937 m_random;
};

void actAtRandom(int layers, int actions, unsigned seed) {
  MapEditor editor(layers, QSize(700, 420));
  editor.measure();
  RandomUser user(editor, seed);
  QUndoStack& steps = editor.document.undoStack();
  std::vector<SharingMap> states{editor.document.map()};  // after so many steps
  for (int i = 0; i < actions; ++i) {
    const int before = steps.index();
    user.act();
    ASSERT_TRUE(SharingMap::create(editor.document.map().src())) << editor.text().toStdString();
    ASSERT_LE(std::abs(steps.index() - before), 2) << "a press and a release are one gesture";
    if (steps.index() > before) {
      // A new step has cut off what was undone.
      if (steps.count() == steps.index()) states.resize(static_cast<std::size_t>(before) + 1, editor.document.map());
      while (static_cast<int>(states.size()) <= steps.index()) states.push_back(editor.document.map());
    }
    ASSERT_EQ(editor.document.map(), states[static_cast<std::size_t>(steps.index())]) << "action " << i;
  }
  editor.key(Qt::Key_Escape);
  while (steps.canUndo()) {
    steps.undo();
    ASSERT_EQ(editor.document.map(), states[static_cast<std::size_t>(steps.index())]);
  }
  EXPECT_TRUE(editor.document.map().isFull());
}

TEST(MapEditorAtRandom, EveryMapIsValidAndEveryUndoRestores) {
  actAtRandom(5, 4000, 1);
  actAtRandom(12, 4000, 2);
  actAtRandom(126, 2000, 3);
}

}  // namespace
}  // namespace strata::testing
