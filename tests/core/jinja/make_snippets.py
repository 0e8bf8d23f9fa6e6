#!/usr/bin/env python3
"""Writes snippets.jsonl: small templates and what Jinja2 makes of them, set up as transformers does.

  python3 -m venv /tmp/peer && /tmp/peer/bin/pip install jinja2==3.1.6
  /tmp/peer/bin/python tests/core/jinja/make_snippets.py tests/core/jinja/snippets.jsonl

One JSON object a line: {"template", "text"} or {"template", "fails": true}. All are rendered with CONTEXT, the first line.
"""
import itertools
import json
import sys

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

CONTEXT = {
    "messages": [
        {"role": "system", "content": "You are \"kind\"."},
        {"role": "user", "content": "Hi <b>there</b> & it's\nfine"},
        {"role": "assistant", "content": None, "tool_calls": [{"name": "f", "arguments": {"x": 1, "y": [1.5, None, True]}}]},
        {"role": "user", "content": [{"type": "text", "text": "Grüße 你好 🙂"}, {"type": "image"}]},
    ],
    "words": ["banana", "Apple", "cherry", "apple", "Zürich", "über"],
    "numbers": [3, -1, 4, 1, 5, 9, 2, 6],
    "mixed": [1, 2.5, "x", None, True, [1], {"a": 1}],
    "people": [
        {"name": "Bob", "age": 30, "city": {"name": "Oslo"}},
        {"name": "alice", "age": 25, "city": {"name": "oslo"}},
        {"name": "Carl", "age": 30, "city": {"name": "Bonn"}},
        {"name": "Dora", "age": 41},
    ],
    "d": {"b": 2, "a": 1, "C": 3, "items": "own", "nested": {"k": ["v"]}},
    "s": "  Hello World, hello  ",
    "u": "Straße ÉCLAIR ǅ ﬁn Σίσυφος",
    "lines": "one\ntwo\r\n\nthree\x0bfour",
    "empty": "", "zero": 0, "nothing": None, "yes": True, "no": False, "f": 3.0, "big": 12345678901234,
    "tree": [{"n": "a", "c": [{"n": "b", "c": [{"n": "d", "c": []}]}, {"n": "e", "c": []}]}],
}


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                        extensions=[Generation, jinja2.ext.loopcontrols])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    return env


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_pass"), [], [], body).set_lineno(line)

    def _pass(self, caller):
        return caller()


