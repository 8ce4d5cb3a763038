#include "base/hash.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(HashTest, ChecksumIsCrc32c) { EXPECT_EQ(Crc32c("123456789"), 0xE3069283u); }

TEST(HashTest, FnvIsFnv1a) {
  EXPECT_EQ(Fnv64(""), 0xcbf29ce484222325u);
  EXPECT_EQ(Fnv64("a"), 0xaf63dc4c8601ec8cu);
}

TEST(HashTest, FingerprintsDifferWhereContentsDo) {
  EXPECT_EQ(Fingerprint("").size(), 32u);
  EXPECT_EQ(Fingerprint("ab"), Fingerprint("ab"));
  EXPECT_NE(Fingerprint("ab"), Fingerprint("ba"));
}

}  // namespace
}  // namespace base
