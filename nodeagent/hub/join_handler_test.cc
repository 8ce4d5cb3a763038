// Who may join under which name.
#include "nodeagent/hub/join_handler.h"

#include <gtest/gtest.h>

namespace nodeagent {
namespace {

constexpr base::WallTime kJoinTime = base::WallTime::FromSeconds(1'800'000'000);
constexpr KnownNode kUnknown = {}, kDead = {.exists = true}, kLive = {.exists = true, .live = true};

// A digest of a secret is the secret itself here. "by t: certificate of n1", or the code.
std::string Ask(const std::string& node, const std::string& secret, const KnownNode& facts,
                const std::string& certified = "") {
  const std::vector<AcceptedToken> tokens = {
      {"any", "a", {}},
      {"old", "o", kJoinTime},
      {"soon", "s", kJoinTime + base::Duration::Seconds(1)},
      {"bound", "b", {}, "n1"},
  };
  const JoinAuthority authority{
      [](std::string_view text) { return std::string(text); },
      [](std::string_view left, std::string_view right) { return left == right; },
      [](const std::string& name, const std::string&) {
        return base::Result<JoinAnswer>(JoinAnswer{"certificate of " + name, "ca"});
      }};
  const auto joined =
      HandleJoin({.node = node, .secret = secret, .csr_pem = "csr", .certified_node = certified},
                 facts, tokens, kJoinTime, authority);
  if (!joined.ok()) return std::string(base::InfoOf(joined.status().code()).reason);
  return "by " + joined->token + ": " + joined->answer.certificate_pem;
}

TEST(JoinTest, ATokenVouchesUntilItExpiresAndForItsName) {
  EXPECT_EQ(Ask("n1", "a", kUnknown), "by any: certificate of n1");
  EXPECT_EQ(Ask("n1", "s", kUnknown), "by soon: certificate of n1");
  EXPECT_EQ(Ask("n1", "o", kUnknown), "Unauthorized");
  EXPECT_EQ(Ask("n1", "x", kUnknown), "Unauthorized");
  EXPECT_EQ(Ask("n1", "", kUnknown), "Unauthorized");
  EXPECT_EQ(Ask("n1", "b", kUnknown), "by bound: certificate of n1");
  EXPECT_EQ(Ask("n2", "b", kUnknown), "Unauthorized");
}

TEST(JoinTest, ALiveNodesNameIsItsOwn) {
  EXPECT_EQ(Ask("n1", "a", kLive), "Conflict");
  EXPECT_EQ(Ask("n1", "a", kDead), "by any: certificate of n1");
  EXPECT_EQ(Ask("n1", "b", kLive), "by bound: certificate of n1") << "an administrator's word";
  EXPECT_EQ(Ask("n1", "", kLive, "n1"), "by : certificate of n1") << "its own certificate";
  EXPECT_EQ(Ask("n1", "a", kLive, "n2"), "Conflict");
  EXPECT_EQ(Ask("n1", "x", kLive), "Unauthorized") << "who has no token learns of no node";
}

TEST(JoinTest, ACertificateRenewsANodeThatIsThereOnly) {
  EXPECT_EQ(Ask("n1", "", kDead, "n1"), "by : certificate of n1");
  EXPECT_EQ(Ask("n1", "", kUnknown, "n1"), "Unauthorized");
  EXPECT_EQ(Ask("n2", "", kDead, "n1"), "Unauthorized");
  EXPECT_EQ(Ask("n1", "a", kUnknown, "n1"), "by any: certificate of n1");
}

}  // namespace
}  // namespace nodeagent