def expressions():
    """Expressions, each rendered as {{ ( ... ) }}."""
    values = ["1", "-3", "2.5", "0", "true", "'ab'", "''", "[1, 2]", "(1, 'x')", "{'a': 1}", "none", "missing", "'3'", "numbers"]
    for a, b in itertools.product(values, values):
        for op in ["+", "*", "==", "<", "in", "and", "or"]:
            yield f"{a} {op} {b}"
    for a, b in itertools.product(["7", "-7", "7.5", "-7.5", "0", "2", "-2", "0.0", "true"], repeat=2):
        for op in ["-", "/", "//", "%", "**"]:
            yield f"{a} {op} {b}"
    for a, b in itertools.product(["1", "'a'", "[1]", "(1,)", "2.0", "none", "missing"], repeat=2):
        for op in ["!=", "<=", ">", ">=", "not in", "~", "-", "%"]:
            yield f"{a} {op} {b}"
    for v in ["1.0", "1e16", "1e15", "123456789.123", "1e-5", "0.0001", "1e22", "0.1 + 0.2", "1/3", "2**0.5", "1e300*10", "-0.0", "100000000000000000.0", "5e-324"]:
        yield v
        yield f"{v} | string"
        yield f"[{v}]"
        yield f"{v} | tojson"
    tests = ["defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping",
             "sequence", "iterable", "lower", "upper", "odd", "even", "callable", "escaped", "divisibleby(2)", "divisibleby 3",
             "eq 1", "==(1)", "ne(1)", "lt(2)", "gt 0", "le 1", "ge(1)", "in [1, 'a', none]", "sameas none", "sameas(true)", "equalto('a')", "greaterthan(0)", "lessthan 9", "filter", "test"]
    for v in values + ["'a'", "'A'", "'upper'", "range(3)", "d.items()", "messages", "numbers|map('abs')", "range", "'x'|e", "yes", "f"]:
        for t in tests:
            yield f"{v} is {t}"
            yield f"{v} is not {t}"
    filters = ["abs", "capitalize", "center(9)", "count", "default('D')", "d('D', true)", "e", "escape", "first", "float", "int", "int(7)", "join", "join(', ')",
               "last", "length", "list", "lower", "max", "min", "reject('none')|list", "replace('a', 'b')", "reverse|list", "round", "round(1)", "safe", "select|list",
               "sort", "string", "striptags", "sum", "title", "tojson", "trim", "unique|list", "upper", "urlencode", "wordcount", "items|list", "dictsort",
               "batch(2)|list", "slice(2)|list", "indent", "truncate(5)", "pprint", "filesizeformat", "xmlattr", "forceescape", "format(1)", "wordwrap(5)",
               "map('upper')|list", "map(attribute='a')|list", "groupby('a')", "selectattr('a')|list", "tojson(indent=2)", "center", "reverse"]
    for v in ["1", "-2.5", "'ab c'", "''", "[3, 1, 2]", "['b', 'A', 'c']", "{'a': 1, 'B': 2}", "none", "missing", "true", "s", "u", "d", "words", "numbers", "mixed", "(2, 1)", "range(4)", "'12'", "' 3.7 '", "[{'a': 1}, {'a': 2}, {}]", "[[1, 2], [0]]", "d.items()", "numbers|map('string')", "[none, none]", "[]", "'<a href=\"x\">&amp; y</a>'"]:
        for f in filters:
            if (f == "reverse" and not v.startswith("'")) or (f == "wordcount" and "map" in v):
                continue
            yield f"{v} | {f}"
    methods = ["upper()", "lower()", "title()", "capitalize()", "swapcase()", "casefold()", "strip()", "lstrip()", "rstrip()", "strip('He ')", "rstrip('lo ')", "split()", "split(' ')",
               "split('l', 1)", "rsplit('l', 1)", "rsplit()", "rsplit(none, 1)", "split(none, 1)", "split(',')[0]", "splitlines()", "splitlines(true)", "startswith('  H')", "startswith(('x', '  '))", "endswith('lo  ')", "endswith(('a', 'o'))",
               "find('l')", "rfind('l')", "find('zz')", "index('l')", "index('zz')", "count('l')", "count('')", "replace('l', 'L')", "replace('l', 'L', 1)", "replace('', '-')", "zfill(30)", "ljust(30)", "rjust(30, '*')", "center(31, '-')",
               "partition('l')", "rpartition('l')", "partition('zz')", "rpartition('zz')", "removeprefix('  H')", "removesuffix('  ')", "isdigit()", "isalpha()", "isalnum()", "isspace()", "islower()", "isupper()", "istitle()", "isidentifier()", "isdecimal()", "isnumeric()", "isascii()",
               "expandtabs()", "find('o', 7)", "find('o', -5, -1)", "startswith('H', 2)", "join(['a', 'b'])", "join([1])", "split('')", "nope()", "__class__", "length"]
    for v in ["s", "u", "'12'", "''", "'abc'", "'Ab Cd'", "' '", "'²'", "'½'", "'ab\\tc'", "lines", "'你好'"]:
        for m in methods:
            yield f"{v}.{m}"
    yield from [
        "d.get('a')", "d.get('zz')", "d.get('zz', 5)", "d.items()", "d.keys()", "d.values()", "d['items']", "d.items", "d.nested.k[0]", "d['nested']['k'][-1]", "d.zz", "d.zz.y", "d['zz']['y']",
        "d.keys()|list", "d.values()|list|length", "d.copy()", "d.update({'x': 1})", "d.pop('a')", "d.clear", "d.setdefault('q', 1)", "'a' in d", "'zz' in d", "d|length", "d.__class__", "d['__class__']", "''.__class__.__mro__", "d|attr('x')" if False else "d.b",
        "numbers.append(1)", "numbers.index(4)", "numbers.count(1)", "numbers.index(77)", "numbers.copy()", "numbers.sort()", "numbers.0", "numbers[0]", "numbers[-1]", "numbers[99]", "numbers['x']", "numbers[1.5]", "numbers.x", "none.x", "none['x']", "missing.x", "missing['x']", "missing()", "none()", "1.x" if False else "1",
        "numbers[1:3]", "numbers[::-1]", "numbers[:-1]", "numbers[-2:]", "numbers[::2]", "numbers[5:1:-2]", "numbers[10:]", "numbers[:0]", "'Grüße'[1:3]", "'Grüße'[::-1]", "'Grüße'[-2]", "'Grüße'[99]", "(1,2,3)[1:]", "nothing[1:]", "missing[1:]", "d[1:]", "range(10)[2:8:3]", "numbers[none:2]", "numbers['a':]", "numbers[::0]", "u[3]", "'abc'[1:2] + 'x'",
        "(1,)", "()", "(1, 2)", "[1, [2, {'x': ('y',)}]]", "{'k': 'it\\'s', 'j': \"q\\\"\"}", "['a\\nb', 'tab\\t', '\\\\', 'é', '\\x00', '\\u200b', '🙂', \"it's\", 'say \"x\"', 'both \\' \"']", "{1: 'a', none: 'b', true: 'c', 2.5: 'd', (1, 2): 'e'}", "{[1]: 2}", "{'a': 1, 'a': 2}", "[missing]", "[none, true]", "{'x': missing}", "mixed", "messages", "people|tojson",
        "people|map(attribute='name')|join(', ')", "people|map(attribute='city.name')|list", "people|map(attribute='city.name', default='?')|list", "people|selectattr('age', 'gt', 26)|map(attribute='name')|list", "people|rejectattr('city')|list", "people|selectattr('name', 'equalto', 'Bob')|first", "people|sort(attribute='name')|map(attribute='name')|list", "people|sort(attribute='age,name')|map(attribute='name')|list", "people|sort(attribute='age', reverse=true)|map(attribute='name')|list", "people|groupby('age')", "people|groupby('city.name', default='')|map('first')|list", "people|groupby('age')|map(attribute='grouper')|list", "people|sum(attribute='age')", "people|map('length')|list", "people|max(attribute='age')", "people|min(attribute='name')", "people|unique(attribute='age')|map(attribute='name')|list", "people|map(attribute='zz')|list", "people|groupby('zz')", "words|sort", "words|sort(case_sensitive=true)", "words|unique|list", "words|unique(case_sensitive=true)|list", "words|map('upper')|list", "words|map('replace', 'a', 'o')|list", "words|select('in', ['banana'])|list", "words|reject('eq', 'Apple')|list", "words|join('-')|upper", "words|map('zz')|list", "words|select('zz')|list", "words|batch(4, 'x')|list", "words|slice(4)|list", "words|slice(4, '-')|list", "words|first|first", "words|map('first')|join", "words|min", "words|max", "words|min(case_sensitive=true)", "words|groupby(0)|list", "words|random|length > 0" if False else "words|length", "numbers|sum(start=10)", "numbers|sum('x')", "[[1], [2]]|sum(start=[])", "mixed|sort", "numbers|sort(reverse=true)", "numbers|select('odd')|list", "numbers|select('divisibleby', 3)|list", "numbers|map('string')|list", "numbers|map('float')|list", "numbers|map('default', 1)|list", "d|dictsort", "d|dictsort(true)", "d|dictsort(false, 'value')", "{'b': 2, 'a': 3}|dictsort(by='value', reverse=true)", "{'b': 2, 'a': 3}|dictsort(by='zz')",
        "'%s and %r' % ('a', 'b')", "'%d %5d|%-5d|%05d %+d %x %X %o' % (1, 2, 3, 4, 5, 255, 255, 8)", "'%.2f %8.3f %e %g %G' % (1.5, 2.25, 12345.678, 0.00001, 1e20)", "'%s' % [1]", "'%s %s' % ('a',)", "'%s' % ('a', 'b')", "'%(x)s %(y)d' % {'x': 'a', 'y': 2}", "'%%'  % ()", "'%5s|%-5s|%.2s' % ('ab', 'ab', 'abc')", "'%c%c' % ('a', 98)", "'%d' % 'x'", "'%q' % 1", "'%s' % none", "'%*d' % (5, 1)", "'abc' % ()", "'abc' % 1", "'%i' % 3.9", "'%#x %#o' % (255, 8)", "'%s' | format('x')", "'%(a)s' | format(a=1)", "'%s' | format", "'%5.1f%%' % 12.345",
        "'{} {}'.format(1, 'a')", "'{0} {1} {0}'.format('a', 'b')", "'{x} {y.a} {z[0]} {y[a]}'.format(x=1, y={'a': 2}, z=[3])", "'{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd')", "'{:05d} {:+d} {:x} {:#x} {:b} {:,} {:_}'.format(42, 7, 255, 255, 5, 1234567, 1234567)", "'{:.2f} {:8.3f} {:e} {:g} {:%} {:.1%}'.format(3.14159, 2.5, 12345.678, 0.0001, 0.5, 0.123)", "'{!r} {!s}'.format('a', 'b')", "'{{}} {}'.format(1)", "'{'.format(1)", "'}'.format(1)", "'{} {}'.format(1)", "'{:{}}'.format('a', 5)", "'{:d}'.format('a')", "'{:s}'.format(1)", "'{:.3}'.format('abcdef')", "'{:10}|'.format(1)", "'{:10}|'.format(1.5)", "'{}'.format(none)", "'{:>5}'.format(none)", "'{}'.format([1, 'a'])", "'{:.3}'.format(1.0)", "'{:g}'.format(100000.0)", "'{:c}'.format(65)", "'{:5}|'.format(true)", "'{}'.format(true)", "'{:,}'.format(1234567.891)", "'{:08.2f}'.format(-3.14159)", "'{: d}'.format(3)",
        "42|round", "42.55|round", "42.55|round(1)", "42.55|round(1, 'floor')", "42.45|round(1, 'ceil')", "2.5|round", "3.5|round", "-2.5|round", "1234.5678|round(-2)", "1234|round(-2)", "1250|round(-2)", "'a'|round", "42.7|round|int", "2.675|round(2)", "1e20|round(2)", "42|round(1, 'ceil')", "1|round(method='zz')",
        "'12abc'|int", "'0x1f'|int(0, 16)", "'1f'|int(base=16)", "'0b11'|int(0, 2)", "' 42 '|int", "'1_000'|int", "'-5'|int", "'3.99'|int", "'1e3'|int", "none|int", "true|int", "[]|int", "'abc'|int('x')", "3.99|int", "-3.99|int", "'1e3'|float", "'nan'|float", "'inf'|float", "'abc'|float(1.5)", "none|float", "'1_0.5'|float", "big|int", "'99999999999999999999'|int if false else 1",
        "1 < 2 < 3", "1 < 3 < 2", "3 > 2 >= 2 != 1", "1 == 1.0 == true", "not 1 == 2", "not not 1", "-2 ** 2", "2 ** -1", "2 ** 3 ** 2", "-7 // 2 * 3", "7 % -3", "1 + 2 * 3 - 4 / 2", "(1 + 2) * 3", "1 ~ 2 + 3", "'a' ~ 1 ~ none ~ true ~ missing", "1 if true else 2", "1 if false", "1 if false else 2 if false else 3", "'a' if yes and not no", "[1,2] + [3]", "(1,) + (2,)", "[1] + (2,)", "'ab' * 3", "3 * 'ab'", "[0] * 3", "'a' 'b' \"c\"", "-numbers[0]", "+1", "-'a'", "-none", "1 - -1", "2*-3", "not x is defined", "1 is defined and true", "numbers|length > 3 and words|first == 'banana'", "(numbers|length) * 2", "numbers|length * 2", "'x' in 'xyz'", "1 in 'abc'", "none in [none]", "1 in 5", "true + true", "1_000 + 0x10 + 0b11 + 0o17", "1.5e3", "1e3", "10 / 4", "10 / 5", "10 // 4.0", "9223372036854775807", "0.1 + 0.7", "3.0 * 2", "7 // 0", "7 % 0", "7 / 0", "1.0 / 0",
        "'a\\tb\\n\\\\ \\' \\\" \\x41 \\u00e9 \\101 \\d \\é'", "\"it's\"", "'line\\\nbreak'", "dict(a=1, b='x')", "dict([('a', 1)])", "dict({'a': 1}, b=2)", "range(5)|list", "range(2, 10, 3)|list", "range(5, 0, -1)|list", "range(3)", "range(0, 6, 2)", "range(100001)", "range(0)|list", "range(1.5)", "range(3)|last", "range(5)[1]", "namespace(a=1).a", "namespace({'a': 1}).a", "namespace(a=1)['a']", "namespace(a=1).b", "namespace(a=1)", "cycler('a', 'b').next()", "cycler()", "cycler('a', 'b').current", "lipsum is defined" if False else "1", "joiner('|') is callable",
        "'<b>'|e", "'<b>'|escape|escape", "'<b>'|e + '<i>'", "'<i>' + '<b>'|e", "'<b>'|safe + '<i>'", "'<i>' ~ '<b>'|e", "['<b>'|e]", "'<b>'|e|upper", "('<b>'|e) * 2", "('<%s>'|safe) % '<'" if False else "'<%s>'|safe", "'<b>'|forceescape", "'<p>a  <b>b</b></p><!-- c -->'|striptags", "{'id': 'a<b', 'x': none, 'class': 'k'}|xmlattr", "{'a b': 1}|xmlattr", "{'a': 1}|xmlattr(false)",
        "'foo bar baz qux'|truncate(9)", "'foo bar baz qux'|truncate(9, true)", "'foo bar baz qux'|truncate(11)", "'foo bar baz qux'|truncate(11, false, '...', 0)", "'foo bar baz qux'|truncate(9, end='…', leeway=0)", "'abc'|truncate(2)", "'a-b c(d [e'|title", "'hello wORLD'|title", "'HELLO'|capitalize", "\"they're bill's\"|title", "\"they're bill's\".title()", "'a b&c/ü'|urlencode", "{'a': 'b c', 'd': 'e&f'}|urlencode", "[('a', 1), ('b', '/')]|urlencode", "'hello world foo'|wordwrap(7)", "'abcdefghij kl'|wordwrap(4)", "'abcdefghij kl'|wordwrap(4, false)", "'a b\\n\\nc d'|wordwrap(1)", "'x y'|wordwrap(1, wrapstring='|')", "'well-known co-op'|wordwrap(6)", "'a b  c'|wordcount", "1|filesizeformat", "999|filesizeformat", "1000|filesizeformat", "1234567|filesizeformat", "1234567|filesizeformat(true)", "'12'|filesizeformat", "1e25|filesizeformat",
        "'a\\nb\\n\\nc'|indent", "'a\\nb\\n\\nc'|indent(2, true)", "'a\\nb\\n\\nc'|indent(2, blank=true)", "'a\\nb'|indent('>>', first=true)", "lines|indent(1)", "none|indent", "messages|tojson(indent=2)", "messages|tojson(indent=4, sort_keys=true)", "d|tojson(sort_keys=true)", "d|tojson(separators=(',', ':'))", "d|tojson(separators=[', ', '='], indent=1)", "{'a': [], 'b': {}, 'c': [[]]}|tojson(indent=2)", "'é🙂\\x7f\\x01\\u2028\"/'|tojson", "'é🙂\\x7f'|tojson(ensure_ascii=true)", "{1: 2, none: 3, true: 4, 1.5: 5}|tojson", "{(1, 2): 3}|tojson", "[1.0, 1e100, 'nan'|float, 1e400]|tojson", "missing|tojson", "d.items()|tojson", "range(3)|tojson", "(1, 2)|tojson", "numbers|map('abs')|tojson", "namespace(a=1)|tojson", "d|tojson(indent='\\t')", "d|tojson(indent=0)", "d|tojson(nope=1)", "'x'|tojson|safe", "[]|tojson(indent=2)",
        "'abc'|first", "''|first", "[]|first", "[]|first is defined", "[]|last", "'abc'|last", "d|first", "d|last", "numbers|map('abs')|last", "numbers|map('abs')|length", "numbers|map('abs')|first", "[]|max", "[]|min is undefined", "numbers|select|list", "''|list", "'ab'|list", "d|list", "none|list", "5|list", "numbers|reverse|list", "'abc'|reverse", "d|reverse|list", "5|reverse", "numbers|nope", "numbers is nope", "'x'|default('y')", "missing|default('y')", "missing|default", "''|default('y', true)", "nothing|default('y')", "none|default('y', boolean=true)", "missing.x|default('y')", "(d.zz)|default('y')", "d.zz.y|default('y')", "missing|d(1)|string", "missing|length", "missing|list", "missing|upper", "missing|int", "missing + 1", "missing == missing", "missing == none", "missing is none", "missing|join", "missing|first", "missing|tojson(indent=1)", "missing ~ 'x'", "missing in 'abc'", "'a' in missing", "missing|items|list", "missing|map('upper')|list", "missing|sort", "missing|trim", "missing|replace('a', 'b')", "missing < 1", "-missing", "missing * 2", "not missing", "missing|abs", "missing|round", "missing|float", "missing|sum", "missing|e", "missing|title",
        "raise_exception('boom')", "messages[0].content.split('\"')[1]", "messages[1]['content']|trim|replace('\\n', ' ')", "messages|selectattr('role', 'equalto', 'user')|list|length", "messages|selectattr('role', 'in', ['user', 'system'])|map(attribute='role')|join('/')", "messages[3].content[0].text", "messages[2].tool_calls[0].arguments|tojson", "messages[2].tool_calls[0].arguments.items()|list", "messages[2].content is none", "messages[-1].content is string", "messages[-1].content is iterable", "messages[-1]['content'] is mapping", "messages[1:]|length", "(messages|first).role", "messages|map(attribute='content')|select('string')|list", "messages|last|tojson", "messages[0]", "messages[9]", "messages[9].role", "messages[0].role.upper()", "messages|rejectattr('role', 'eq', 'user')|map(attribute='role')|list", "messages|selectattr('tool_calls', 'defined')|list|length", "messages|selectattr('content')|list|length", "messages|map(attribute='role')|unique|list", "messages|groupby('role')|map('first')|list", "messages.0.role", "messages.role", "messages|tojson|length", "messages[0].items()", "messages[0].keys()|join", "messages[0] == messages[0]", "messages[0].content ~ messages[1].role", "words[0][0]|upper ~ words[0][1:]",
        "f", "f|int", "f|string ~ ''", "f == 3", "f is integer", "f.is_integer()", "yes + 1", "yes|string", "yes|int", "yes|tojson", "nothing|string", "nothing|tojson", "nothing|upper", "nothing|trim", "nothing|length", "nothing|list", "nothing + 'a'", "nothing == none", "zero or 'x'", "empty or 'x'", "nothing or missing", "missing or nothing", "zero and 'x'", "yes and 'x'", "'a' and 'b' or 'c'",
    ]


