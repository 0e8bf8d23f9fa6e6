#include "widgets/config/command_view.h"

#include <QPlainTextEdit>
#include <QTest>
#include <QVBoxLayout>

namespace strata {
namespace {

/// Whether the end of the command can be seen.
bool showsAll(const QPlainTextEdit& text) {
  QTextCursor end(text.document());
  end.movePosition(QTextCursor::End);
  return text.viewport()->rect().contains(text.cursorRect(end));
}

TEST(CommandView, IsAsHighAsItsCommandAtAnyWidth) {
  QWidget window;
  auto* column = new QVBoxLayout(&window);
  auto* view = new CommandView;
  column->addWidget(view);
  column->addStretch();
  const auto& text = *view->findChild<QPlainTextEdit*>("command-line");
  view->setCommand("strata train --model base --data " + QString("stories.txt ").repeated(40));
  window.resize(900, 700);
  window.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&window));
  EXPECT_TRUE(QTest::qWaitFor([&] { return showsAll(text); })) << text.height();
  const int wide = text.height();
  window.resize(300, 700);
  EXPECT_TRUE(QTest::qWaitFor([&] { return text.height() > wide && showsAll(text); })) << text.height();
  window.resize(900, 700);
  EXPECT_TRUE(QTest::qWaitFor([&] { return text.height() == wide && showsAll(text); })) << text.height();
}

}  // namespace
}  // namespace strata
