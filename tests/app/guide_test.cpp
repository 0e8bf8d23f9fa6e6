// Every command of the guide is one of the program's, with options that it has.

#include <gmock/gmock.h>

#include <map>
#include <regex>
#include <sstream>

#include "program.h"

namespace strata {
namespace {

using namespace ::strata::testing;
namespace fs = std::filesystem;

struct GuideCommand {
  std::string page, line;
};

/// Lines of code that begin with `strata`, those that a backslash continues made one.
std::vector<GuideCommand> commandsOf(const fs::path& page) {
  std::vector<GuideCommand> commands;
  std::istringstream lines(readText(page));
  bool inCode = false, goesOn = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inCode = !inCode;
      continue;
    }
    if (!inCode) continue;
    const bool last = !line.ends_with("\\");
    if (!last) line.pop_back();
    if (goesOn) {
      commands.back().line += " " + line;
    } else if (const std::size_t at = line.find("strata ");
               at == 0 || (at != std::string::npos && line[at - 1] == ' ')) {
      commands.push_back({page.filename().string(), line.substr(at)});
    } else {
      continue;
    }
    goesOn = !last;
  }
  // In the text, too: `strata bench MODEL`.
  const std::string text = std::regex_replace(readText(page), std::regex("```[^`]*```"), "");
  const std::regex inText("`(strata [a-z][^`]*)`");
  for (auto match = std::sregex_iterator(text.begin(), text.end(), inText); match != std::sregex_iterator(); ++match) {
    commands.push_back({page.filename().string(), (*match)[1]});
  }
  return commands;
}

/// Up to a comment or another command, in words.
std::vector<std::string> wordsOf(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream in(line);
  for (std::string word; in >> word && word != "#" && word != "&&" && word != "&" && word != "|" && word != ">";) {
    words.push_back(word);
  }
  return words;
}

TEST(GuidesCommands, AreThoseOfTheProgramWithOptionsThatItHas) {
  std::map<std::vector<std::string>, std::string> helps;
  const auto helpOf = [&](const std::vector<std::string>& verb) -> const std::string& {
    auto [found, fresh] = helps.try_emplace(verb);
    if (fresh) {
      std::vector<std::string> arguments = verb;
      arguments.push_back("--help");
      const Answer answer = runProgram(arguments);
      if (answer.code == 0) found->second = answer.out;
    }
    return found->second;
  };
  int checked = 0;
  for (const auto& file : fs::directory_iterator(sourceFolder() / "resources/guide")) {
    if (file.path().extension() != ".md") continue;
    for (const GuideCommand& command : commandsOf(file.path())) {
      const std::vector<std::string> words = wordsOf(command.line);
      const std::string where = command.page + ": " + command.line;
      ASSERT_GT(words.size(), 1u) << where;
      if (words[1].starts_with("-")) continue;  // strata --version
      std::vector<std::string> verb{words[1]};
      ASSERT_NE(helpOf(verb), "") << where << ": no such command";
      const bool hasVerbs = helpOf(verb).find("SUBCOMMAND") != std::string::npos;
      if (hasVerbs && words.size() > 2 && !words[2].starts_with("-")) verb.push_back(words[2]);
      ASSERT_NE(helpOf(verb), "") << where << ": no such command";
      const std::string help =
          helpOf({words[1]}) + helpOf(verb);  // `strata runs --project DIR list` is also `runs list …`
      for (const std::string& word : words) {
        if (!word.starts_with("--") || word == "--") continue;
        const std::string option = word.substr(0, word.find('='));
        EXPECT_TRUE(std::regex_search(help, std::regex("[ ,]" + option + "[ ,\n{:]"))) << where << ": " << option;
      }
      ++checked;
    }
  }
  EXPECT_GT(checked, 20);
}

}  // namespace
}  // namespace strata
