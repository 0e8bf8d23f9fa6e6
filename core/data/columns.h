#pragma once
// Which of a record's keys stand for what, where the names are not the usual ones.
//
//   const Columns columns = {{"prompt", "q"}, {"completion", "reply.text"}};
//   STRATA_TRY(const Json record, mapColumns(json, columns));   // {"prompt": …, "completion": …}

#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

/// Role -> path of a key, its parts separated by dots; a part that is a number counts a list's elements from 0.
using Columns = std::map<std::string, std::string>;

/// The roles that a column can be given: text; prompt and completion; messages with tools and system; instruction with
/// input, output and history; question with context, answers and id; choices, in evaluations; chosen;
/// group.
Result<void> checkColumns(const Columns& columns);

/// The same without the blanks around roles ("prompt=q, completion=a"), checked.
Result<Columns> checkedColumns(const Columns& columns);

/// The record with each role's value under the role's name. A text that holds JSON becomes that where a role wants a
/// list or an object (messages, tools, history, answers, context), as tables keep them. An error is one sentence.
Result<Json> mapColumns(const Json& record, const Columns& columns);

/// Whether an object with these keys is a record that the columns are of, as far as their first parts tell.
bool haveColumns(const std::vector<std::string>& keys, const Columns& columns);

/// "a, b and 3 more": the keys of an object.
std::string listKeys(const Json& object);

}  // namespace strata
