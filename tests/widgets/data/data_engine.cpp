// What the engine of these tests answers: a project with two models and three data files.

#include "scripted_engine.h"

namespace strata::testing {
namespace {

using Answer = protocol::CheckData::Answer;
constexpr int kRows = 332;

protocol::PreviewRow rowOf(int number) {
  protocol::PreviewRow row;
  row.tokens = 158 + number % 7;
  row.trained = 3;
  row.parts = {{"Passage: But he has to do his bit o' complainin',\" with a highly entertained grin. \"What for, i' "
                "Mercy's name?\" "
                "asked Mrs. Sowerby. \"He does it to keep them from guessin' what's happened. If the doctor knew he'd "
                "found out he "
                "could stand on his feet he'd likely write and tell Mester Craven.\n\nQuestion " +
                    std::to_string(number + 1) + ": likely write and tell ____\nAnswer:",
                false},
               {" Mester</s>", true}};
  return row;
}

Answer answerTo(const protocol::CheckData::Params& params) {
  Answer answer;
  answer.path = params.path;
  answer.format = "SQuAD";
  answer.files = {params.path};
  answer.keys = {{"context", "But he has to do his bit o' complainin'"},
                 {"question", "likely write and tell ____"},
                 {"answers", "{\"text\":[\"Mester\"],\"answer_start\":[12]}"},
                 {"id", "garden-1"}};
  answer.records = kRows + 3;
  answer.rows = kRows;
  answer.dropped = 3;
  answer.duplicates = 1;
  answer.hasTokens = !params.model.empty();
  if (answer.hasTokens) {
    answer.truncated = answer.lostPassages = params.length < 200 ? 12 : 0;
    answer.tokens = 52775;
    answer.trainedTokens = params.trainOnPrompt ? 52443 : 1194;
    answer.medianLength = 158;
    answer.longestLength = 222;
    for (int i = 0; i < 14; ++i) answer.lengths.push_back({90 + i * 10, 100 + i * 10, (i + 1) * (14 - i)});
  }
  answer.droppedRecords = {
      {params.path, "the record has no answer; give it one, or is_impossible.", 17},
      {params.path, "\"question\" is a number; it has to be a text.", 204},
      {params.path, "not JSON: line 3 breaks off inside a text, column 41.", 1311},
  };
  for (int i = 0; i < params.preview && answer.hasTokens && params.skip + i < kRows; ++i) {
    answer.preview.push_back(rowOf(params.skip + i));
  }
  return answer;
}

/// Records whose keys say nothing, until they are mapped.
Answer unknownColumns(const protocol::CheckData::Params& params) {
  Answer answer = answerTo(params);
  answer.keys = {{"ask", "How do I return a parcel?"},
                 {"reply", "Print the label from your account, stick it on the parcel, and hand it in at any counter."},
                 {"source", "desk-2025"}};
  if (!params.columns.empty()) {
    answer.format = "prompt/completion";
    return answer;
  }
  answer.format = "";
  answer.refused = "No record of " + params.path +
                   " has a shape that is known; say which key is what (the keys are ask, reply, source).";
  answer.rows = answer.tokens = answer.trainedTokens = answer.duplicates = 0;
  answer.dropped = answer.records;
  answer.lengths.clear();
  answer.preview.clear();
  return answer;
}

}  // namespace

void fakeEngineMethods(FakeEngine& engine) {
  const bool empty = engine.scenario() == "empty";
  static std::vector<protocol::DataEntry> files;
  engine.answer<protocol::OpenProject>([](const auto& params) -> Result<protocol::ProjectInfo> {
    if (params.folder == "/projects/other") files.clear();
    protocol::ProjectInfo info;
    info.folder = params.folder.empty() ? "/projects/test" : params.folder;
    info.name = "test";
    info.a = protocol::Side{{.model = "base"}, "full"};
    return info;
  });
  engine.answer<protocol::SetSides>([](const auto&) { return Result<protocol::Nothing>(protocol::Nothing{}); });
  engine.answer<protocol::ListModels>([counts = engine.scenario() == "counts lists"](const auto&) {
    static int lists = 0;
    std::vector<std::string> names = {"base", "routed"};
    if (counts) names.push_back("list " + std::to_string(++lists));
    protocol::ListModels::Answer answer;
    for (const std::string& name : names) {
      answer.models.push_back({name, "", name, "project", "/projects/test/models/" + name, "", "LlamaForCausalLM",
                               5509824, 11031512, 12, ""});
    }
    return Result<protocol::ListModels::Answer>(answer);
  });
  if (!empty) {
    for (const char* name : {"recall.json", "train.txt", "questions-and-answers-from-the-support-desk-2025.jsonl"}) {
      files.push_back({name, std::string("/projects/test/") + name, false, {}});
    }
  }
  const auto list = [](const auto&) -> Result<protocol::ListData::Answer> { return protocol::ListData::Answer{files}; };
  engine.answer<protocol::ListData>(list);
  engine.answer<protocol::AddData>([list](const auto& params) {
    std::erase_if(files, [&](const auto& file) { return file.path == params.path; });
    files.insert(files.begin(), {params.path.substr(params.path.rfind('/') + 1), params.path, true, params.columns});
    return list(params);
  });
  engine.answer<protocol::RemoveData>([list](const auto& params) {
    std::erase_if(files, [&](const auto& file) { return file.added && file.name == params.name; });
    return list(params);
  });
  engine.answer<protocol::ListFolder>([](const auto& params) -> Result<protocol::ListFolder::Answer> {
    if (params.path == "/gone") return fail(ErrorCode::notFound, "There is no folder /gone.", "/gone");
    protocol::ListFolder::Answer answer;
    answer.path = params.path.empty() ? "/home/someone" : params.path;
    answer.parent = "/";
    answer.entries = {{"corpora", true, false, false, 0},
                      {"model", true, true, false, 0},
                      {"notes.jsonl", false, false, false, 20480},
                      {"picture.png", false, false, false, 4096}};
    return answer;
  });
  engine.answer<protocol::CheckData>([scenario = engine.scenario()](const auto& params) -> Result<Answer> {
    if (params.path == "/projects/test/train.txt" && scenario == "file goes") {
      return fail(ErrorCode::notFound, "/projects/test/train.txt is not there any more; choose another file.",
                  params.path);
    }
    if (scenario == "unknown columns") return unknownColumns(params);
    Answer answer = answerTo(params);
    if (scenario == "clean") {
      answer.records = answer.rows;
      answer.dropped = 0;
      answer.droppedRecords.clear();
    }
    if (scenario == "nothing trained") {
      answer.trainedTokens = 0;
      answer.refused = "Nothing in " + params.path +
                       " would be trained on: every completion is empty; map the columns or train on prompts too.";
      for (auto& row : answer.preview) {
        row.trained = 0;
        for (auto& part : row.parts) part.trained = false;
      }
    }
    return answer;
  });
  if (engine.scenario() == "slow check") engine.hold<protocol::CheckData>("Reading records", 41000, 100000);
}

}  // namespace strata::testing
