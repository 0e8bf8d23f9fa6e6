// core/protocol/README.md lists every message as the code has it: to renew it, strata engine --describe prints them.

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "core/protocol/messages.h"
#include "support.h"

namespace strata::testing {
namespace {

TEST(ProtocolReadme, ListsTheMessagesAsTheyAre) {
  std::ifstream file(sourceFolder() / "core/protocol/README.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::size_t begin = text.find("## Requests\n");
  ASSERT_NE(begin, std::string::npos);
  EXPECT_EQ(text.substr(begin), protocol::describeMessages())
      << "put the output of strata engine --describe behind the introduction";
}

TEST(ProtocolMessages, EachHasANameOfItsOwn) {
  std::set<std::string> names;
  protocol::forEachMethod([&]<class M>() { EXPECT_TRUE(names.insert(M::kName).second) << M::kName; });
  protocol::forEachNotification([&]<class N>() { EXPECT_TRUE(names.insert(N::kName).second) << N::kName; });
}

TEST(ProtocolMessages, EveryMessageOfDefaultsComesBackFromItsJson) {
  const auto check = []<class T>(const char* name, T*) {
    T value{};
    const Json json = configToJson(value);
    T read{};
    const auto filled = configFromJson(json, name, read);
    ASSERT_TRUE(filled) << name << ": " << filled.error().message;
    EXPECT_EQ(configToJson(read), json) << name;
  };
  protocol::forEachMethod([&]<class M>() { check(M::kName, static_cast<typename M::Answer*>(nullptr)); });
  protocol::forEachNotification([&]<class N>() { check(N::kName, static_cast<N*>(nullptr)); });
}

}  // namespace
}  // namespace strata::testing
