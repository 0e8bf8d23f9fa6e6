// Projects, files and chats through the engine's methods.

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "core/base/json.h"
#include "core/project/project.h"
#include "core/protocol/messages.h"
#include "core/text/chat_template.h"
#include "project_fixture.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST_F(ProjectMethods, CoverEverythingThatIsAskedOfAProject) {
  for (const char* name : {"project/open",
                           "project/set_sides",
                           "project/add_model",
                           "project/remove_model",
                           "project/set_template",
                           "files/list",
                           "files/put",
                           "models/list",
                           "models/inspect",
                           "models/estimate",
                           "chat/sample_question",
                           "chats/list",
                           "chats/open",
                           "chats/put",
                           "chats/remove",
                           "chats/export",
                           "data/check",
                           "data/list",
                           "jobs/list",
                           "jobs/start",
                           "jobs/stop",
                           "jobs/remove",
                           "jobs/log",
                           "jobs/watch"}) {
    EXPECT_NE(methods.find(name), nullptr) << name;
  }
}

TEST_F(ProjectMethods, TheSampleIsAUsersCopyAndTheShippedOneStays) {
  const fs::path shipped = sourceFolder() / "projects/tiny-stories/strata.json";
  const std::string before = readText(shipped);
  const Json info = answer("project/open");
  EXPECT_EQ(info["sample"], true);
  EXPECT_EQ(info["folder"], (folder() / "home/strata/projects/tiny-stories").string());
  EXPECT_EQ(told, folder() / "home/strata/projects/tiny-stories");
  EXPECT_EQ(info["a"]["ref"]["model"], "base");
  for (const Json& each : info["models"]) EXPECT_TRUE(fs::path(each["path"].get<std::string>()).is_absolute());
  answer("project/set_sides", {{"b", {{"ref", {{"model", "stories"}, {"context", 64}}}, {"map", "stride:2"}}}});
  const Json again = answer("project/open");
  EXPECT_EQ(again["a"]["ref"]["model"], "base");
  EXPECT_EQ(again["b"]["ref"]["context"], 64);
  EXPECT_EQ(again["b"]["map"], "stride:2");
  EXPECT_EQ(readText(shipped), before);
}

TEST_F(ProjectMethods, ANullSideIsEmptyAndOneThatIsLeftOutStays) {
  answer("project/open");
  const Json side = {{"ref", {{"model", "stories"}}}, {"map", "stride:2"}};
  answer("project/set_sides", {{"a", nullptr}, {"b", side}});
  EXPECT_TRUE(answer("project/open")["a"].is_null());
  answer("project/set_sides", {{"a", side}, {"b", nullptr}});
  const Json swapped = answer("project/open");
  EXPECT_EQ(swapped["a"]["ref"]["model"], "stories");
  EXPECT_TRUE(swapped["b"].is_null());
  answer("project/set_sides", {{"b", side}});
  EXPECT_EQ(answer("project/open")["a"]["ref"]["model"], "stories");
}

TEST_F(ProjectMethods, ALauncherIsKeptForTheNextTime) {
  EXPECT_EQ(answer("project/open")["launcher"], "");
  EXPECT_EQ(answer("project/set_launcher", {{"launcher", "mpirun -np 8"}})["launcher"], "mpirun -np 8");
  EXPECT_EQ(answer("project/open")["launcher"], "mpirun -np 8");
  EXPECT_THAT(refusal("project/set_launcher", {{"launcher", "srun\n-N 2"}}), HasSubstr("one line"));
  EXPECT_EQ(answer("project/set_launcher", {{"launcher", ""}})["launcher"], "");
}

TEST_F(ProjectMethods, WithoutAProjectTheyRefuseWithASentence) {
  EXPECT_THAT(refusal("chats/list"), HasSubstr("No project is open"));
  EXPECT_THAT(refusal("jobs/list"), HasSubstr("No project is open"));
  EXPECT_THAT(refusal("project/open", {{"folder", (folder() / "none").string()}}), HasSubstr("no project folder"));
}

TEST_F(ProjectMethods, AProjectIsOpenInOneEngineAtATime) {
  openNew();
  ProjectService other(
      {.program = "/nonexistent", .sampleProject = {}, .dataHome = folder() / "other", .onProject = {}},
      Notifier([](const std::string&, const Json&) {}));
  MethodTable others;
  other.addTo(others);
  RequestContext context{1, cancelled, [](const std::string&, std::int64_t, std::int64_t) {}};
  const Json params = {{"folder", (folder() / "project").string()}};
  const auto refused = others.find("project/open")->call(params, context);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::busy);
  answer("project/open");  // another one: the first is let go
  EXPECT_TRUE(others.find("project/open")->call(params, context));
  EXPECT_EQ(other.project(), folder() / "project");
}

