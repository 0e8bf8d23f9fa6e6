#include "core/data/squad.h"

#include <new>
#include <unordered_set>

#include "core/base/json.h"

namespace strata {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1ull << 30;

/// A member of the file and its path, for errors.
struct Member {
  const Json& value;
  std::string path;
};

class SquadParser {
 public:
  explicit SquadParser(std::string file) : m_file(std::move(file)) {}

  Result<SquadData> parse(const Json& root) {
    if (!root.is_object()) return broken("the file", "must be a JSON object with \"data\"");
    if (const auto version = root.find("version"); version != root.end() && version->is_string()) {
      m_data.version2 = version->get_ref<const std::string&>().starts_with("v2");
    }
    STRATA_TRY(const Member articles, list({root, ""}, "data"));
    STRATA_CHECK(forEach(articles, [&](const Member& article) { return takeArticle(article); }));
    if (m_data.questions.empty()) return broken("data", "holds no questions");
    return std::move(m_data);
  }

 private:
  tl::unexpected<Error> broken(const std::string& path, const std::string& what) const {
    return fail(ErrorCode::invalidData, m_file + ": " + path + ": " + what + ".", m_file + ": " + path);
  }

  template <class Take>
  Result<void> forEach(const Member& array, const Take& take) {
    for (std::size_t i = 0; i < array.value.size(); ++i) {
      STRATA_CHECK(take(Member{array.value[i], array.path + "[" + std::to_string(i) + "]"}));
    }
    return {};
  }

  Result<Member> find(const Member& object, const char* key) const {
    if (!object.value.is_object()) return broken(object.path, "must be an object");
    const std::string path = object.path.empty() ? key : object.path + "." + key;
    const auto found = object.value.find(key);
    if (found == object.value.end()) return broken(path, "is missing");
    return Member{*found, path};
  }

  Result<Member> list(const Member& object, const char* key) const {
    STRATA_TRY(const Member member, find(object, key));
    if (!member.value.is_array()) return broken(member.path, "must be a list");
    return member;
  }

  Result<std::string> text(const Member& object, const char* key) const {
    STRATA_TRY(const Member member, find(object, key));
    if (!member.value.is_string()) return broken(member.path, "must be a string");
    return member.value.get<std::string>();
  }

  Result<void> takeArticle(const Member& article) {
    STRATA_TRY(const Member paragraphs, list(article, "paragraphs"));
    return forEach(paragraphs, [&](const Member& paragraph) { return takeParagraph(paragraph); });
  }

  Result<void> takeParagraph(const Member& paragraph) {
    STRATA_TRY(const std::string context, text(paragraph, "context"));
    STRATA_TRY(const Member questions, list(paragraph, "qas"));
    return forEach(questions, [&](const Member& question) { return takeQuestion(question, context); });
  }

  Result<void> takeQuestion(const Member& member, const std::string& context) {
    SquadQuestion question;
    question.context = context;
    STRATA_TRY(question.id, text(member, "id"));
    STRATA_TRY(question.question, text(member, "question"));
    if (!m_ids.insert(question.id).second) {
      return broken(member.path + ".id", "\"" + question.id + "\" is the id of an earlier question");
    }
    if (const auto impossible = member.value.find("is_impossible"); impossible != member.value.end()) {
      if (!impossible->is_boolean()) return broken(member.path + ".is_impossible", "must be true or false");
      m_data.version2 = m_data.version2 || impossible->get<bool>();
    }
    STRATA_TRY(const Member answers, list(member, "answers"));
    STRATA_CHECK(forEach(answers, [&](const Member& answer) -> Result<void> {
      STRATA_TRY(std::string gold, text(answer, "text"));
      question.answers.push_back(std::move(gold));
      return {};
    }));
    m_data.questions.push_back(std::move(question));
    return {};
  }

  std::string m_file;
  SquadData m_data;
  std::unordered_set<std::string> m_ids;
};

}  // namespace

Result<SquadData> readSquad(const std::filesystem::path& path) {
  try {
    STRATA_TRY(const Json root, readJson(path, kMaxFileBytes));
    return SquadParser(path.string()).parse(root);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, "The question file " + path.string() + " does not fit into memory.",
                path.string());
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, path.string() + ": the questions cannot be read: " + exception.what(),
                path.string());
  }
}

}  // namespace strata
