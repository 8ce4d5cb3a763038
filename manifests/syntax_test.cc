#include "manifests/syntax.h"

#include <gtest/gtest.h>

namespace manifests {
namespace {

// Those of `values` that fit the format, one a line.
std::string Fitting(std::string_view format, const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) {
    if (!CheckFormat(format, value)) out += "<" + value + ">";
  }
  return out;
}

const std::string k63(63, 'a');
const std::string k64(64, 'a');
const std::string k253 = k63 + "." + k63 + "." + k63 + "." + std::string(61, 'a');

TEST(SyntaxTest, Dns1123Label) {
  EXPECT_EQ(Fitting("dns1123label", {"a", "0", "web-1", "a--b", k63, "", "-a", "a-", "A", "a.b",
                                     "a_b", "\xC3\xA4", " a", k64}),
            "<a><0><web-1><a--b><" + k63 + ">");
}

TEST(SyntaxTest, Dns1123Subdomain) {
  EXPECT_EQ(Fitting("dns1123subdomain", {"a", "a.b-c.0", k64, k253, k253 + "a", "", ".", "a.", ".a",
                                         "a..b", "a.-b", "a-.b", "A.b", "a/b"}),
            "<a><a.b-c.0><" + k64 + "><" + k253 + ">");
}

TEST(SyntaxTest, Dns1035LabelStartsWithALetter) {
  EXPECT_EQ(Fitting("dns1035label", {"a", "a1", "a-1", "", "1a", "-a", "a-", "A", k64}),
            "<a><a1><a-1>");
}

TEST(SyntaxTest, QualifiedName) {
  EXPECT_EQ(Fitting("qualifiedname", {"app", "A_b.c-1", "example.com/app", "e/" + k63, k253 + "/a",
                                      "", "/app", "example.com/", "a/b/c", "-a", "a-", "E.com/a",
                                      "e/" + k64, "a b", k253 + "a/a"}),
            "<app><A_b.c-1><example.com/app><e/" + k63 + "><" + k253 + "/a>");
}

TEST(SyntaxTest, LabelValueMayBeEmpty) {
  EXPECT_EQ(Fitting("labelvalue", {"", "a", "V1.2_b-c", k63, k64, "-a", "a.", "a/b", "a b"}),
            "<><a><V1.2_b-c><" + k63 + ">");
}

TEST(SyntaxTest, EnvVarName) {
  EXPECT_EQ(Fitting("envvarname", {"A", "1", "a.b-c_d", "with space", "", "A=B", "tab\t",
                                   "\xC3\xA4", std::string("nul\0", 4)}),
            "<A><1><a.b-c_d><with space>");
}

TEST(SyntaxTest, ConfigMapKey) {
  EXPECT_EQ(Fitting("configmapkey", {"app.conf", ".hidden", "A_b-c", "a..b", std::string(253, 'a'),
                                     "", ".", "..", "..a", "a/b", "a b", std::string(254, 'a')}),
            "<app.conf><.hidden><A_b-c><a..b><" + std::string(253, 'a') + ">");
}

TEST(SyntaxTest, PortName) {
  EXPECT_EQ(Fitting("portname", {"http", "http-alt", "1a", "a23456789012345", "", "80", "-a", "a-",
                                 "a--b", "HTTP", "a_b", "a234567890123456"}),
            "<http><http-alt><1a><a23456789012345>");
}

TEST(SyntaxTest, Paths) {
  const std::vector<std::string> paths = {
      "a", "./a/b", "/a", "a/..b", "...", "", "..", "a/..", "../a", "a/../b", std::string("\0", 1)};
  EXPECT_EQ(Fitting("path", paths), "<a><./a/b></a><a/..b><...>");
  EXPECT_EQ(Fitting("relativepath", paths), "<a><./a/b><a/..b><...>");
}

TEST(SyntaxTest, IpAddresses) {
  EXPECT_EQ(Fitting("ip", {"10.0.0.7", "::", "2001:db8::7", "::ffff:1.2.3.4", "", "10.0.0",
                           "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "2001:db8::7::1", "fe80::1%eth0",
                           "a.b.c.d", std::string("1.2.3.4\0x", 9)}),
            "<10.0.0.7><::><2001:db8::7><::ffff:1.2.3.4>");
}

TEST(SyntaxTest, AddressRanges) {
  EXPECT_EQ(Fitting("cidr", {"10.0.0.0/8", "0.0.0.0/0", "1.2.3.4/32", "2001:db8::/64", "::/128", "",
                             "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1",
                             "10.0.0.0/+1", "::/129", "/8", "10.0.0.0/8/8"}),
            "<10.0.0.0/8><0.0.0.0/0><1.2.3.4/32><2001:db8::/64><::/128>");
}

TEST(SyntaxTest, MessageNamesTheValueAndWhatToDo) {
  EXPECT_EQ(CheckFormat("portname", "HTTP").value_or(""),
            "\"HTTP\" is not a port name (IANA service name): use lower-case letters, digits and "
            "single '-' between them, with at least one letter, at most 15 characters, like "
            "\"http-alt\"");
}

TEST(SyntaxTest, MessageShortensALongValue) {
  const std::string message = CheckFormat("dns1123label", std::string(5000, 'a')).value_or("");
  EXPECT_EQ(message.substr(0, message.find("ot a DNS")),
            '"' + std::string(80, 'a') + "...\" (5000 characters) is n");
}

TEST(SyntaxTest, UnknownFormatDemandsNothing) {
  EXPECT_FALSE(IsFormat("date-time"));
  EXPECT_EQ(Explain("date-time"), "");
  EXPECT_FALSE(CheckFormat("date-time", "!").has_value());
}

TEST(SyntaxTest, PathsOfItemsAndWordsOfFiles) {
  EXPECT_EQ(Fitting("itempath", {"a", "a/..b", ".a", "", "..", "..data", "..a/b", "../a", "a/../b",
                                 "/a", "a\nb", "a\x7F"}),
            "<a><a/..b><.a>");
  EXPECT_EQ(Fitting("path", {"/a b", "/a\nb", "/a\t"}), "</a b>");
  EXPECT_EQ(Fitting("hostword",
                    {"db.example.com", "Under_score", ".", "", "a b", "a\nb", "a\t", "a#b", "a/b"}),
            "<db.example.com><Under_score><.>");
  EXPECT_EQ(Fitting("word", {"ndots:5", "", "a b", "a\n", "\xC3\xA4"}), "<ndots:5><>");
}

TEST(SyntaxTest, AddressesThatAreNoHosts) {
  for (const char* text : {"127.0.0.1", "127.255.0.1", "169.254.169.254", "0.0.0.0", "0.1.2.3",
                           "224.0.0.1", "239.255.255.255", "::", "::1", "fe80::1", "febf::1",
                           "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"}) {
    EXPECT_NE(WhySpecial(text), "") << text;
  }
  for (const char* text : {"10.0.0.1", "1.1.1.1", "169.253.0.1", "223.255.255.255", "2001:db8::1",
                           "fec0::1", "::2", "::ffff:10.0.0.1", "", "web"}) {
    EXPECT_EQ(WhySpecial(text), "") << text;
  }
}

}  // namespace
}  // namespace manifests
