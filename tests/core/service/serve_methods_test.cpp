#include "core/service/serve_methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "http_test.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

/// The methods as a window calls them.
class ServeMethods : public ::testing::Test {
 protected:
  ServeMethods() {
    addServeMethods(methods, slow.engine(), Notifier([this](const std::string& method, const Json& params) {
                      const std::lock_guard lock(mutex);
                      if (method == "serve/changed") changes.push_back(params);
                    }));
  }
  Result<Json> call(const char* method, const Json& params) {
    RequestContext context{1, cancelled, [](const std::string&, std::int64_t, std::int64_t) {}};
    return methods.find(method)->call(params, context);
  }
  Result<Json> start(const std::string& model, int port = 0) {
    return call("serve/start", {{"models", Json::array({{{"model", model}}})}, {"port", port}});
  }
  Json lastChange() {
    const std::lock_guard lock(mutex);
    return changes.empty() ? Json() : changes.back();
  }

  SlowEngine slow;
  std::atomic<bool> cancelled = false;
  std::mutex mutex;
  std::vector<Json> changes;
  MethodTable methods;
};

TEST_F(ServeMethods, StartServesAddsAndStops) {
  const auto first = start("models/tiny");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ((*first)["on"], true);
  EXPECT_THAT((*first)["url"].get<std::string>(), HasSubstr("http://127.0.0.1:"));
  EXPECT_EQ((*first)["token"].get<std::string>().size(), 64U);
  EXPECT_EQ(lastChange()["on"], true);
  const auto second = start("models/other");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ((*second)["models"], Json::array({"tiny", "other"}));
  EXPECT_EQ((*second)["url"], (*first)["url"]);
  const auto one = call("serve/stop", {{"model", "models/tiny"}});
  ASSERT_TRUE(one);
  EXPECT_EQ((*one)["models"], Json::array({"other"}));
  EXPECT_FALSE(call("serve/stop", {{"model", "models/tiny"}}));
  const auto all = call("serve/stop", Json::object());
  ASSERT_TRUE(all);
  EXPECT_EQ((*all)["on"], false);
  EXPECT_EQ(lastChange()["on"], false);
  EXPECT_TRUE(start("models/tiny")) << "again";
}

TEST_F(ServeMethods, StoppingTheLastModelStopsTheServer) {
  ASSERT_TRUE(start("models/tiny"));
  EXPECT_EQ((*call("serve/stop", {{"model", "models/tiny"}}))["on"], false);
}

TEST_F(ServeMethods, AnotherPortWhileItServesIsRefused) {
  ASSERT_TRUE(start("models/tiny"));
  const auto again = start("models/tiny", 1);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("stop that first"));
}

TEST_F(ServeMethods, AModelThatCannotBeOpenedStartsNothing) {
  const auto started = start("missing");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "There is no model missing.");
  EXPECT_EQ((*call("serve/stop", Json::object()))["on"], false);
}

}  // namespace
}  // namespace strata::testing
