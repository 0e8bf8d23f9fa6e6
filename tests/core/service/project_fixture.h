#pragma once
// The methods of a ProjectService as a window calls them, in a home folder of the test's own.

#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "core/service/project_methods.h"
#include "support.h"

namespace strata::testing {

class ProjectMethods : public ::testing::Test {
 protected:
  ProjectMethods()
      : service({.program = "/nonexistent",
                 .presets = sourceFolder() / "resources/presets",
                 .sampleProject = sourceFolder() / "projects/tiny-stories",
                 .dataHome = folder() / "home",
                 .onProject = [this](const auto& opened) { told = opened; }},
                Notifier([this](const std::string& method, const Json& params) {
                  const std::lock_guard guard(notifiedMutex);
                  notified.emplace_back(method, params);
                })) {
    setenv("HF_HUB_CACHE", (folder() / "hub").c_str(), 1);
    setenv("XDG_CONFIG_HOME", (folder() / "config").c_str(), 1);
    service.addTo(methods);
  }
  ~ProjectMethods() override {
    unsetenv("HF_HUB_CACHE");
    unsetenv("XDG_CONFIG_HOME");
  }

  const std::filesystem::path& folder() const { return m_folder.path(); }
  Result<Json> call(const char* method, const Json& params = Json::object()) {
    RequestContext context{1, cancelled, [this](const std::string&, std::int64_t, std::int64_t) {
                             ++progressCalls;
                             if (const auto call = std::exchange(onProgress, nullptr)) call();
                           }};
    const MethodTable::Method* found = methods.find(method);
    if (found == nullptr) return fail(ErrorCode::internal, std::string("There is no method ") + method);
    return found->call(params, context);
  }
  Json answer(const char* method, const Json& params = Json::object()) {
    const Result<Json> result = call(method, params);
    EXPECT_TRUE(result) << method << ": " << result.error().message;
    return result ? *result : Json();
  }
  /// The sentence of an answer that is an error.
  std::string refusal(const char* method, const Json& params = Json::object()) {
    const Result<Json> result = call(method, params);
    EXPECT_FALSE(result) << method << " gave " << (result ? result->dump() : "");
    return result ? "" : result.error().message;
  }
  Json openNew() { return answer("project/open", {{"folder", (folder() / "project").string()}, {"create", true}}); }
  static std::string model(const char* name) { return (sourceFolder() / "resources/models" / name).string(); }

 private:
  TemporaryFolder m_folder;

 protected:
  std::atomic<bool> cancelled = false;
  int progressCalls = 0;
  std::function<void()> onProgress;  // called once
  std::mutex notifiedMutex;
  std::vector<std::pair<std::string, Json>> notified;
  std::optional<std::filesystem::path> told;
  ProjectService service;
  MethodTable methods;
};

}  // namespace strata::testing
