#include "core/config/describe.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "app/strata/field_options.h"
#include "every_config.h"
#include "support.h"

namespace strata {
namespace {

using testing::forEachConfig;
using testing::otherValue;

int wordsOf(const std::string& text) {
  return 1 + static_cast<int>(std::count(text.begin(), text.end(), ' '));
}

/// The field of this name with another value.
template <class Config>
Config with(Config config, const std::string& name, const Json& value) {
  const auto set = configFromJson(Json{{name, value}}, "test", config);
  EXPECT_TRUE(set) << set.error().message;
  return config;
}

/// What a command line makes of the arguments.
template <class Config>
std::string parsed(std::vector<std::string> arguments, const Config& defaults) {
  CLI::App app;
  FieldOptions fields(app);
  fields.add(defaults);
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  Config config = defaults;
  const auto applied = fields.applyTo(config);
  return applied ? dumpLine(configToJson(config)) : applied.error().message;
}

/// The arguments that a shell makes of a command line, one a line.
std::string throughShell(const std::string& arguments) {
  std::string text;
  FILE* pipe = popen(("printf '%s\n' " + arguments).c_str(), "r");
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0);
  return text;
}

TEST(EveryField, HasALabelAGroupAndAReason) {
  forEachConfig([](const char* config, const auto& good, const auto&) {
    std::set<std::string> labels;
    for (const FieldInfo& field : describe(good)) {
      SCOPED_TRACE(std::string(config) + " " + field.name);
      const std::string label = field.meta.label, group = field.meta.group, why = field.meta.why;
      ASSERT_FALSE(label.empty());
      EXPECT_LE(wordsOf(label), 4) << label;
      EXPECT_TRUE(std::isupper(static_cast<unsigned char>(label[0]))) << label;
      EXPECT_NE(label.back(), '.');
      EXPECT_TRUE(labels.insert(label).second) << label << " stands twice";
      EXPECT_FALSE(group.empty());
      ASSERT_FALSE(why.empty());
      EXPECT_TRUE(std::isupper(static_cast<unsigned char>(why[0])) || why.starts_with("bfloat16")) << why;
      EXPECT_TRUE(why.back() == '.' && why.find(". ") == std::string::npos) << "one sentence: " << why;
      EXPECT_NE(std::string(field.meta.help), "");
      for (const Choice& choice : field.meta.choices) EXPECT_NE(std::string(choice.label), "") << choice.value;
    }
  });
}

TEST(EveryField, StandsInASectionOfFiveAtMostOrUnderMore) {
  forEachConfig([](const char* config, const auto& good, const auto&) {
    std::map<std::string, int> shown;
    for (const FieldInfo& field : describe(good)) {
      if (!field.meta.more) ++shown[field.meta.group];
    }
    EXPECT_LE(shown.size(), 5U) << config;
    for (const auto& [group, fields] : shown) EXPECT_LE(fields, 5) << config << " " << group;
  });
}

TEST(EveryField, TakesItsChoicesAndNoOtherWord) {
  forEachConfig([](const char* config, const auto& good, const auto& check) {
    for (const FieldInfo& field : describe(good)) {
      bool free = field.meta.choices.empty();
      for (const Choice& choice : field.meta.choices) {
        SCOPED_TRACE(std::string(config) + " " + field.name + " " + choice.value);
        const std::string pattern = choice.pattern;
        if (!pattern.empty() && pattern.find(':') == std::string::npos) free = true;
        if (pattern.find(':') != std::string::npos) {
          EXPECT_TRUE(std::string(choice.value).starts_with(pattern.substr(0, pattern.find(':') + 1)));
        }
        if (*choice.value == '\0') continue;  // may be left open in a file; whether it may stay open, the check says
        const auto checked = check(with(good, field.name, choice.value));
        EXPECT_TRUE(checked) << checked.error().message;
      }
      if (free) continue;
      auto changed = good;
      const auto refused = configFromJson(Json{{field.name, "nonsense"}}, "options.json", changed);
      ASSERT_FALSE(refused) << field.name;
      EXPECT_EQ(refused.error().context, field.name);
      EXPECT_EQ(refused.error().message, "options.json has " + field.name +
                                             " \"nonsense\"; give one of: " + printChoices(field.meta.choices) + ".");
    }
  });
}

TEST(EveryField, StandsInTheHelpWithItsGroupChoicesUnitAndDefault) {
  forEachConfig([](const char* config, const auto& good, const auto&) {
    using Config = std::decay_t<decltype(good)>;
    CLI::App app;
    FieldOptions fields(app);
    fields.add(Config());
    const std::string help = app.help();
    for (const FieldInfo& field : describe(Config())) {
      SCOPED_TRACE(std::string(config) + " " + field.name);
      if (field.meta.positional) continue;
      const std::size_t group = help.find("\n" + std::string(field.meta.group) + ":\n");
      std::size_t option = help.find("\n  --" + field.name);
      const auto goesOn = [&] {
        return help.compare(option + 5 + field.name.size(), 1, "-") == 0;
      };  // --kv: --kv-pairs
      while (option != std::string::npos && goesOn()) option = help.find("\n  --" + field.name, option + 1);
      ASSERT_NE(group, std::string::npos);
      ASSERT_NE(option, std::string::npos);
      EXPECT_LT(group, option);
      const std::string entry = help.substr(option, help.find("\n  --", option + 1) - option);
      EXPECT_NE(entry.find(field.meta.help), std::string::npos) << entry;
      if (!field.meta.choices.empty()) {
        EXPECT_NE(entry.find(printChoices(field.meta.choices, " | ")), std::string::npos) << entry;
      }
      std::string unit = field.meta.unit;
      for (char& c : unit) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      EXPECT_NE(entry.find(unit), std::string::npos) << entry;
      const bool number = field.kind == FieldKind::whole || field.kind == FieldKind::real;
      if (number && !field.optional) {
        EXPECT_NE(entry.find("[" + fieldText(field.kind, field.value) + "]"), std::string::npos) << entry;
      }
    }
  });
}

TEST(EveryField, ComesBackFromTheFileTheTextAndTheCommandLine) {
  forEachConfig([](const char* config, const auto& good, const auto&) {
    using Config = std::decay_t<decltype(good)>;
    Config all;
    for (const FieldInfo& field : describe(Config())) {
      SCOPED_TRACE(std::string(config) + " " + field.name);
      const Config changed = with(Config(), field.name, otherValue(field));
      const std::vector<FieldInfo> differences = changedFields(changed);
      ASSERT_EQ(differences.size(), 1U);
      EXPECT_EQ(differences[0].name, field.name);
      const std::string text = fieldText(field.kind, differences[0].value);
      EXPECT_EQ(parseField(field.kind, field.optional, text), differences[0].value) << text;
      const auto arguments = commandArguments(differences);
      EXPECT_EQ(parsed(arguments, Config()), dumpLine(configToJson(changed)));
      std::string wanted;
      for (const std::string& argument : arguments) wanted += argument + "\n";
      EXPECT_EQ(throughShell(commandLine("", differences)), wanted);
      all = with(all, field.name, otherValue(field));
    }
    EXPECT_EQ(changedFields(all).size(), describe(all).size());
    EXPECT_EQ(parsed(commandArguments(describe(all)), Config()), dumpLine(configToJson(all)));
    EXPECT_TRUE(changedFields(all, all).empty());
  });
}

TEST(CommandLine, NamesOnlyWhatDiffers) {
  TrainConfig config;
  EXPECT_EQ(commandLine("strata train", config), "strata train");
  config.model = "my model";
  config.steps = 200;
  config.lr = 5e-4;
  config.distill = true;
  EXPECT_EQ(commandLine("strata train", config), "strata train --model 'my model' --distill --steps 200 --lr 0.0005");
  EvalConfig eval;
  eval.model = "routed";
  eval.task = "nll";
  eval.maps = {"full", "retention:.5"};
  EXPECT_EQ(commandLine("strata eval", eval), "strata eval routed --task nll --maps full --maps retention:.5");
}

TEST(CommandLine, TakesValuesThatLookLikeOptionsOrAreEmpty) {
  for (const char* value : {"", "-x", "--steps", "a;b", "[1,2]", "{}"}) {
    TrainConfig config;
    config.evalMaps = value;
    config.model = value;
    EXPECT_EQ(parsed(commandArguments(describe(config)), TrainConfig()), dumpLine(configToJson(config))) << value;
    EvalConfig eval;
    eval.model = value;
    EXPECT_EQ(parsed(commandArguments(describe(eval)), EvalConfig()), dumpLine(configToJson(eval))) << value;
  }
}

TEST(FieldText, ListsAndPairsComeBackWhateverTheyHold) {
  for (const Json& list : {Json::array(), Json{""}, Json{"", ""}, Json{"a", ""}, Json{"", "a"}, Json{"a;", " b", "\\"},
                           Json{"\\n", "\n", ";"}, Json{"a; b"}}) {
    const std::string text = fieldText(FieldKind::list, list);
    EXPECT_EQ(parseField(FieldKind::list, false, text), list) << text;
  }
  EXPECT_EQ(fieldText(FieldKind::list, Json{"full", "retention:.5"}), "full; retention:.5");
  for (const Json& pairs :
       {Json::object(), Json{{"a", "b"}}, Json{{"a,b", "c"}}, Json{{"a=b", "c"}}, Json{{"a", "b=c"}}}) {
    const std::string text = fieldText(FieldKind::pairs, pairs);
    EXPECT_EQ(parseField(FieldKind::pairs, false, text), pairs) << text;
  }
  EXPECT_EQ(fieldText(FieldKind::pairs, Json{{"a", "b"}, {"c", "d"}}), "a=b,c=d");
}

TEST(FieldText, OnlyAnOptionalNumberMayBeLeftOpen) {
  EXPECT_EQ(parseField(FieldKind::real, true, ""), Json(nullptr));
  EXPECT_FALSE(parseField(FieldKind::real, false, ""));
  EXPECT_FALSE(parseField(FieldKind::whole, false, "1.5"));
  EXPECT_FALSE(parseField(FieldKind::real, true, "nan"));
  EXPECT_EQ(parseField(FieldKind::whole, false, "18446744073709551615"), Json(18446744073709551615U));
}

TEST(AnyConfig, KeepsAllValuesWhenOneIsRefused) {
  const auto config = anyConfig<TrainConfig>("strata train", TrainConfig(), checkTrainConfig);
  EXPECT_FALSE(config->set({{"steps", 7}, {"length", 1}}));
  EXPECT_EQ(config->values(), configToJson(TrainConfig()));
  ASSERT_TRUE(config->set({{"steps", 7}, {"length", 64}}));
  EXPECT_EQ(config->commandLine(), "strata train --steps 7 --length 64");
  const auto checked = config->check();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().context, "model");
}

TEST(AnyConfig, ComparesWithItsBase) {
  const auto config = anyConfig<TrainConfig>("strata train", TrainConfig(), checkTrainConfig);
  ASSERT_TRUE(config->setBase({{"steps", 50}}));
  ASSERT_TRUE(config->set({{"steps", 50}}));
  for (const FieldInfo& field : config->fields()) EXPECT_FALSE(field.isChanged()) << field.name;
  EXPECT_EQ(config->commandLine(), "strata train --steps 50") << "the command knows no preset";
}

}  // namespace
}  // namespace strata
