#include "manifests/quantity.h"

#include <gtest/gtest.h>

#include <limits>

namespace manifests {
namespace {

std::string Canonical(std::string_view text, bool binary = false) {
  const base::Result<Quantity> parsed = Quantity::Parse(text);
  return parsed.ok() ? parsed->ToString(binary) : "error";
}

TEST(QuantityTest, ReadsEverySuffix) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0", "0"},
      {"1", "1"},
      {"+1", "1"},
      {"-1", "-1"},
      {"007", "7"},
      {"1.", "1"},
      {".5", "500m"},
      {"1.5", "1500m"},
      {"500m", "500m"},
      {"1000m", "1"},
      {"1k", "1000"},
      {"1M", "1000000"},
      {"1G", "1000000000"},
      {"1T", "1000000000000"},
      {"1P", "1000000000000000"},
      {"1E", "1000000000000000000"},
      {"1Ki", "1024"},
      {"1Mi", "1048576"},
      {"1Gi", "1073741824"},
      {"1Ti", "1099511627776"},
      {"1Pi", "1125899906842624"},
      {"1Ei", "1152921504606846976"},
      {"0.1Gi", "107374182400m"},
      {"1.5Ki", "1536"},
      {"12e3", "12000"},
      {"12E3", "12000"},
      {"12e+3", "12000"},
      {"1500e-3", "1500m"},
      {"2E", "2000000000000000000"},
      {"1000000u", "1"},
      {"1000000n", "1m"},
      {"-1.5Gi", "-1610612736"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Canonical(text), expected) << text;
}

TEST(QuantityTest, RefusesWhatIsNoQuantity) {
  for (const char* text :
       {"",      " ",     "-",   "+",     ".",    "m",   "Gi", "1GB", "1gi", "1 Gi", "1e",  "1e+",
        "1e1.5", "1e3Gi", "--1", "1.2.3", "0x10", "1,5", "K",  "1K",  "NaN", "inf",  "1Gi "}) {
    EXPECT_EQ(Canonical(text), "error") << text;
  }
}

TEST(QuantityTest, ErrorSaysWhatToWrite) {
  EXPECT_EQ(
      Quantity::Parse("1GB").status().ToString(),
      "Invalid: \"1GB\" is not a quantity; write a number, then nothing, m, k, M, G, T, P, E, "
      "Ki, Mi, Gi, Ti, Pi or Ei, like 500m, 2 or 1.5Gi");
}

TEST(QuantityTest, RoundsFinerFractionsAwayFromZero) {
  EXPECT_EQ(Canonical("1n"), "1m");
  EXPECT_EQ(Canonical("0.0001"), "1m");
  EXPECT_EQ(Canonical("-0.0001"), "-1m");
  EXPECT_EQ(Canonical("1.0001"), "1001m");
  EXPECT_EQ(Canonical("1.0010000000000000000000000000000000000000"), "1001m");
  EXPECT_EQ(Canonical("1.0010000000000000000000000000000000000001"), "1002m");
  EXPECT_EQ(Canonical("1e-999999999999999999999"), "1m");
  EXPECT_EQ(Canonical("0e-99"), "0");
}

TEST(QuantityTest, NoFractionIsApproximated) {
  // 1.1 * 1024^6, worked out by hand: 1268213655067531673.6.
  EXPECT_EQ(Canonical("1.1Ei"), "1268213655067531673600m");
  EXPECT_EQ(Canonical("0.0009765625Ki"), "1");
  EXPECT_EQ(Canonical("9007199254740993"), "9007199254740993");
}

TEST(QuantityTest, TooLargeBecomesTheLargest) {
  const std::string largest = "9223372036854775807";
  EXPECT_EQ(Canonical(largest), largest);
  EXPECT_EQ(Canonical("9223372036854775808"), largest);
  EXPECT_EQ(Canonical("8Ei"), largest);
  EXPECT_EQ(Canonical("1e1000000000000"), largest);
  EXPECT_EQ(Canonical("-9e99"), "-" + largest);
  std::string long_text(100'000, '9');
  long_text += "Ei";
  EXPECT_EQ(Canonical(long_text), largest);
}

TEST(QuantityTest, BinaryFormTakesTheLargestExactSuffix) {
  EXPECT_EQ(Canonical("1024Mi", true), "1Gi");
  EXPECT_EQ(Canonical("1536Mi", true), "1536Mi");
  EXPECT_EQ(Canonical("1000", true), "1000");
  EXPECT_EQ(Canonical("0", true), "0");
  EXPECT_EQ(Canonical("-2048", true), "-2Ki");
  EXPECT_EQ(Canonical("7Ei", true), "7Ei");
  EXPECT_EQ(Canonical("0.5", true), "500m");
}

TEST(QuantityTest, ForPeople) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0", "0"},         {"500m", "500m"},   {"1.5", "1500m"},
      {"4", "4"},         {"1023", "1023"},   {"1024", "1Ki"},
      {"3.1Gi", "3.1Gi"}, {"1048575", "1Mi"}, {"1047552", "1023Ki"},
      {"-3Gi", "-3Gi"},   {"5G", "4.7Gi"},    {"7.5Ei", "7.5Ei"}};
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(Quantity::Parse(text)->ToHuman(), expected) << text;
  }
}

TEST(QuantityTest, ValuesRoundUpAndSaturate) {
  EXPECT_EQ(Quantity::Parse("1.001")->Value(), 2);
  EXPECT_EQ(Quantity::Parse("-1.001")->Value(), -2);
  EXPECT_EQ(Quantity::Parse("1.5")->MilliValue(), 1500);
  EXPECT_EQ(Quantity::Parse("8Ei")->MilliValue(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ((Quantity::Units(7'000'000'000'000'000'000) * 3).Value(),
            std::numeric_limits<int64_t>::max());
}

TEST(QuantityTest, Arithmetic) {
  const Quantity a = Quantity::Milli(1500);
  const Quantity b = Quantity::Units(2);
  EXPECT_EQ((a + b).ToString(), "3500m");
  EXPECT_EQ((a - b).ToString(), "-500m");
  EXPECT_EQ((a * 4).ToString(), "6");
  EXPECT_LT(a, b);
  EXPECT_TRUE((a - a).IsZero());
  EXPECT_TRUE((a - b).IsNegative());
}

TEST(QuantityTest, OfTakesStringsAndNumbersOfADocument) {
  const base::Document document(base::Json::MakeObject({{"text", "1Gi"},
                                                        {"int", 2},
                                                        {"double", 0.25},
                                                        {"large", 1e21},
                                                        {"bad", "x"},
                                                        {"list", base::Json::MakeArray()}}));
  std::string seen;
  for (const char* key : {"text", "int", "double", "large", "bad", "list", "missing"}) {
    seen += Quantity::Of(document[key]).ToString() + " ";
  }
  EXPECT_EQ(seen, "1073741824 2 250m 9223372036854775807 0 0 0 ");
}

TEST(QuantityTest, SameAmountInOtherWords) {
  EXPECT_TRUE(SameQuantity("1Gi", "1024Mi"));
  EXPECT_TRUE(SameQuantity("0.5", "500m"));
  EXPECT_TRUE(SameQuantity("x", "x"));
  EXPECT_FALSE(SameQuantity("1Gi", "1G"));
  EXPECT_FALSE(SameQuantity("x", "0"));
}

}  // namespace
}  // namespace manifests
