// What the engine of these tests answers: a project with reports. "none" has no report, "nothing" no run either,
// "broken" a list that cannot be read, "slow" one that does not come.

#include <algorithm>

#include "core/protocol/job_kinds.h"
#include "scripted_engine.h"

namespace strata::testing {
namespace {

std::vector<protocol::ReportFile> reports, trashed;

const char* const kMarkdown = R"(# base against routed

**No difference in F1 shows: B - A is -1.2 (-3.0 to +0.6) points, of 332 questions.**

## Scores

| Map | Questions | F1 (%) | EM (%) |
|:----|----:|----:|----:|
| A: base, full | 332 | 88.2 (86.0 to 90.1) | 82.5 (78.3 to 86.2) |
| B: routed, stride:2 | 332 | 87.0 (84.6 to 89.2) | 81.3 (77.0 to 85.1) |

## How to repeat it

```
strata eval models/base --task squad --data recall.json --maps "full;stride:2"
```

<img src="https://example.com/a.png"> [A link](https://example.com)

![A picture](file:///etc/hostname)
)";

protocol::ReportFile reportOf(const std::string& name, const std::string& title, const std::string& conclusion) {
  return {name, title, "2026-11-28T10:15:00Z", conclusion, {"html", "pdf", "csv", "json", "md"}};
}

std::string base64(const std::string& bytes) {
  static const char* const kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned value = 0;
    for (std::size_t k = 0; k < 3; ++k)
      value = value << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += i + k > bytes.size() ? '=' : kDigits[value >> (18 - 6 * k) & 63];
  }
  return text;
}

}  // namespace

void fakeEngineMethods(FakeEngine& engine) {
  const std::string scenario = engine.scenario();
  const auto has = [&](const char* word) { return scenario.find(word) != std::string::npos; };
  const bool isBroken = has("broken"), isBare = has("nothing");
  if (!has("none") && !has("nothing")) {
    reports = {reportOf("base-routed", "base against routed",
                        "No difference in F1 shows: B - A is -1.2 (-3.0 to +0.6) points, of 332 questions."),
               reportOf("sharing", "Sharing of base",
                        "Under stride:2 base is worse in F1: B - A is -14.9 (-18.6 to -11.2) points, of 332 questions. "
                        "The cache takes half the memory: 3.00 KiB per token in place of 6.00 KiB.")};
  }
  engine.answer<protocol::OpenProject>([](const auto&) -> Result<protocol::ProjectInfo> {
    protocol::ProjectInfo info;
    info.folder = "/projects/test";
    info.name = "test";
    return info;
  });
  engine.answer<protocol::ListModels>([](const auto&) { return Result<protocol::ListModels::Answer>({}); });
  engine.answer<protocol::ListMaps>([](const auto&) { return Result<protocol::ListMaps::Answer>({}); });
  engine.answer<protocol::ListJobs>([isBare](const auto& params) -> Result<protocol::ListJobs::Answer> {
    protocol::ListJobs::Answer answer;
    for (const char* id : {"20261128-2", "20261128-1"}) {
      protocol::JobInfo job;
      job.id = id;
      job.kind = kEvalKind;
      job.state = "done";
      job.created = "2026-11-28T10:15:00Z";
      job.name = std::string("Evaluate: ") + (job.id.back() == '1' ? "base" : "routed") + " on recall.json";
      job.step = job.steps = 664;
      if (!params.trash && !isBare) answer.jobs.push_back(job);
    }
    answer.total = static_cast<std::int64_t>(answer.jobs.size());
    return answer;
  });
  engine.answer<protocol::ListReports>([isBroken](const auto&) -> Result<protocol::ListReports::Answer> {
    if (isBroken) return fail(ErrorCode::io, "/projects/test/reports cannot be read: permission denied.", "");
    return protocol::ListReports::Answer{reports, "/projects/test/reports"};
  });
  if (has("slow")) engine.hold<protocol::ListReports>("reports", 0, 0);
  std::string markdown = kMarkdown;
  if (has("plain")) markdown.erase(markdown.find("<img"));
  engine.answer<protocol::ReadReport>([markdown](const auto& params) -> Result<protocol::ReadReport::Answer> {
    std::string whole = params.format == "md" ? markdown : "<!DOCTYPE html><title>" + params.name + "</title>";
    const auto scores = whole.find("## Scores");
    if (params.name == "sharing" && scores != std::string::npos)
      whole.insert(scores, "## Conclusion\n\n- Under stride:2 base is worse in F1.\n\n");
    constexpr std::size_t kPage = 300;
    const std::string page = whole.substr(static_cast<std::size_t>(params.from), kPage);
    const auto end = params.from + static_cast<std::int64_t>(page.size());
    const auto size = static_cast<std::int64_t>(whole.size());
    return protocol::ReadReport::Answer{base64(page), size, end < size ? end : 0};
  });
  engine.answer<protocol::WriteReport>([](const auto& params) -> Result<protocol::ReportFile> {
    if (params.name == "a/b") return fail(ErrorCode::usage, "A report's name has no slash in it.", "name");
    reports.insert(reports.begin(), reportOf(params.name.empty() ? "new" : params.name, "A new report",
                                             params.notes.empty() ? "Nothing differs." : params.notes));
    return reports.front();
  });
  engine.answer<protocol::RemoveReport>([](const auto& params) -> Result<protocol::Nothing> {
    auto& from = params.restore ? trashed : reports;
    auto& to = params.restore ? reports : trashed;
    for (const auto& report : from) {
      if (report.name == params.name) to.push_back(report);
    }
    std::erase_if(from, [&](const auto& report) { return report.name == params.name; });
    return protocol::Nothing{};
  });
}

}  // namespace strata::testing
