#include "base/base64.h"

#include <gtest/gtest.h>

#include <string>

namespace base {
namespace {

// RFC 4648 section 10.
TEST(Base64Test, MatchesPublishedVectors) {
  std::string all;
  for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    all += Base64Encode(text) + " ";
    Result<std::string> back = Base64Decode(Base64Encode(text));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, text);
  }
  EXPECT_EQ(all, " Zg== Zm8= Zm9v Zm9vYg== Zm9vYmE= Zm9vYmFy ");
  EXPECT_EQ(Base64UrlEncode("\xfb\xff"), "-_8");
}

TEST(Base64Test, RefusesWhatIsNotExact) {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zg===", "====", "Zh==", "Zm9=", "Z m9", "Zm\n9", "-_8=", "Zg==Zg=="}) {
    EXPECT_FALSE(Base64Decode(text).ok()) << text;
  }
}

}  // namespace
}  // namespace base
