#include "core/data/evidence.h"

#include <algorithm>
#include <map>

#include "core/data/input_file.h"
#include "core/data/json_member.h"
#include "core/text/utf8.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxDataBytes = 256ull << 20, kMaxDocumentBytes = 16ull << 20;

/// Names come from a downloaded file: they must stay in the folder.
bool staysInside(const fs::path& name) {
  return !name.empty() && name.is_relative() &&
         std::none_of(name.begin(), name.end(), [](const fs::path& part) { return part == ".."; });
}

Result<Passage> readDocument(const JsonMember& document, const fs::path& folder) {
  Passage passage;
  STRATA_TRY(const auto title, document.find("Title"));
  if (title) {
    STRATA_TRY(passage.title, title->takeText());
  }
  STRATA_TRY(const JsonMember member, document.at("Filename"));
  STRATA_TRY(const std::string name, member.takeText());
  if (!staysInside(name)) return member.broken("must name a file inside the folder of evidence");
  const fs::path path = folder / name;
  STRATA_TRY(passage.text, readAll(path, kMaxDocumentBytes));
  if (findInvalidUtf8(passage.text)) {
    return fail(ErrorCode::invalidData, path.string() + " is no UTF-8 text; fetch it again.", path.string());
  }
  return passage;
}

}  // namespace

fs::path evidenceFolder(const fs::path& data) {
  std::error_code failed;
  const fs::path beside = fs::absolute(data, failed).parent_path();
  for (const fs::path& folder : {beside / "evidence", beside.parent_path() / "evidence"}) {
    if (fs::is_directory(folder, failed)) return folder;
  }
  return {};
}

Result<void> readEvidence(const fs::path& data, const fs::path& folder, const std::set<std::string>& ids,
                          QuestionSet& questions) {
  STRATA_TRY(const std::string text, readAll(data, kMaxDataBytes));
  const std::string where = data.string();
  STRATA_TRY(Json file, parseJson(text, where));
  if (!file.is_object() || !file.contains("Data")) return {};  // rows name no files
  std::map<std::string, std::vector<Passage>> documents;       // by question
  STRATA_TRY(const JsonMember rows, JsonMember(file, where).at("Data"));
  STRATA_CHECK(rows.forEach([&](const JsonMember& row) -> Result<void> {
    STRATA_TRY(const JsonMember idMember, row.at("QuestionId"));
    STRATA_TRY(const std::string id, idMember.takeId());
    if (!ids.contains(id)) return {};
    std::vector<Passage>& found = documents[id];
    for (const auto& [key, source] : {std::pair{"EntityPages", "wikipedia"}, std::pair{"SearchResults", "web"}}) {
      STRATA_TRY(const auto list, row.find(key));
      if (!list) continue;
      const fs::path place = folder / source;
      STRATA_CHECK(list->forEach([&](const JsonMember& document) -> Result<void> {
        STRATA_TRY(Passage passage, readDocument(document, place));
        found.push_back(std::move(passage));
        return {};
      }));
    }
    return {};
  }));
  for (Question& question : questions.questions) {
    const auto found = documents.find(question.id);
    if (found != documents.end()) question.passages = std::move(found->second);
  }
  return {};
}

}  // namespace strata
