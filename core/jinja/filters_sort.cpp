// sort, dictsort, groupby, min and max.

#include <algorithm>

#include "core/jinja/filters.h"

namespace strata::jinja {
namespace {

struct Keyed {
  std::vector<Value> keys;
  Value item;
};

// As Python compares lists: the first keys that differ decide.
bool before(Heap& heap, const Keyed& a, const Keyed& b) {
  for (std::size_t i = 0; i < a.keys.size(); ++i)
    if (!equals(heap, a.keys[i], b.keys[i])) return ordered(heap, '<', a.keys[i], b.keys[i]);
  return false;
}

void sortStably(Heap& heap, std::vector<Keyed>& items, bool reverse) {
  std::stable_sort(items.begin(), items.end(),
                   [&](const Keyed& a, const Keyed& b) { return reverse ? before(heap, b, a) : before(heap, a, b); });
}

Value sort(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  Heap& heap = interpreter.heap();
  std::vector<AttributePath> paths;
  if (given[2].isString()) {
    const std::string& names = textOf(given[2]);
    for (std::size_t at = 0; at <= names.size();) {
      const std::size_t end = std::min(names.find(',', at), names.size());
      paths.emplace_back(interpreter, interpreter.string(names.substr(at, end - at)));
      at = end + 1;
    }
  } else {
    paths.emplace_back(interpreter, given[2]);
  }
  const Value list = interpreter.toList(value);
  const std::vector<Value>& all = list.as<ListObject>().items;
  const std::size_t bytes = all.size() * (2 * sizeof(Keyed) + (paths.size() + 1) * sizeof(Value));
  heap.charge(bytes);  // given back when the list is made; an error ends the rendering
  std::vector<Keyed> items;
  items.reserve(all.size());
  for (const Value& item : all) {
    Keyed& keyed = items.emplace_back(Keyed{{}, item});
    for (const AttributePath& path : paths) {
      heap.step();
      const Value key = path.of(item);
      keyed.keys.push_back(truth(given[1]) ? key : withoutCase(interpreter, key));
    }
  }
  sortStably(heap, items, truth(given[0]));
  ListBuilder sorted(heap);
  for (const Keyed& keyed : items) sorted.push(keyed.item);
  heap.release(bytes);
  return sorted.list();
}

Value sortDict(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  refuseUndefined(value);
  if (!value.is(Kind::dict)) refuse("dictsort wants a dictionary, not a " + typeName(value));
  const std::string by = given[1].isMissing() ? "key" : textOf(given[1], "what dictsort sorts by");
  if (by != "key" && by != "value") refuse("dictsort sorts by 'key' or by 'value'");
  Heap& heap = interpreter.heap();
  const auto& entries = value.as<DictObject>().entries();
  const std::size_t bytes = entries.size() * (2 * sizeof(Keyed) + sizeof(Value));
  heap.charge(bytes);
  std::vector<Keyed> items;
  for (const auto& [key, present] : entries) {
    const Value& part = by == "key" ? key : present;
    items.push_back(
        {{truth(given[0]) ? part : withoutCase(interpreter, part)}, makeList(heap, {key, present}, Kind::tuple)});
  }
  const bool reverse = truth(given[2]);
  std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
    return reverse ? ordered(heap, '<', b.keys[0], a.keys[0]) : ordered(heap, '<', a.keys[0], b.keys[0]);
  });
  ListBuilder sorted(heap);
  for (const Keyed& keyed : items) sorted.push(keyed.item);
  heap.release(bytes);
  return sorted.list();
}

Value groupBy(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind("groupby", arguments, {"attribute", "default", "case_sensitive"}, 1);
  Heap& heap = interpreter.heap();
  const AttributePath path(interpreter, given[0], given[1]);
  const Value list = interpreter.toList(value);
  const std::vector<Value>& all = list.as<ListObject>().items;
  const std::size_t bytes = all.size() * (2 * sizeof(Keyed) + sizeof(Value));
  heap.charge(bytes);
  std::vector<Keyed> items;
  for (const Value& item : all) {
    const Value key = path.of(item);
    items.push_back({{truth(given[2]) ? key : withoutCase(interpreter, key)}, item});
  }
  std::stable_sort(items.begin(), items.end(),
                   [&](const Keyed& a, const Keyed& b) { return ordered(heap, '<', a.keys[0], b.keys[0]); });
  ListBuilder groups(heap);
  for (std::size_t i = 0; i < items.size();) {
    ListBuilder group(heap);
    const std::size_t begin = i;
    for (; i < items.size() && equals(heap, items[i].keys[0], items[begin].keys[0]); ++i) group.push(items[i].item);
    if (i == begin) group.push(items[i++].item);  // a key that does not equal itself
    const Value pair = makeList(heap, {path.of(items[begin].item), group.list()}, Kind::tuple);
    pair.as<ListObject>().group = true;
    groups.push(pair);
  }
  heap.release(bytes);
  return groups.list();
}

template <bool largest>
Value extreme(Interpreter& interpreter, const Value& value, Arguments& arguments) {
  const std::vector<Value> given = bind(largest ? "max" : "min", arguments, {"case_sensitive", "attribute"});
  const AttributePath path(interpreter, given[1]);
  const Value list = interpreter.toList(value);
  const std::vector<Value>& items = list.as<ListObject>().items;
  if (items.empty()) return interpreter.undefined("there is no smallest or largest item, the sequence was empty");
  const auto keyOf = [&](const Value& item) {
    const Value key = path.of(item);
    return truth(given[0]) ? key : withoutCase(interpreter, key);
  };
  Value best = items[0], bestKey = keyOf(items[0]);
  for (std::size_t i = 1; i < items.size(); ++i) {
    Value key = keyOf(items[i]);
    if (!ordered(interpreter.heap(), largest ? '>' : '<', key, bestKey)) continue;
    best = items[i];
    bestKey = std::move(key);
  }
  return best;
}

constexpr Builtin kSortBuiltins[] = {
    {"sort", sort}, {"dictsort", sortDict}, {"groupby", groupBy}, {"min", extreme<false>}, {"max", extreme<true>},
};

}  // namespace

const std::span<const Builtin> kSortFilters = kSortBuiltins;

}  // namespace strata::jinja
