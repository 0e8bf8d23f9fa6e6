// chats/* and chat/sample_question.

#include "core/base/files.h"
#include "core/base/philox.h"
#include "core/evaluation/question_rules.h"
#include "core/service/project_state.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

// JSON of one answer's messages; the frame may hold 256 KiB, and the last turn may exceed this.
constexpr std::size_t kPageBytes = 128 << 10;

Result<protocol::ExportChat::Answer> exportChat(const protocol::ExportChat::Params& params, HeldProject& project) {
  if (params.format != "md" && params.format != "json") {
    return fail(ErrorCode::usage, "A chat is exported as md or json, not as \"" + params.format + "\".", "format");
  }
  protocol::OpenChat::Answer whole;
  for (int turn = 0; turn >= 0;) {
    STRATA_TRY(protocol::OpenChat::Answer page,
               project.withChats([&](ChatStore& chats) { return chats.read(params.id, turn, kPageBytes); }));
    whole.chat = std::move(page.chat);
    whole.messages.insert(whole.messages.end(), std::make_move_iterator(page.messages.begin()),
                          std::make_move_iterator(page.messages.end()));
    turn = page.nextTurn;
  }
  std::string text =
      params.format == "md" ? chatToMarkdown(whole.chat, whole.messages) : chatToJson(whole.chat, whole.messages);
  if (params.path.empty()) return protocol::ExportChat::Answer{std::move(text)};
  const fs::path path = fs::path(params.path).is_relative() ? project.folder() / params.path : fs::path(params.path);
  STRATA_CHECK(writeFile(path, text));
  return protocol::ExportChat::Answer{};
}

Result<protocol::SampleQuestion::Answer> sampleQuestion(std::uint64_t seed, const fs::path& project) {
  const fs::path path = project / "recall.json";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return fail(ErrorCode::notFound,
                "The project has no questions to draw from; put some in SQuAD's form into " + path.string() + ".",
                path.string());
  }
  STRATA_TRY(const QuestionSet set, readQuestions(path, QaFormat::squad));
  const std::uint64_t at = randomBelow({.seed = seed, .stream = RandomStream::sampleQuestion}, set.questions.size());
  const Question& question = set.questions[at];
  protocol::SampleQuestion::Answer answer;
  // In a chat it is the template that begins the answer.
  constexpr std::string_view kAnswerBegins = "\nAnswer:";
  answer.text = QuestionTask(set).promptOf(question).whole();
  if (answer.text.ends_with(kAnswerBegins)) answer.text.resize(answer.text.size() - kAnswerBegins.size());
  answer.answers = question.answers;
  answer.stop = {"\n"};
  answer.number = static_cast<int>(at) + 1;
  answer.of = static_cast<int>(set.questions.size());
  return answer;
}

protocol::Nothing nothing() {
  return {};
}

}  // namespace

/// What is stored and read of chats keeps the order of its requests: the later of two versions of a message stays.
void addChatMethods(MethodTable& methods, const ProjectAccess& project) {
  using namespace protocol;
  methods.add<ListChats>(
      [project](const ListChats::Params& params, RequestContext&) -> Result<ListChats::Answer> {
        STRATA_TRY(const auto held, project());
        STRATA_TRY(auto chats, held->withChats([&](ChatStore& store) { return store.list(params); }));
        return ListChats::Answer{std::move(chats)};
      },
      Lane::ordered);
  methods.add<OpenChat>(
      [project](const OpenChat::Params& params, RequestContext&) -> Result<OpenChat::Answer> {
        STRATA_TRY(const auto held, project());
        return held->withChats([&](ChatStore& store) { return store.read(params.id, params.fromTurn, kPageBytes); });
      },
      Lane::ordered);
  methods.add<PutChat>(
      [project](const PutChat::Params& params, RequestContext&) -> Result<Nothing> {
        STRATA_TRY(const auto held, project());
        return held->withChats([&](ChatStore& store) { return store.put(params); }).map(nothing);
      },
      Lane::ordered);
  methods.add<RemoveChat>(
      [project](const RemoveChat::Params& params, RequestContext&) -> Result<Nothing> {
        STRATA_TRY(const auto held, project());
        return held->withChats([&](ChatStore& store) { return store.remove(params.id, params.how); }).map(nothing);
      },
      Lane::ordered);
  methods.add<ExportChat>(
      [project](const ExportChat::Params& params, RequestContext&) -> Result<ExportChat::Answer> {
        STRATA_TRY(const auto held, project());
        return exportChat(params, *held);
      },
      Lane::ordered);
  methods.add<SampleQuestion>(
      [project](const SampleQuestion::Params& params, RequestContext&) -> Result<SampleQuestion::Answer> {
        STRATA_TRY(const auto held, project());
        return sampleQuestion(params.seed, held->folder());
      });
}

}  // namespace strata
