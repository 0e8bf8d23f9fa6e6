#include "core/jinja/template.h"

#include <gmock/gmock.h>

#include "render.h"

namespace strata::jinja {
namespace {

using testing::errorOf;
using ::testing::HasSubstr;
using testing::render;
using testing::tryRender;

TEST(JinjaTemplate, NamesTheTemplateAndTheLineOfAnError) {
  const Error syntax = errorOf("a\nb {{ 1 + }}\n");
  EXPECT_EQ(syntax.context, "t.jinja:2");
  EXPECT_EQ(syntax.message, "t.jinja:2: the template fails: a value is awaited, not '}}'.");
  EXPECT_EQ(errorOf("{% if true %}\n\n{{ x.y }}{% endif %}").context, "t.jinja:3");
  EXPECT_EQ(errorOf("{{ [1,\n2,\n'a' + 1] }}").context, "t.jinja:3");
  EXPECT_EQ(errorOf("a\n{% for x in [] %}\n").message,
            "t.jinja:2: the template fails: the 'for' of line 2 has no 'endfor'.");
}

TEST(JinjaTemplate, EndsTheErrorWithWhatRaiseExceptionSays) {
  const Error error = errorOf("\n{{ raise_exception('Only user roles: ' ~ role) }}", Json{{"role", "x"}});
  EXPECT_EQ(error.context, "t.jinja:2");
  EXPECT_EQ(error.message, "t.jinja:2: the template refuses its input: Only user roles: x");
}

TEST(JinjaTemplate, RefusesWhatReadsOtherTemplates) {
  for (const char* source :
       {"{% include 'a' %}", "{% import 'a' as b %}", "{% from 'a' import b %}", "{% extends 'a' %}"})
    EXPECT_THAT(errorOf(source).message, HasSubstr("reads another template")) << source;
}

TEST(JinjaTemplate, RefusesWhatIsNotUtf8) {
  EXPECT_THAT(errorOf("a\xff").message, HasSubstr("not UTF-8"));
}

TEST(JinjaTemplate, HidesWhatTheSandboxHides) {
  EXPECT_THAT(errorOf("{{ ''.__class__.__mro__ }}").message, HasSubstr("the sandbox hides '__class__'"));
  EXPECT_THAT(errorOf("{{ {}['__class__']() }}").message, HasSubstr("the sandbox hides"));
  EXPECT_THAT(errorOf("{% set x = [] %}{{ x.append(1) }}").message, HasSubstr("the sandbox hides 'append'"));
  EXPECT_THAT(errorOf("{{ {}.update({'a': 1}) }}").message, HasSubstr("the sandbox hides 'update'"));
  EXPECT_THAT(errorOf("{{ 'a'|attr('upper') }}").message, HasSubstr("'attr' is refused"));
  EXPECT_EQ(render("{{ range.__globals__ }}{{ cycler.__init__ }}"), "");
}

TEST(JinjaTemplate, RefusesNumbersBeyond64Bits) {
  for (const char* source : {"{{ 9223372036854775807 + 1 }}", "{{ 10 ** 30 }}", "{{ 9223372036854775808 }}",
                             "{{ '99999999999999999999'|int }}", "{{ -9223372036854775807 - 2 }}",
                             "{{ 4611686018427387904 * 2 }}", "{{ 1e30|int }}"}) {
    EXPECT_THAT(errorOf(source).message, HasSubstr("64 bits")) << source;
  }
  EXPECT_EQ(render("{{ (-9223372036854775807 - 1) // -1 if false else -9223372036854775807 - 1 }}"),
            "-9223372036854775808");
  EXPECT_THAT(errorOf("{{ (-9223372036854775807 - 1) // -1 }}").message, HasSubstr("64 bits"));
  EXPECT_EQ(render("{{ (-9223372036854775807 - 1) % -1 }}"), "0");
}

TEST(JinjaTemplate, PrintsNumbersOfTheDataBeyond63Bits) {
  const Json data{{"n", 18446744073709551615u}};
  EXPECT_EQ(render("{{ n }} {{ {'max': n}|tojson }}", data), "18446744073709551615 {\"max\": 18446744073709551615}");
  EXPECT_THAT(errorOf("{{ n + 1 }}", data).message, HasSubstr("64 bits"));
}

TEST(JinjaTemplate, MarksWhatGenerationBlocksPrint) {
  const Json data{{"messages", {{{"role", "user"}, {"text", "Hé"}}, {{"role", "assistant"}, {"text", "Ja"}}}}};
  const auto rendered = tryRender(
      "{% for m in messages %}[{% if m.role == 'assistant' %}{% generation %}{{ m.text }}!{% endgeneration %}"
      "{% else %}{{ m.text }}{% endif %}]{% endfor %}",
      data);
  ASSERT_TRUE(rendered) << rendered.error().message;
  EXPECT_EQ(rendered->text, "[Hé][Ja!]");
  EXPECT_EQ(rendered->generations, (std::vector<Span>{{6, 9}}));
}

TEST(JinjaTemplate, FormatsTheGivenTime) {
  EXPECT_EQ(render("{{ strftime_now('%d %b %Y %H:%M|%A %-d %j %y %I %p %f%z%%') }}"),
            "10 Jul 2025 12:00|Thursday 10 191 25 12 PM 000000%");
}

TEST(JinjaTemplate, PrintsAsHuggingfaceJsInItsDialect) {
  const char* source = "{{ true }} {{ [none, 'a', (1, false)] }} {{ 1 ~ true }} {{ 1 + 'a' }} {{ 1 in [true] }}";
  const auto rendered = tryRender(source, Json::object(), Dialect::javascript);
  ASSERT_TRUE(rendered) << rendered.error().message;
  EXPECT_EQ(rendered->text, "true [null, \"a\", [1, false]] 1true 1a false");
}

TEST(JinjaTemplate, MayBeRenderedAgainAndGivesTheSame) {
  const auto parsed = Template::parse("{% set c = cycler(1, 2) %}{{ c.next() }}{{ c.next() }}{{ x }}", "t.jinja");
  ASSERT_TRUE(parsed);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(parsed->render(Json{{"x", i}}, {})->text, "12" + std::to_string(i));
}

}  // namespace
}  // namespace strata::jinja
