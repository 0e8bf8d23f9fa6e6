// strata tokenize: token ids of a text, the text of ids, or a stream of both as JSON lines.

#include <iostream>

#include "app/strata/cli.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

struct TokenizeArguments {
  std::string source, project;
  std::optional<std::string> text;
  std::string ids;
  bool special = false, plain = false, decode = false, skipSpecial = false, lines = false;
};

Result<std::unique_ptr<Tokenizer>> openSource(const TokenizeArguments& arguments) {
  STRATA_TRY(const ModelLocation location, locate(arguments.source, arguments.project));
  std::error_code ignored;
  if (!fs::exists(location.folder, ignored)) {
    return fail(ErrorCode::notFound, "There is no model folder or tokenizer file " + arguments.source + ".",
                arguments.source);
  }
  STRATA_TRY(std::unique_ptr<Tokenizer> tokenizer, openTokenizer(location.folder));
  if (!tokenizer) {
    return fail(ErrorCode::notFound,
                "The folder " + arguments.source + " has neither tokenizer.model nor tokenizer.json.",
                arguments.source);
  }
  return tokenizer;
}

std::vector<TokenId> encode(const Tokenizer& tokenizer, const std::string& text, const TokenizeArguments& arguments) {
  std::vector<TokenId> ids = tokenizer.encode(text, arguments.plain ? SpecialTokens::plain : SpecialTokens::recognise);
  return arguments.special ? tokenizer.withSpecials(std::move(ids)) : ids;
}

Result<Json> describe(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, bool skipSpecial) {
  STRATA_TRY(const std::string text, tokenizer.decode(ids, skipSpecial));
  TokenStream stream(tokenizer, skipSpecial);
  std::vector<std::string> pieces;
  pieces.reserve(ids.size());
  for (const TokenId id : ids) pieces.push_back(stream.push(id));
  const std::string rest = stream.finish();  // the start of a character that never came
  if (!pieces.empty()) pieces.back() += rest;
  return Json{{"ids", ids}, {"pieces", pieces}, {"text", text}};
}

/// One answer for each {"text"} or {"ids"} line of stdin.
Result<int> answerLines(const Tokenizer& tokenizer, const TokenizeArguments& arguments) {
  std::string line;
  for (std::int64_t number = 1; std::getline(std::cin, line) && !cancelFlag(); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = "stdin:" + std::to_string(number);
    STRATA_TRY(const Json given, parseJson(line, where));
    const bool hasText = given.is_object() && given.contains("text") && given["text"].is_string();
    const bool hasIds = given.is_object() && given.contains("ids") && given["ids"].is_array();
    if (!hasText && !hasIds) {
      return fail(ErrorCode::invalidData, where + ": the line must be {\"text\": \"…\"} or {\"ids\": […]}.", where);
    }
    std::vector<TokenId> ids;
    if (hasText && !(arguments.decode && hasIds)) {
      ids = encode(tokenizer, given["text"].get<std::string>(), arguments);
    } else {
      for (const Json& id : given["ids"]) {
        if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() > INT32_MAX) {
          return fail(ErrorCode::invalidData,
                      where + ": " + dumpLine(id) + " is no token id; give whole numbers from 0.", where);
        }
        ids.push_back(id.get<TokenId>());
      }
    }
    Result<Json> answer = describe(tokenizer, ids, arguments.skipSpecial);
    if (!answer) return fail(answer.error().code, where + ": " + answer.error().message, where);
    Output::line(*answer);
    if (std::cin.rdbuf()->in_avail() <= 0) STRATA_CHECK(Output::flush());  // an interactive peer waits for it
  }
  return cancelFlag() ? 130 : 0;
}

Result<int> run(const TokenizeArguments& arguments, const Output& out) {
  const int sources = (arguments.text ? 1 : 0) + (arguments.ids.empty() ? 0 : 1) + (arguments.lines ? 1 : 0);
  if (sources != 1) return fail(ErrorCode::usage, "Give one of TEXT, --ids and --jsonl.", "TEXT");
  if (arguments.special && arguments.plain) {
    return fail(ErrorCode::usage, "--special adds special tokens and --plain recognises none; give one.", "--plain");
  }
  STRATA_TRY(const std::unique_ptr<Tokenizer> tokenizer, openSource(arguments));
  if (arguments.lines) return answerLines(*tokenizer, arguments);
  const bool fromIds = !arguments.ids.empty() || arguments.decode;
  std::vector<TokenId> ids;
  if (fromIds) {
    STRATA_TRY(ids, parseIds(arguments.ids.empty() ? *arguments.text : arguments.ids));
  } else {
    ids = encode(*tokenizer, *arguments.text, arguments);
  }
  STRATA_TRY(const Json answer, describe(*tokenizer, ids, arguments.skipSpecial));
  out.answer(answer, fromIds ? answer["text"].get<std::string>() : printIds(ids));
  return 0;
}

}  // namespace

VerbAction addTokenize(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<TokenizeArguments>();
  verb.add_option("model", arguments->source, "model folder, run, tokenizer.model or tokenizer.json")
      ->required()
      ->type_name("MODEL");
  verb.add_option("text", arguments->text, "the text (after -- where it begins with a dash)")->type_name("TEXT");
  verb.add_option("--ids", arguments->ids, "ids to decode: 1,2,3 or @FILE")->type_name("IDS");
  verb.add_flag("--jsonl", arguments->lines, "one answer for each {\"text\"} or {\"ids\"} line of standard input");
  verb.add_flag("--special", arguments->special, "add the special tokens that the tokenizer puts around a text");
  verb.add_flag("--plain", arguments->plain, "recognise no special tokens in the text");
  verb.add_flag("--decode", arguments->decode, "the text is a list of ids");
  verb.add_flag("--skip-special", arguments->skipSpecial, "leave special tokens out of the decoded text");
  verb.add_option("--project", arguments->project, "project folder, so that MODEL may be a run's id")->type_name("DIR");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