def statements():
    """Whole templates."""
    bodies = ["{% if yes %}A{% endif %}", "{% for i in [1,2] %}{{ i }}{% endfor %}", "{{ 'v' }}", "{# c #}", "{% set x = 1 %}", "{% raw %} {{ r }} {% endraw %}"]
    for body in bodies:
        for before in ["", "  ", "a ", "a\n  ", "\n", "\t\n\n "]:
            for after in ["", "  ", " b", "\n", "\n\n", "\n  b", " \n b\n"]:
                yield before + body + after
    for tag in ["{%S if yes E%}", "{{S 'v' E}}", "{#S c E#}", "{%S raw E%}", "{%S set x %}y{%S endset E%}", "{%S for i in [1,2] E%}"]:
        end = {"if": "{%S endif E%}", "raw": "{%S endraw E%}", "for": "{%S endfor E%}"}
        close = next((v for k, v in end.items() if f" {k} " in tag), "")
        for s, e in itertools.product(["", "-", "+"], ["", "-", "+"]):
            t = tag.replace("S", s).replace("E", e)
            c = close.replace("S", s).replace("E", e)
            yield f"a \n  {t}\n  b \n  {c}\n  d\n"
            yield f"a  {t}  b  {c}  d  \n\n"
            yield f"  {t}{c}\n x"
    yield from [
        "", "\n", "\n\n", "a\n", "a\r\nb\r\n", "a\rb", "{", "{ {", "}}", "%}", "#}", "{{", "{%", "{#", "{{ }}", "{% %}", "{%- -%}", "{{ 1", "{% if %}", "{{ 1 }", "{{ 1 %}", "{{ (1 }}", "{{ 1) }}", "{{ [1 }}", "{{ {'a': {'b': 1}} }}", "{{{'a': 1}}}", "{{ {'a': 1}.a }}", "{{-1}}", "{{+1}}", "{{ 'a' -}} b", "a {{- 'b' }}", "{{ '}}' }}", "{{ '%}' }}", "{% set x = '{{' %}{{ x }}", "{{ 'a", "{{ \"a' }}", "{{ a.b.c }}", "{{ a..b }}", "{{ .a }}", "{{ 1.. }}", "{{ $ }}", "{{ a ? b }}", "{{ a b }}", "{{ 1 2 }}", "{{ if }}", "{% if %}x{% endif %}", "{% endif %}", "{% else %}", "{% if 1 %}", "{% for %}", "{% for x %}", "{% for x in %}", "{% for 1 in [] %}{% endfor %}", "{% nope %}", "{% set %}", "{% set x %}", "{% set 1 = 2 %}", "{% set x = %}", "{% set true = 1 %}", "{% endfor %}", "{% if 1 %}{% endfor %}", "{% for x in [] %}{% endif %}", "{% include 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% extends 'x' %}", "{% do x %}", "{% break %}", "{% continue %}", "{{ x | }}", "{{ x | 1 }}", "{{ x is }}", "{{ x is 1 }}", "{{ f(a=1, 2) }}", "{{ f(*[1], 2) }}", "{{ dict(a=1, a=2) }}", "{% macro %}{% endmacro %}", "{% macro f( %}{% endmacro %}", "{% macro f(a=1, b) %}{% endmacro %}", "{% call f %}{% endcall %}", "{% raw %}", "{% raw %}{% endraw", "{# a", "{# {# #} #}", "{% if yes: %}a{% endif %}", "{% for x in [1]: %}{{ x }}{% endfor %}", "{% print 1, 'a' %}", "{% block a %}x{{ yes }}{% endblock %}", "{% block a %}x{% endblock a %}", "{% autoescape false %}<{% endautoescape %}",
        "{% if zero %}a{% elif empty %}b{% elif yes %}c{% else %}d{% endif %}", "{% if missing %}a{% else %}b{% endif %}", "{% if missing.x %}a{% endif %}", "{% if numbers %}a{% endif %}", "{% if 1, %}a{% endif %}", "{% if not missing is defined %}a{% endif %}", "{% if messages[0].role == 'system' and messages|length > 1 %}y{% endif %}",
        "{% for i in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}", "{% for i in numbers %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}", "{% for i in numbers %}{{ loop.cycle('a', 'b', 'c') }}{% endfor %}", "{% for i in [1,1,2,2,1] %}{{ loop.changed(i) }}{% endfor %}", "{% for i in [] %}a{% else %}b{% endfor %}", "{% for i in missing %}a{% else %}b{% endfor %}", "{% for i in none %}a{% endfor %}", "{% for i in 5 %}a{% endfor %}", "{% for c in 'aé🙂' %}[{{ c }}]{% endfor %}", "{% for k in d %}{{ k }} {% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d|items %}{{ k }};{% endfor %}", "{% for a, b in [[1, 2], [3, 4]] %}{{ a + b }};{% endfor %}", "{% for a, (b, c) in [[1, [2, 3]]] %}{{ a + b + c }}{% endfor %}", "{% for a, b in [[1, 2, 3]] %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for i in numbers if i > 3 %}{{ i }}{{ loop.index }}{{ loop.length }}{{ loop.last }};{% else %}none{% endfor %}", "{% for i in numbers if i > 30 %}x{% else %}none{% endfor %}", "{% for i in numbers if loop.index > 1 %}x{% endfor %}", "{% for i in numbers %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}", "{% for i in numbers %}{% if i == 4 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "{% for i in [1,2] %}{% for j in [1,2] %}{% if j == 2 %}{% break %}{% endif %}{{ i }}{{ j }};{% endfor %}{% endfor %}", "{% for i in [1,2] %}{% for j in [3,4] %}{{ loop.index }}{{ i }}{{ j }}{% endfor %}{{ loop.index }}{% endfor %}", "{% for i in [1] %}{% break %}{% else %}e{% endfor %}", "{% for i in [1,2,3] %}{% set x = i %}{% endfor %}{{ x }}", "{% set x = 0 %}{% for i in [1,2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "{% set ns = namespace(x=0) %}{% for i in [1,2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "{% for x in [1,2] %}{% if y is defined %}D{% endif %}{% set y = 1 %}{% endfor %}", "{{ x }}{% for x in [1] %}{{ x }}{% endfor %}{{ x }}", "{% for n in tree recursive %}{{ n.n }}{{ loop.depth }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% endfor %}", "{% for n in [1] %}{{ loop([1]) }}{% endfor %}", "{% for i in [1,2] %}{{ loop.nope }}{% endfor %}", "{{ loop }}", "{% for loop in [1] %}{{ loop }}{% endfor %}", "{% for x in numbers|batch(3) %}{{ x }}{% endfor %}", "{% for i in range(3) %}{{ i }}{% endfor %}{% for i in range(3, 0, -1) %}{{ i }}{% endfor %}", "{% for i in [1,2,3] recursive %}{{ i }}{% endfor %}", "{% for i in numbers|select('odd') %}{{ loop.length }}{{ loop.last }}{% endfor %}", "{% for g in people|groupby('age') %}{{ g.grouper }}:{{ g.list|map(attribute='name')|join(',') }};{% endfor %}", "{% for age, ps in people|groupby('age') %}{{ age }}{{ ps|length }};{% endfor %}", "{% for m in messages %}{% if loop.first and m.role == 'system' %}S{% elif not loop.last %}{{ m.role }}{% else %}L{% endif %}{% endfor %}", "{% for m in messages[::-1] %}{{ loop.index }}{{ m.role }};{% endfor %}", "{% for m in messages %}{% set role = m.role %}{{ role }}{% endfor %}", "{% for x in [1,2,3] %}{{ x }}{{ ',' if not loop.last }}{% endfor %}", "{% for x in [1,2,3] %}{{- x -}}{% endfor %}",
        "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = [1] %}", "{% set (a, b) = (1, 2) %}{{ a }}", "{% set a = 1, 2 %}{{ a }}", "{% set x %}  a {{ 1 }} {% endset %}[{{ x }}]", "{% set x | upper %}abc{% endset %}{{ x }}", "{% set x | upper | replace('A', '-') %}abc{% endset %}{{ x }}", "{% set ns = namespace() %}{% set ns.a = 1 %}{% set ns.b = ns.a + 1 %}{{ ns.a }}{{ ns.b }}", "{% set d.x = 1 %}", "{% set zz.x = 1 %}", "{% set ns = namespace(a=[]) %}{% set ns.a = ns.a + [1] %}{{ ns.a }}", "{% set ns = namespace(a=1) %}{% set ns.a, b = 5, 6 %}{{ ns.a }}{{ b }}", "{% set ns = namespace() %}{% set ns.t %}body{% endset %}{{ ns.t }}", "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "{% if false %}{% set x = 2 %}{% endif %}{{ x is defined }}", "{% set x = x|default(3) %}{{ x }}", "{% set messages = messages[1:] %}{{ messages|length }}", "{% set a = b = 1 %}", "{% set x = {'a': 1} %}{{ x.a }}{{ x['a'] }}", "{% set x = 'a' if no else 'b' %}{{ x }}", "{% set x = yes %}{{ x }}",
        "{% macro m(a, b=2, c=b) %}{{ a }}{{ b }}{{ c }};{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c=4) }}{{ m(b=1, a=2) }}{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=1) }}", "{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, z=4) }}", "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}", "{% macro m() %}{{ caller('a', 'b') }}{% endmacro %}{% call(x, y) m() %}{{ x }}{{ y }}{% endcall %}", "{% macro m() %}{{ caller }}{% endmacro %}[{{ m() }}]", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}", "{% macro m() %}{% if caller %}{{ caller() }}{% endif %}{% endmacro %}{{ m() }}{% call m() %}c{% endcall %}", "{% macro m() %}{{ g }}{% endmacro %}{% set g = 5 %}{{ m() }}", "{% set g = 1 %}{% macro m() %}{{ g }}{% set g = 2 %}{{ g }}{% endmacro %}{{ m() }}{{ g }}", "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{% macro m() %} a {% endmacro %}{{ m()|trim }}{{ m().upper() }}", "{% macro m(x) -%}\n  {{ x }}\n{%- endmacro %}[{{ m(1) }}]", "{% for i in [1,2] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}", "{{ m is defined }}{% macro m() %}{% endmacro %}{{ m is defined }}{{ m is callable }}{{ m.name }}", "{% macro m(a=[]) %}{{ a }}{% endmacro %}{{ m() }}{{ m([1]) }}", "{% macro m(*a) %}{% endmacro %}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'a': 2}) }}", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "{% macro m(a) %}{{ a.x }}{% endmacro %}{{ m() }}", "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}{{ m(none) }}", "{% macro m(messages) %}{{ messages }}{% endmacro %}{{ m(1) }}{{ messages|length }}", "{% macro m() %}{% for i in [1,2] %}{{ i }}{% endfor %}{% endmacro %}{{ m() ~ m() }}", "{% macro m(caller=1) %}{{ caller }}{% endmacro %}{{ m() }}", "{% macro m(kwargs) %}{{ kwargs }}{% endmacro %}{{ m(1) }}",
        "{% filter upper %}a{{ 'b' }}{% endfilter %}", "{% filter replace('a', 'b')|upper %}aa{% endfilter %}", "{% filter indent(2) %}a\nb{% endfilter %}", "{% filter nope %}a{% endfilter %}", "{% with %}a{% endwith %}", "{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with a, b = (1, 2) %}{{ a }}{{ b }}{% endwith %}", "{% with x = 1 %}{% set y = x %}{% endwith %}{{ y }}", "{% generation %}a{{ 1 }}{% endgeneration %}b", "{% for m in messages %}{% generation %}{{ m.role }}{% endgeneration %}{% endfor %}", "{% generation %}{% set q = 1 %}{% endgeneration %}{{ q }}", "{%- generation -%}\n a\n{%- endgeneration %}\n b", "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.reset() }}{{ c.current }}", "{% set j = joiner(', ') %}{% for i in [1,2,3] %}{{ j() }}{{ i }}{% endfor %}", "{% if no %}{{ 1|nope }}{% endif %}ok", "{{ 1|nope if no else 'ok' }}", "{% if no %}{{ 1 is nope }}{% endif %}ok", "{% for i in [] %}{{ 1|nope }}{% endfor %}ok", "{% macro m() %}{{ 1|nope }}{% endmacro %}ok", "{{ raise_exception('a') if no else 'ok' }}", "{% if no %}{{ raise_exception('a') }}{% endif %}ok", "{{ no and raise_exception('a') }}", "{{ '' ~ raise_exception('Only ' ~ 'x') }}", "{% raw %}{{ x }}{% if %}{% endraw %}", "{%- raw -%}  a  {%- endraw -%}  b", "{{ '{% raw %}' }}", "{{ \"{{ 'x' }}\" }}", "a{# x #}b{#- y -#} c", "{#- a -#}\n  b", "  {# a #}\n  b", "x  {# a #}\n  b", "{% if yes -%}\n  a\n{%- endif %}\nb", "{% if yes +%}\n  a{% endif %}", "  {%+ if yes %}a{% endif %}", "{{ 'a' }}\n{{ 'b' }}\n", "{% if yes %}\n{{ 'a' }}\n{% endif %}\n", "{% for i in [1,2] %}\n  {{ i }}\n{% endfor %}\nend", "\t{% if yes %}\tA\t{% endif %}\t\nB", "\u00a0{% if yes %}A{% endif %}", "{{ 'x' }}   {%- if yes %} a{% endif %}", "line1\n   {%- if yes %}\n line2\n   {%- endif %}\nline3\n",
        "{{ numbers|join(',') }}{{ numbers | sort | join(',') }}", "{{ messages[0]['content'] + '\n' }}", "{{ bos_token }}{{ eos_token|default('</s>') }}", "{{ 'a' + none }}", "{{ 'a' + 1 }}", "{{ 1 + 'a' }}", "{{ 'a' + missing }}", "{{ [] + none }}", "{{ {} + {} }}", "{{ d.a.b }}", "{{ d.a.b.c }}", "{{ d['a']['b'] }}", "{{ d.nested['k'].0 }}", "{{ ns.x }}", "{{ self }}" if False else "{{ 1 }}", "{{ varargs }}", "{{ caller }}", "{{ true.x }}", "{{ 'a'.b }}", "{{ 'a'['b'] }}", "{{ 'a'.upper }}" if False else "{{ 1 }}", "{{ 'a'['upper']() }}", "{{ d['get']('a') }}", "{{ numbers['index'](4) }}", "{{ 'abc'.upper().lower().title() }}", "{{ ('a', 'b')|join }}", "{{ ['a', 'b'][1] }}", "{{ {'a': {'b': [1, 2]}}.a.b[1] }}", "{{ [[1, 2], [3]][0][1] }}", "{{ 'a' if messages else 'b' }}{{ 'c' }}", "{{ (messages|length) - 1 }}", "{{ messages|length - 1 }}", "{{ loop.index if loop is defined else 'none' }}", "{{ 'a'|upper|lower|title }}", "{{ ('a' ~ 'b')|upper }}", "{{ 'a' ~ 'b'|upper }}", "{{ -1|abs }}", "{{ (-1)|abs }}", "{{ 1|string|length }}", "{{ not yes|string }}", "{{ 'A' in words|map('first')|list }}", "{{ words|map('length')|sum }}", "{{ 'yes' if 'x' is in ['x'] else 'no' }}", "{{ 'x' is not in ['x'] }}", "{{ range(3)|map('string')|join('-') }}", "{{ {'a': 1}|items|list }}", "{{ dict(messages[0], content='new')|tojson }}", "{{ (numbers|sort)[0] }}", "{{ numbers|sort|first }}", "{{ numbers[numbers|length - 1] }}", "{{ words|map('lower')|unique|sort|join(' ') }}", "{{ 'a,b;c'.replace(';', ',').split(',')|join('+') }}", "{{ 'k=v'.split('=')[1] }}", "{{ 'abc'|list|reverse|join }}", "{{ 'x'.join(['a', 'b', 'c']) }}", "{{ '%s' % messages[0] }}", "{{ messages|map(attribute='content')|map('string')|map('length')|list }}", "{{ '</think>' in 'a</think>b' }}{{ 'a</think>b'.split('</think>')[-1].lstrip('\\n') }}", "{% set content = '<think>\nx\n</think>\n\ny' %}{% set r = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}[{{ r }}]{{ content.split('</think>')[-1].lstrip('\n') }}",
    ]


def main():
    env = environment()
    seen = set()
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write(json.dumps({"context": CONTEXT}, ensure_ascii=False) + "\n")
        for template in itertools.chain((f"{{{{ ({e}) }}}}" for e in expressions()), statements()):
            if template in seen:
                continue
            seen.add(template)
            try:
                text = env.from_string(template).render(**json.loads(json.dumps(CONTEXT)))
                if " at 0x" in text.lower() or text.endswith("j)") or "generbtor" in text:
                    continue
                case = {"template": template, "text": text}
            except Exception:
                case = {"template": template, "fails": True}
            out.write(json.dumps(case, ensure_ascii=False) + "\n")


main()