TEST_F(ProjectMethods, AProjectThatARequestStillUsesCanBeLeftAndOpenedAgain) {
  openNew();
  std::string lines;
  for (int i = 0; i < 600; ++i) lines += "{\"text\": \"row " + std::to_string(i) + "\"}\n";
  writeText(folder() / "rows.jsonl", lines);
  const Json other = {{"folder", (folder() / "other").string()}, {"create", true}};
  const auto startRun = [&](const char* project) {
    return Run::create(*Project::open(folder() / project), "train", Json{{"steps", 1}})->info().id;
  };
  const auto tells = [&](const std::string& run) {
    const std::lock_guard guard(notifiedMutex);
    return std::any_of(notified.begin(), notified.end(),
                       [&](const auto& one) { return one.second.dump().find(run) != std::string::npos; });
  };
  const auto tellsSoon = [&](const std::string& run) {
    for (int i = 0; i < 3000 && !tells(run); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return tells(run);
  };
  onProgress = [&] {
    answer("project/open", other);
    const std::string left = startRun("project"), run = startRun("other");
    ASSERT_TRUE(tellsSoon(run));
    EXPECT_FALSE(tells(left)) << "a run of the project that was left";
    answer("project/open", {{"folder", (folder() / "project").string()}});
    const std::string another = startRun("project");
    EXPECT_TRUE(tellsSoon(another));
  };
  answer("data/check", {{"path", (folder() / "rows.jsonl").string()}});
  EXPECT_GT(progressCalls, 0);
  EXPECT_EQ(answer("project/open", other)["folder"], other["folder"]);
}

TEST_F(ProjectMethods, ModelsAreNamedAndForgotten) {
  openNew();
  Json info = answer("project/add_model", {{"path", model("stories260K")}});
  ASSERT_EQ(info["models"].size(), 1u);
  EXPECT_EQ(info["models"][0]["name"], "stories260K");
  info = answer("project/remove_model", {{"name", "stories260K"}});
  EXPECT_TRUE(info["models"].empty());
  EXPECT_TRUE(fs::exists(model("stories260K")));
}

TEST_F(ProjectMethods, ListAFolderWithFoldersFirst) {
  for (const char* name : {"list/b/config.json", "list/c/strata.json", "list/a.txt", "list/.hidden"}) {
    writeText(folder() / name, "12345");
  }
  const Json list = answer("files/list", {{"path", (folder() / "list/").string()}});
  EXPECT_EQ(list["path"], (folder() / "list").string());
  EXPECT_EQ(list["parent"], folder().string());
  ASSERT_EQ(list["entries"].size(), 3u);
  EXPECT_EQ(list["entries"][0]["name"], "b");
  EXPECT_EQ(list["entries"][0]["model"], true);
  EXPECT_EQ(list["entries"][1]["project"], true);
  EXPECT_EQ(list["entries"][2]["bytes"], 5);
  EXPECT_EQ(list["more"], false);
  EXPECT_EQ(answer("files/list", {{"path", "/"}})["parent"], "");
  EXPECT_THAT(refusal("files/list", {{"path", (folder() / "none").string()}}), HasSubstr("none"));
}

TEST_F(ProjectMethods, FilesOfTheWindowsMachineAreTakenInPieces) {
  EXPECT_THAT(refusal("files/put", {{"name", "a.txt"}, {"data", "YQ=="}}), HasSubstr("No project is open"));
  openNew();
  const fs::path whole = folder() / "project/uploads/corpus/train.txt";
  Json put = answer("files/put", {{"name", "corpus/train.txt"}, {"data", "T25jZSA="}});  // "Once "
  EXPECT_EQ(put["bytes"], 5);
  EXPECT_EQ(put["path"], whole.string());
  EXPECT_FALSE(fs::exists(whole));
  EXPECT_THAT(refusal("files/put", {{"name", "corpus/train.txt"}, {"offset", 4}, {"data", "dXBvbg=="}}),
              HasSubstr("5 have come"));
  answer("files/put", {{"name", "corpus/train.txt"}, {"offset", 5}, {"data", "dXBvbg=="}, {"last", true}});
  EXPECT_EQ(readText(whole), "Once upon");
  answer("files/put", {{"name", "empty.txt"}, {"last", true}});
  EXPECT_EQ(readText(folder() / "project/uploads/empty.txt"), "");
  answer("files/put", {{"name", "rows.jsonl"}, {"data", "e30K"}, {"last", true}});
  const Json listed = answer("data/list");
  ASSERT_EQ(listed["files"].size(), 2u) << listed.dump();
  EXPECT_EQ(listed["files"][1]["path"], (folder() / "project/uploads/rows.jsonl").string());
}

TEST_F(ProjectMethods, AnUploadStaysInItsFolderAndIsBase64) {
  openNew();
  for (const char* name : {"", "/etc/passwd", "../strata.json", "a/../b", "a/b/c", ".hidden", "a/.b", "a/", "./a"}) {
    EXPECT_THAT(refusal("files/put", {{"name", name}, {"data", "YQ=="}}), HasSubstr("cannot be called")) << name;
  }
  for (const char* data : {"YQ", "YQ=", "Y===", "Y=Q=", "YQ==YQ==", " YQ=", "Y\nQ=", "Y*==", "===="}) {
    EXPECT_THAT(refusal("files/put", {{"name", "a"}, {"data", data}}), HasSubstr("base64")) << data;
  }
  EXPECT_THAT(refusal("files/put", {{"name", "a"}, {"data", std::string(8 << 20, 'A')}}), HasSubstr("4 MiB"));
  EXPECT_THAT(refusal("files/put", {{"name", "b"}, {"offset", 3}, {"data", "YQ=="}}), HasSubstr("no beginning"));
  fs::create_symlink(folder() / "elsewhere", folder() / "project/uploads/.c.part");
  call("files/put", {{"name", "c"}, {"data", "YQ=="}});
  EXPECT_FALSE(fs::exists(folder() / "elsewhere"));
}

TEST_F(ProjectMethods, AModelsTemplateIsAnotherInThisProjectAlone) {
  openNew();
  const Json ref = {{"model", model("stories260K")}};
  const Json before = answer("models/inspect", {{"ref", ref}});
  EXPECT_EQ(before["template_edited"], false);
  EXPECT_THAT(refusal("project/set_template", {{"ref", ref}, {"text", "ok\n{% if %}"}}), HasSubstr("The template:2:"));
  answer("project/set_template", {{"ref", ref}, {"text", "{% for m in messages %}<{{ m.content }}>{% endfor %}"}});
  const Json edited = answer("models/inspect", {{"ref", ref}});
  EXPECT_EQ(edited["template_edited"], true);
  EXPECT_EQ(edited["template_text"], "{% for m in messages %}<{{ m.content }}>{% endfor %}");
  EXPECT_THAT(edited["template_origin"].get<std::string>(), HasSubstr("project/templates/stories260K-"));
  writeText(folder() / "project/talk.jsonl",
            R"({"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]})");
  const Json row = answer("data/check", {{"path", "talk.jsonl"}, {"model", model("stories260K")}, {"preview", 1}});
  std::string rendered;
  for (const Json& part : row["preview"][0]["parts"]) rendered += part["text"].get<std::string>();
  EXPECT_THAT(rendered, HasSubstr("<Hello><Hi>"));
  answer("project/set_template", {{"ref", ref}});
  EXPECT_EQ(answer("models/inspect", {{"ref", ref}})["template_text"], before["template_text"]);
}

