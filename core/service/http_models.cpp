#include "core/service/http_models.h"

#include <algorithm>
#include <filesystem>

namespace strata {

std::string HttpModels::add(const ServedModel& model) {
  const std::lock_guard lock(m_mutex);
  for (Named& served : m_models) {
    if (served.model.info.ref == model.info.ref) {
      served.model = model;
      return served.name;
    }
  }
  std::string base = model.info.name;
  if (base.empty()) base = std::filesystem::path(model.info.ref.model).filename().string();
  if (base.empty()) base = "model";
  std::string name = base;
  for (int number = 2; named(name) != nullptr; ++number) name = base + "-" + std::to_string(number);
  m_models.push_back({name, model});
  return name;
}

bool HttpModels::remove(const std::string& model) {
  const std::lock_guard lock(m_mutex);
  return std::erase_if(m_models, [&](const Named& served) {
           return served.name == model || served.model.info.ref.model == model;
         }) > 0;
}

void HttpModels::clear() {
  const std::lock_guard lock(m_mutex);
  m_models.clear();
}

bool HttpModels::empty() const {
  const std::lock_guard lock(m_mutex);
  return m_models.empty();
}

std::vector<std::string> HttpModels::names() const {
  const std::lock_guard lock(m_mutex);
  std::vector<std::string> names;
  for (const Named& served : m_models) names.push_back(served.name);
  return names;
}

const HttpModels::Named* HttpModels::named(const std::string& name) const {
  const auto found = std::find_if(m_models.begin(), m_models.end(), [&](const Named& served) {
    return served.name == name || served.model.info.ref.model == name;
  });
  return found == m_models.end() ? nullptr : &*found;
}

HttpResult<ServedSide> HttpModels::find(const std::string& id) const {
  const std::lock_guard lock(m_mutex);
  const Named* served = named(id);
  std::string map;
  // A name may hold an @ of its own (RUN@STEP): the longest that is served is meant.
  for (std::size_t at = id.rfind('@'); served == nullptr && at != std::string::npos && at > 0;) {
    served = named(id.substr(0, at));
    if (served != nullptr) map = id.substr(at + 1);
    at = id.rfind('@', at - 1);
  }
  if (served == nullptr) {
    std::string names;
    for (const Named& other : m_models) names += (names.empty() ? "" : ", ") + other.name;
    return tl::unexpected(HttpProblem::unknownModel("There is no model \"" + id.substr(0, 200) +
                                                    "\" here; served are: " + (names.empty() ? "none" : names) + "."));
  }
  ServedSide side{id, {served->model.info.ref, served->model.defaultMap}, served->model};
  if (id == served->name || id == served->model.info.ref.model) return side;
  if (map.starts_with("file:")) {
    return tl::unexpected(HttpProblem::badField(
        "model",
        "A map over HTTP is a pattern or a list, not a file: write it out, such as " + served->name + "@stride:2."));
  }
  const auto parsed = parseMap(map, served->model.info.layers);
  const Result<void> fits = parsed ? checkGeometry(*parsed, served->model.geometry) : Result<void>();
  if (!parsed || !fits) {
    return tl::unexpected(HttpProblem::badField("model", (parsed ? fits.error() : parsed.error()).message));
  }
  side.side.map = map;
  return side;
}

HttpResult<ServedSide> HttpModels::findOrOnly(const std::string& id) const {
  if (!id.empty()) return find(id);
  const std::vector<std::string> served = names();
  if (served.size() == 1) return find(served.front());
  return tl::unexpected(HttpProblem::badField(
      "model", "Not one model but " + std::to_string(served.size()) + " are served; say which in \"model\"."));
}

Json HttpModels::entry(const Named& served, const std::string& id, const std::string& map, std::int64_t created) {
  const protocol::LoadedModel& info = served.model.info;
  return {{"id", id},
          {"object", "model"},
          {"created", created},
          {"owned_by", "strata"},
          {"strata",
           {{"map", map},
            {"model_hash", info.hash},
            {"layers", info.layers},
            {"context", info.context},
            {"dtype", info.dtype},
            {"device", info.device}}}};
}

Json HttpModels::list(std::int64_t created) const {
  const std::lock_guard lock(m_mutex);
  Json data = Json::array();
  for (const Named& served : m_models) data.push_back(entry(served, served.name, served.model.defaultMap, created));
  return {{"object", "list"}, {"data", data}};
}

HttpResult<Json> HttpModels::describe(const std::string& id, std::int64_t created) const {
  auto side = find(id);
  if (!side) return tl::unexpected(std::move(side.error()));
  return entry({{}, side->model}, id, side->side.map, created);
}

}  // namespace strata
