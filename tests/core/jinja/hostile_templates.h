#pragma once
// Templates that try to take all memory or all time, or to leave the sandbox.

#include <string>
#include <utility>
#include <vector>

namespace strata::jinja::testing {

struct HostileTemplate {
  const char* name;
  std::string source;
};

inline std::string repeat(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

inline std::string numbered(const std::string& before, const std::string& after, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += before + std::to_string(i) + after;
  return out;
}

inline std::vector<HostileTemplate> hostileTemplates() {
  return {
      {"string repetition", R"j({{ 'a' * 10**9 }})j"},
      {"repetition doubled",
       R"j({% set ns = namespace(s='aaaaaaaaaaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %})j"},
      {"list doubled",
       R"j({% set ns = namespace(l=[1,2,3]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %})j"},
      {"list repetition", R"j({{ [0] * 10**9 }})j"},
      {"nested loops",
       R"j({% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %})j"},
      {"range", R"j({{ range(10**9)|list }})j"},
      {"many ranges",
       R"j({% set ns = namespace(l=[]) %}{% for i in range(1000) %}{% set ns.l = ns.l + [range(100000)|list] %}{% endfor %})j"},
      {"center", R"j({{ 'a'|center(10**9) }})j"},
      {"ljust", R"j({{ 'a'.ljust(10**9) }}{{ 'a'.zfill(10**9) }})j"},
      {"percent width", R"j({{ '%1000000000d' % 1 }})j"},
      {"percent widths", R"j({% for i in range(100000) %}{{ '%1000000d' % 1 }}{% endfor %})j"},
      {"percent precision", R"j({{ '%.1000000000f' % 1 }})j"},
      {"brace width", R"j({{ '{:1000000000}'.format(1) }})j"},
      {"replace explosion",
       R"j({% set ns = namespace(s='a') %}{% for i in range(40) %}{% set ns.s = ns.s.replace('a', 'aa') %}{% endfor %})j"},
      {"replace empty", R"j({% set x = 'a' * 1000000 %}{{ x.replace('', 'b' * 1000) }})j"},
      {"join explosion", R"j({% set x = 'a' * 100000 %}{{ x.join(range(1000)|map('string')) }})j"},
      {"macro explosion",
       R"j({% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}x{% endmacro %}{{ f(100) }})j"},
      {"endless recursion", R"j({% macro f() %}{{ f() }}{% endmacro %}{{ f() }})j"},
      {"recursion of two",
       R"j({% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }})j"},
      {"recursion of callers", R"j({% macro f() %}{% call f() %}x{% endcall %}{% endmacro %}{{ f() }})j"},
      {"recursive loop", R"j({% for x in [1] recursive %}{{ loop([1]) }}{% endfor %})j"},
      {"output", R"j({% for i in range(100000) %}{{ 'x' * 100000 }}{% endfor %})j"},
      {"namespace cycle", R"j({% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}{{ ns == ns }})j"},
      {"deep list",
       R"j({% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }})j"},
      {"deep namespaces",
       R"j({% set x = namespace(a=1) %}{% for i in range(100000) %}{% set x.a = namespace(a=x.a) %}{% endfor %}{{ x }})j"},
      {"wide list",
       R"j({% set ns = namespace(l=[1]) %}{% for i in range(30) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}{{ ns.l == ns.l }})j"},
      {"wide list json",
       R"j({% set ns = namespace(l=[1]) %}{% for i in range(30) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l|tojson }})j"},
      {"wide list equality",
       R"j({% set ns = namespace(l=[1], k=[1]) %}{% for i in range(40) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.k = [ns.k, ns.k] %}{% endfor %}{{ ns.l == ns.k }})j"},
      {"hash of wide tuple",
       R"j({% set ns = namespace(l=(1,)) %}{% for i in range(40) %}{% set ns.l = (ns.l, ns.l) %}{% endfor %}{{ {ns.l: 1} }})j"},
      {"indent explosion", "{{ ('a\n' * 100000)|indent(100000) }}"},
      {"json indent", R"j({{ messages|tojson(indent=10**9) }})j"},
      {"json indents", R"j({{ ([[[[1]]]] * 10000)|tojson(indent=1000000) }})j"},
      {"json separators", R"j({{ ([1] * 100000)|tojson(separators=('a' * 100000, ':')) }})j"},
      {"wordwrap", R"j({{ ('a ' * 500000)|wordwrap(1) }})j"},
      {"batch fill", R"j({{ [1]|batch(10**9, 'x')|list }})j"},
      {"slices", R"j({{ [1]|slice(10**9)|list }})j"},
      {"sort", R"j({% for i in range(100) %}{% set x = range(100000)|sort(reverse=true) %}{% endfor %})j"},
      {"sort long equal texts", R"j({% set x = [('a' * 100000)] * 100000 %}{{ x|sort|length }})j"},
      {"unique",
       R"j({% set x = ('a' * 1000)|list %}{% for i in range(10000) %}{% set y = x|unique|list %}{% endfor %})j"},
      {"groupby", R"j({% for i in range(1000) %}{% set x = range(10000)|groupby(none)|list %}{% endfor %})j"},
      {"find quadratic",
       R"j({% set t = 'a' * 2000000 %}{% set p = 'a' * 1000000 ~ 'b' %}{% for i in range(1000) %}{{ t.find(p) }}{{ p in t }}{{ t.rfind(p) }}{{ t.count(p) }}{% endfor %})j"},
      {"split", R"j({% set t = 'a,' * 1000000 %}{% for i in range(1000) %}{% set x = t.split(',') %}{% endfor %})j"},
      {"rsplit quadratic", R"j({% set t = 'a ' * 500000 %}{% set x = t.rsplit(' ', 400000) %})j"},
      {"strip", R"j({% set t = ' ' * 5000000 %}{% for i in range(10000) %}{% set x = t.strip() %}{% endfor %})j"},
      {"strip chars",
       R"j({% set t = 'é' * 1000000 %}{% for i in range(10000) %}{% set x = t.strip(t) %}{% endfor %})j"},
      {"upper", R"j({% set t = 'é' * 1000000 %}{% for i in range(10000) %}{% set x = t.upper() %}{% endfor %})j"},
      {"index in unicode", R"j({% set t = 'é' * 1000000 %}{% for i in range(100000) %}{{ t[999999] }}{% endfor %})j"},
      {"unicode list", R"j({{ ('é' * 4000000)|list|length }})j"},
      {"format many", R"j({{ ('{0}' * 100000).format('a' * 100000) }})j"},
      {"power", R"j({{ 10 ** 10 ** 10 }})j"},
      {"power loop",
       R"j({% for i in range(100000) %}{% for j in range(100000) %}{{ 1.5 ** 0.3 }}{% endfor %}{% endfor %})j"},
      {"strftime", R"j({{ strftime_now('%c' * 1000000) }})j"},
      {"strftime width", R"j({{ strftime_now('%999999999Y') }})j"},
      {"escape", R"j({{ ('<' * 8000000)|e }})j"},
      {"urlencode", R"j({{ ('é' * 4000000)|urlencode }})j"},
      {"xml", R"j({{ {'a': '<' * 8000000}|xmlattr }})j"},
      {"striptags", R"j({{ ('<' * 4000000)|striptags }})j"},
      {"pprint wide",
       R"j({% set ns = namespace(l={'a': 1}) %}{% for i in range(30) %}{% set ns.l = {'a': ns.l, 'b': ns.l} %}{% endfor %}{{ ns.l|pprint }})j"},
      {"pprint deep",
       R"j({% set ns = namespace(l={'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa': 1}) %}{% for i in range(190) %}{% set ns.l = [ns.l] %}{% endfor %}{% for i in range(10000) %}{% set x = ns.l|pprint %}{% endfor %})j"},
      {"macros capture", R"j({% for i in range(100000) %}{% macro m() %}{{ i }}{% endmacro %}{% endfor %})j"},
      {"macro of many arguments",
       R"j({% macro m() %}{{ varargs|length }}{% endmacro %}{% for i in range(100000) %}{{ m(*range(100000)) }}{% endfor %})j"},
      {"named arguments",
       R"j({% macro m() %}{{ kwargs|length }}{% endmacro %}{% set ns = namespace(d=dict()) %}{% for i in range(900) %}{% set ns.d = dict(ns.d, **{'k' ~ i: i}) %}{% endfor %}{% for i in range(100000) %}{{ m(**ns.d) }}{% endfor %})j"},
      {"dict growth",
       R"j({% set ns = namespace() %}{% for i in range(100000) %}{% for j in range(100000) %}{% set ns.d = dict(ns.d|default({}), **{('k' ~ i ~ j): 1}) %}{% endfor %}{% endfor %})j"},
      {"cycle", R"j({% for i in range(100000) %}{{ loop.changed(range(100000)|list) }}{% endfor %})j"},
      {"lastitem filter",
       R"j({% for i in range(100000) %}{% for j in range(100000) if loop is defined %}{{ loop.length }}{% endfor %}{% endfor %})j"},
      {"class", R"j({{ ''.__class__.__mro__[1].__subclasses__() }})j"},
      {"globals", R"j({{ range.__globals__ }}{{ cycler.__init__.__globals__.os.popen('id').read() }})j"},
      {"format class", R"j({{ '{0.__class__.__mro__}'.format(1) }})j"},
      {"truncate", R"j({% set t = 'é' * 1000000 %}{% for i in range(10000) %}{{ t|truncate(20) }}{% endfor %})j"},
      {"title", R"j({{ ('a-' * 2000000)|title|length }})j"},
      {"compare chains",
       R"j({% set t = 'a' * 4000000 %}{% set u = t ~ '' %}{% for i in range(100000) %}{{ t == u }}{{ t < u }}{% endfor %})j"},
      {"dict keys", R"j({% set t = 'a' * 4000000 %}{% for i in range(100000) %}{% set x = {t: 1} %}{% endfor %})j"},
      {"nested select",
       R"j({% for i in range(100000) %}{{ range(100000)|map('string')|select('in', 'x')|list }}{% endfor %})j"},
      {"sum of lists", R"j({{ ([[1]] * 100000)|sum(start=[])|length }})j"},
      {"many variables", "{% for i in range(100000) %}" + numbered("{% set a", " = i %}", 5000) + "{% endfor %}"},
      {"many scopes", "{% for i in range(100000) %}" + repeat("{% with %}", 100) + "{{ x }}" +
                          repeat("{% endwith %}", 100) + "{% endfor %}"},
      {"deep parentheses", "{{ " + repeat("(", 100000) + "1" + repeat(")", 100000) + " }}"},
      {"deep lists", "{{ " + repeat("[", 300000)},
      {"deep dicts", "{{ " + repeat("{1:", 300000)},
      {"open tags", repeat("{{", 500000)},
      {"open blocks", repeat("{%", 500000)},
      {"open comments", repeat("{#", 500000)},
      {"deep ifs", repeat("{% if 1 %}", 90000)},
      {"deep fors", repeat("{% for x in [1] %}", 50000)},
      {"deep macros", repeat("{% macro a() %}", 60000)},
      {"nots", "{{ " + repeat("not ", 200000) + "1 }}"},
      {"minuses", "{{ " + repeat("-", 500000) + "1 }}"},
      {"sums", "{{ 1" + repeat("+1", 400000) + " }}"},
      {"filters", "{{ 1" + repeat("|abs", 200000) + " }}"},
      {"attributes", "{{ a" + repeat(".a", 400000) + " }}"},
      {"subscripts", "{{ a" + repeat("[0]", 300000) + " }}"},
      {"calls", "{{ a" + repeat("()", 400000) + " }}"},
      {"conditions", "{{ 1" + repeat(" if 1 else 1", 80000) + " }}"},
      {"comparisons", "{{ 1" + repeat("<2", 400000) + " }}"},
      {"concatenations", "{{ 1" + repeat("~1", 400000) + " }}"},
      {"elifs", "{% if 0 %}" + repeat("{% elif 0 %}", 80000) + "{% endif %}"},
      {"outputs", repeat("{{1}}", 200000)},
      {"names", numbered("{{a", "}}", 100000)},
      {"named arguments in source", "{{ f(" + numbered("a", "=1,", 80000) + ") }}"},
      {"targets in targets", "{% set " + repeat("(", 100000)},
      {"raw without an end", "{% raw %}" + repeat("{%", 500000)},
      {"raw and spaces", "{% raw %}" + repeat("{%            ", 80000)},
      {"spaces", "{%" + std::string(1000000, ' ')},
      {"a string without an end", "{{ '" + repeat("\\\\", 500000)},
      {"a long name", "{{ " + std::string(1000000, 'a') + " }}"},
      {"a long number", "{{ " + std::string(1000000, '1') + " }}"},
      {"a long dictionary", "{{ {" + numbered("", ":1,", 100000) + "} }}"},
      {"a long template", std::string(2000000, 'a')},
  };
}

/// Numbers whose digits, and texts whose repetition in messages, cost more than they look.
inline std::vector<HostileTemplate> hostileNumbersAndMessages() {
  return {
      {"rounding",
       "{% set l=[1e300]*100000 %}{% for i in range(100) %}{% set x=l|map('round',300)|list %}{% endfor %}"},
      {"rounding fractions",
       "{% set l=[1.1]*100000 %}{% for i in range(100) %}{% set x=l|map('round',330)|list %}{% endfor %}"},
      {"divisibility",
       "{% set l=[1.5e308]*100000 %}{% for i in range(100) %}{% set "
       "x=l|select('divisibleby',3.3e-308)|list|length %}{% endfor %}"},
      {"modulo", "{% for i in range(100000) %}{% set x=1e308%1e-308+1e308%1e-307+1e308%3e-308 %}{% endfor %}"},
      {"percent format",
       "{% for i in range(100000) %}{% set x='%.300f%.300f%.300f'|format(1e300,1e300,1e300) %}{% endfor %}"},
      {"brace format", "{% for i in range(100000) %}{% set x='{:.300f}{:.300f}'.format(1e308,1e308) %}{% endfor %}"},
      {"lines", "{% set s='\n'*2600000 %}{% set x=s.splitlines() %}"},
      {"a long refusal", "{{ raise_exception('a'*20000000) }}"},
      {"a refusal that moves the cursor", "{{ raise_exception('\x1b[2J'*200000) }}"},
      {"a long filter", "{{ {'a':1}|map('z'*7000000)|list }}"},
      {"a long attribute", "{{ {('a '*5000000):1}|xmlattr }}"},
  };
}

/// Work on a long text again and again.
inline std::vector<HostileTemplate> hostileLoops() {
  std::vector<HostileTemplate> templates;
  for (const char* text : {"'a' * 1000000", "'é ' * 300000"}) {
    for (const char* work : {"t.upper()",
                             "t.title()",
                             "t.casefold()",
                             "t|title",
                             "t.isalnum()",
                             "[t]|string",
                             "t|tojson",
                             "t.splitlines()",
                             "t.expandtabs()",
                             "t|e",
                             "t|urlencode",
                             "t|wordcount",
                             "t[::-1]",
                             "t.split()",
                             "t|indent",
                             "t.count('b')",
                             "{t: 1}",
                             "t.replace('a','b',1)",
                             "t.rpartition('b')",
                             "t[:100000]|wordwrap",
                             "t|striptags",
                             "t|int",
                             "t|float",
                             "[t,t,t]|sort",
                             "t.format(1)",
                             "t % ()"}) {
      templates.push_back({work, "{% set t = " + std::string(text) + " %}{% for i in range(100000) %}{% set x = " +
                                     std::string(work) + " %}{% endfor %}"});
    }
  }
  return templates;
}

}  // namespace strata::jinja::testing
