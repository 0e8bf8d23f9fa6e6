#include "widgets/client/error_words.h"

#include <gtest/gtest.h>

#include <QCoreApplication>
#include <QTranslator>

namespace strata {
namespace {

Error locked(const std::string& project) {
  return namedError("project_locked", {{"project", project}}, fail(ErrorCode::busy, "The engine's own words.", project))
      .value();
}

/// Another language of which one sentence is known.
class OneSentence : public QTranslator {
 public:
  bool isEmpty() const override { return false; }
  QString translate(const char* context, const char* text, const char*, int) const override {
    const bool known =
        QLatin1String(context) == QLatin1String("strata::Errors") && QString(text).contains("another Strata");
    return known ? QStringLiteral("Das Projekt %1 ist anderswo offen.") : QString();
  }
};

TEST(ErrorWords, AnErrorWithANameIsWordedFromItsArguments) {
  EXPECT_EQ(errorText(locked("/p/%2 100 %1")),
            "The project /p/%2 100 %1 is open in another Strata. Close it there first.");
  Error architecture = fail(ErrorCode::unsupported, "No.").value();
  architecture.name = "unknown_architecture";
  architecture.arguments = {{"architecture", "\"Gpt%2\""}, {"supported", "LlamaForCausalLM"}};
  EXPECT_EQ(errorText(architecture),
            "The model has the architecture \"Gpt%2\", which is not supported. Supported: LlamaForCausalLM.");
}

TEST(ErrorWords, AnyOtherKeepsTheEnginesSentence) {
  EXPECT_EQ(errorText(fail(ErrorCode::io, "The pipe broke.").value()), "The pipe broke.");
  Error newer = fail(ErrorCode::io, "From a newer engine.").value();
  newer.name = "no_such_name";
  EXPECT_EQ(errorText(newer), "From a newer engine.");
  Error bare = locked("/p");
  bare.arguments.clear();
  EXPECT_EQ(errorText(bare), "The engine's own words.") << "an argument is missing";
}

TEST(ErrorWords, TheSentenceIsTranslated) {
  OneSentence german;
  QCoreApplication::installTranslator(&german);
  EXPECT_EQ(errorText(locked("/p")), "Das Projekt /p ist anderswo offen.");
  QCoreApplication::removeTranslator(&german);
}

}  // namespace
}  // namespace strata
