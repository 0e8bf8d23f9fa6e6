// Pictures of the page in its states, written into the build folder to be looked at.

#include <QAbstractButton>
#include <QDir>
#include <QPainter>
#include <QPushButton>

#include "chat_fixture.h"
#include "widgets/style/state_pane.h"

namespace strata::testing {
namespace {

constexpr QSize kRooms[] = {{1280, 800}, {1920, 1080}};
constexpr int kRailAndStrips = 136;  // what the frame takes of the height: sides, first steps, jobs, status

class ChatPictures : public ChatFixture {
 protected:
  ~ChatPictures() override {
    theme().setChoice(Theme::Choice::light);
    theme().setTextPercent(100);
  }

  void shoot(const QString& state, const QString& scheme, const QSize& room) {
    page->resize(room.width() - metrics().rail, room.height() - kRailAndStrips);
    QTest::qWait(150);
    const QDir folder(STRATA_BINARY_DIR "/screenshots");
    folder.mkpath(".");
    const QString path =
        folder.filePath(QString("chat_%1_%2_%3x%4.png").arg(state, scheme).arg(room.width()).arg(room.height()));
    QImage image(page->size(), QImage::Format_RGB32);
    image.fill(colors().window);
    page->render(&image);
    ASSERT_TRUE(image.save(path)) << path.toStdString();
  }

  void shootAll(const QString& state) {
    for (const auto& [choice, name] : {std::pair{Theme::Choice::light, "light"}, {Theme::Choice::dark, "dark"}}) {
      theme().setChoice(choice);
      for (const QSize& room : kRooms) shoot(state, name, room);
    }
    theme().setChoice(Theme::Choice::light);
  }

  static constexpr const char* kQuestion =
      "It was late when Anna came down to the kitchen. The fire was out, and the lantern that she had carried all the "
      "way "
      "from the mill stood on the table beside the bread. She lit it, and sat down to wait for her brother, who had "
      "promised to be back before the rain.\n\nQuestion: What did Anna carry from the mill?";
};

TEST_F(ChatPictures, Empty) {
  file("sides",
       R"({"a": {"ref": {"model": "base", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"},
                    "b": null})");
  ASSERT_TRUE(begin());
  shootAll("empty");
}

TEST_F(ChatPictures, Loading) {
  file("sides",
       R"({"a": {"ref": {"model": "slow", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"},
                    "b": {"ref": {"model": "slow", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "stride:2"}})");
  file("load", "4");
  makePage();
  client->start(command());
  session->openProject({});
  ASSERT_TRUE(soon([&] { return page->pane(Which::a)->states()->state() == StatePane::State::loading; }));
  QTest::qWait(1300);
  shootAll("loading");
}

TEST_F(ChatPictures, Working) {
  ASSERT_TRUE(begin());
  session->setMap(Which::b, "retention:0.5");
  ASSERT_TRUE(ask("Who lit the lantern?"));
  ASSERT_TRUE(ask(kQuestion));
  shootAll("working");
  page->differences().setOn(true);
  ASSERT_TRUE(soon([&] { return page->differences().state() == Differences::State::shown; }));
  shootAll("differences");
  page->differences().setOn(false);
  child<QPushButton>("chatSettings")->click();
  shootAll("settings");
  child<QPushButton>("chatSettings")->click();
  theme().setTextPercent(150);
  shoot("working_150", "light", kRooms[0]);
  theme().setTextPercent(100);
  theme().setChoice(Theme::Choice::light);
  page->resize(kRooms[0].width() - metrics().rail, kRooms[0].height() - kRailAndStrips);
  QTest::qWait(150);
  const QImage grey = page->grab().toImage().convertToFormat(QImage::Format_Grayscale8);
  EXPECT_TRUE(grey.save(STRATA_BINARY_DIR "/screenshots/chat_working_grey_1280x800.png"));
}

TEST_F(ChatPictures, Story) {
  ASSERT_TRUE(begin());
  const std::string asked =
      "Context: Anna came down late. The lantern from the mill stood on the table. She lit it and waited for her "
      "brother "
      "Tom, who was out in the rain.\nQuestion: Who waited for Tom?";
  file((asked + ".base").c_str(), "the old man");
  file((asked + ".routed").c_str(), "Anna");
  session->setMap(Which::a, "retention:0.5");
  session->setMap(Which::b, "retention:0.5");
  page->setQuestion(QString::fromStdString(asked), {"\n"}, {"Anna", "Anna Hill"});
  shootAll("typed");
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::a) && answer(Which::a)->answer && !page->answering().busy(); }));
  shootAll("story");
  page->setDraft("slow");
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return page->answering().live(Which::b).timed > 10; }));
  for (const auto& [choice, name] : {std::pair{Theme::Choice::light, "light"}, {Theme::Choice::dark, "dark"}}) {
    theme().setChoice(choice);
    shoot("streaming", name, kRooms[0]);
  }
  theme().setChoice(Theme::Choice::light);
  page->answering().stopAll();
  ASSERT_TRUE(soon([&] { return !page->answering().busy(); }));
}

TEST_F(ChatPictures, WithoutTemplate) {
  file("sides",
       R"({"a": {"ref": {"model": "bare", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"},
                    "b": {"ref": {"model": "routed", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"}})");
  file("maps.json",
       R"([{"name": "half", "map": "stride:2", "source": "stored", "model": "/models/routed", "layers": 12, "owners": 6,
            "scores": [{"metric": "f1", "value": 0.91, "n": 100}]},
           {"name": "quarter", "map": "0,0,0,0,0,0,6,6,6,9,9,9", "source": "stored", "model": "/models/routed",
            "layers": 12, "owners": 3, "scores": [{"metric": "f1", "value": 0.88, "n": 100}]}])");
  ASSERT_TRUE(begin());
  ASSERT_TRUE(soon([&] { return session->maps().rowCount() == 2; }));
  shootAll("no_template");
}

TEST_F(ChatPictures, Failed) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("Who lit the lantern?"));
  page->setDraft("die");
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::a) && !answer(Which::a)->running && !answer(Which::b)->running; }));
  shootAll("failed");
}

TEST_F(ChatPictures, Stale) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask(kQuestion));
  page->setRetention(Which::b, .25);
  shootAll("stale");
}

}  // namespace
}  // namespace strata::testing
