#include "base/base64.h"

#include <gtest/gtest.h>

namespace base {
namespace {

std::string Decoded(std::string_view text, Base64Form form) {
  const Result<std::string> data = Base64Decode(text, form);
  return data.ok() ? *data : data.status().ToString();
}

// RFC 4648, section 10.
TEST(Base64Test, MatchesPublishedVectors) {
  std::string all;
  for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    all += Base64Encode(text) + " ";
    EXPECT_EQ(Decoded(Base64Encode(text), Base64Form::kStrict), text);
  }
  EXPECT_EQ(all, " Zg== Zm8= Zm9v Zm9vYg== Zm9vYmE= Zm9vYmFy ");
  EXPECT_EQ(Base64UrlEncode("\xfb\xff"), "-_8");
}

TEST(Base64Test, EveryByteComesBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(Decoded(Base64Encode(bytes), Base64Form::kStrict), bytes);
}

TEST(Base64Test, StrictTakesOneTextForTheSameBytes) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "====", "=", "Zh==", "Zm9=", "Z m9", "Zm\n9v",
                           "-_8=", "Zg==Zg==", "Zm9v===="}) {
    EXPECT_EQ(Decoded(text, Base64Form::kStrict), "Invalid: the text is not base64") << text;
  }
}

TEST(Base64Test, LenientIsWhatGoReads) {
  EXPECT_EQ(Decoded("Zm\r\n9v\n", Base64Form::kLenient), "foo");
  EXPECT_EQ(Decoded("Zh==", Base64Form::kLenient), "f");
  for (const char* text : {"Z", "Zg", "Zg=", "====", "Z m9", "-_8=", "Zg==Zg=="}) {
    EXPECT_EQ(Decoded(text, Base64Form::kLenient), "Invalid: the text is not base64") << text;
  }
}

}  // namespace
}  // namespace base