TEST_F(ProjectMethods, ChatsAreKeptAndExported) {
  openNew();
  const Json chat = {{"id", "c1"}, {"title", "On roses"}};
  const Json message = {{"id", "m1"}, {"turn", 0}, {"role", "user"}, {"text", "Do they bloom?"}};
  answer("chats/put", {{"chat", chat}, {"messages", Json::array({message})}});
  EXPECT_EQ(answer("chats/list", {{"search", "bloom"}})["chats"][0]["id"], "c1");
  EXPECT_EQ(answer("chats/open", {{"id", "c1"}})["messages"][0]["text"], "Do they bloom?");
  EXPECT_THAT(answer("chats/export", {{"id", "c1"}, {"format", "md"}})["text"].get<std::string>(),
              HasSubstr("Do they bloom?"));
  const std::string path = folder() / "out.json";
  EXPECT_EQ(answer("chats/export", {{"id", "c1"}, {"format", "json"}, {"path", path}})["text"], "");
  EXPECT_EQ((*readJson(path))["messages"][0]["id"], "m1");
  EXPECT_THAT(refusal("chats/export", {{"id", "c1"}, {"format", "pdf"}}), HasSubstr("pdf"));
}

TEST_F(ProjectMethods, AQuestionIsDrawnBySeedAndAskedAsTheTaskAsks) {
  answer("project/open");
  const Json first = answer("chat/sample_question", {{"seed", 5}});
  EXPECT_EQ(answer("chat/sample_question", {{"seed", 5}}), first);
  EXPECT_NE(answer("chat/sample_question", {{"seed", 6}})["number"], first["number"]);
  const std::string text = first["text"];
  EXPECT_TRUE(text.starts_with("Context: ")) << text;
  ChatInput chat;
  chat.messages = {{{"role", "user"}, {"content", text}}};
  chat.addGenerationPrompt = true;
  EXPECT_EQ(ChatTemplate::open(model("sample-base"))->render(chat).value(), "<s>" + text + "\nAnswer:")
      << "the evaluation's prompt";
  EXPECT_TRUE(text.find("Answer:") == std::string::npos) << text;
  EXPECT_FALSE(first["answers"].empty());
  EXPECT_LE(first["number"], first["of"]);
  openNew();
  EXPECT_THAT(refusal("chat/sample_question"), HasSubstr("recall.json"));
}

TEST_F(ProjectMethods, ADamagedListOfChatsIsToldOfWhenTheProjectOpens) {
  openNew();
  answer("project/open");
  writeText(folder() / "project/project.sqlite", "no database");
  EXPECT_THAT(openNew()["notice"].get<std::string>(), HasSubstr("set aside"));
}

}  // namespace
}  // namespace strata::testing
