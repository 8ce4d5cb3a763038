#include "servicemesh/dns/dns_message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/rng.h"

namespace servicemesh {
namespace {

std::string FromHex(std::string_view hex) {
  std::string bytes;
  std::string digits;
  for (const char c : hex) {
    if (c != ' ') digits += c;
  }
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string ToHex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

// As dig sends it: id 0x1234, RD, "Web.d A", EDNS 4096.
constexpr char kQuery[] =
    "1234 0100 0001 0000 0000 0001  03576562 0164 00 0001 0001"
    "00 0029 1000 00000000 0000";

DnsQuery Query() {
  base::Result<DnsQuery> query = ParseQuery(FromHex(kQuery));
  EXPECT_TRUE(query.ok()) << query.status().ToString();
  return *std::move(query);
}

DnsRecord A(const std::string& name, const std::string& ip) {
  DnsRecord record;
  record.name = name;
  record.ttl = 5;
  record.ip = *Ipv4::Parse(ip);
  return record;
}

std::string Tell(const std::vector<DnsRecord>& records) {
  std::string text;
  for (const DnsRecord& record : records) text += record.ToString() + "\n";
  return text;
}

TEST(DnsMessageTest, QueryIsRead) {
  const DnsQuery query = Query();
  EXPECT_EQ(query.id, 0x1234);
  EXPECT_TRUE(query.recursion_desired);
  EXPECT_EQ(query.question, (DnsQuestion{"Web.d", DnsType::kA, 1}));
  EXPECT_TRUE(query.has_edns);
  EXPECT_EQ(query.udp_size, 4096);
}

TEST(DnsMessageTest, ResponseIsCompressedAndEchoesTheCaseOfTheQuestion) {
  DnsAnswer answer;
  answer.authoritative = true;
  answer.answers = {A("Web.d", "10.96.0.1"), A("x.d", "10.96.0.2")};
  EXPECT_EQ(ToHex(BuildResponse(Query(), answer, 512)),
            "123485800001000200000001"
            "035765620164000001"
            "0001"
            "c00c0001000100000005"
            "00040a600001"
            "0178c0100001000100000005"
            "00040a600002"
            "00002904d0000000000000");
}

TEST(DnsMessageTest, EveryRecordComesBackAsItWent) {
  DnsRecord srv = A("_http._tcp.web.d", "0.0.0.0");
  srv.type = DnsType::kSrv;
  srv.priority = 1;
  srv.weight = 2;
  srv.port = 80;
  srv.target = "web.d";
  DnsRecord cname = srv;
  cname.type = DnsType::kCname;
  DnsRecord ptr = srv;
  ptr.type = DnsType::kPtr;
  DnsRecord txt = srv;
  txt.type = DnsType::kTxt;
  txt.data = "1.1.0";
  DnsRecord soa = srv;
  soa.type = DnsType::kSoa;
  soa.mailbox = "hostmaster.d";
  soa.serial = 77;
  soa.negative_ttl = 5;
  DnsRecord aaaa = srv;
  aaaa.type = DnsType::kAaaa;
  aaaa.data = std::string(16, '\x01');
  DnsAnswer answer;
  answer.code = DnsCode::kNxDomain;
  answer.answers = {srv, cname, ptr, txt, aaaa};
  answer.authority = {soa};
  answer.additional = {A("web.d", "10.96.0.1")};
  const base::Result<DnsReply> reply = ParseReply(BuildResponse(Query(), answer, 512));
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->id, 0x1234);
  EXPECT_EQ(reply->question, Query().question);
  EXPECT_EQ(reply->answer.code, DnsCode::kNxDomain);
  EXPECT_EQ(Tell(reply->answer.answers), Tell(answer.answers));
  EXPECT_EQ(Tell(reply->answer.authority), Tell(answer.authority));
  EXPECT_EQ(Tell(reply->answer.additional), Tell(answer.additional));
  EXPECT_EQ(reply->answer.authority[0].negative_ttl, 5u);
}

TEST(DnsMessageTest, AnswerThatDoesNotFitIsCutAtARecordAndSaysSo) {
  DnsAnswer answer;
  for (int i = 0; i < 100; ++i) answer.answers.push_back(A("Web.d", "10.96.0.1"));
  const std::string message = BuildResponse(Query(), answer, 512);
  const base::Result<DnsReply> reply = ParseReply(message);
  ASSERT_TRUE(reply.ok());
  EXPECT_TRUE(reply->answer.truncated);
  // 12 header, 11 question, 11 OPT, 16 a record.
  EXPECT_EQ(reply->answer.answers.size(), (512u - 34) / 16);
  EXPECT_LE(message.size(), 512u);
  EXPECT_FALSE(ParseReply(BuildResponse(Query(), answer, 65'535))->answer.truncated);
}

TEST(DnsMessageTest, OnlyAdditionalRecordsLeftOffIsNoTruncation) {
  DnsAnswer answer;
  answer.answers = {A("Web.d", "10.96.0.1")};
  for (int i = 0; i < 100; ++i) answer.additional.push_back(A("Web.d", "10.96.0.1"));
  EXPECT_FALSE(ParseReply(BuildResponse(Query(), answer, 512))->answer.truncated);
}

TEST(DnsMessageTest, ExtendedCodeTravelsInTheOptRecord) {
  DnsAnswer answer;
  answer.code = DnsCode::kBadVers;
  EXPECT_EQ(ParseReply(BuildResponse(Query(), answer, 512))->answer.code, DnsCode::kBadVers);
}

TEST(DnsMessageTest, StrangeBytesOfALabelSurvive) {
  const std::string wire = FromHex("03 612e62 02 005c 00");
  base::Result<DnsQuery> query =
      ParseQuery(FromHex("0001 0000 0001 0000 0000 0000") + wire + FromHex("0001 0001"));
  ASSERT_TRUE(query.ok()) << query.status().ToString();
  EXPECT_EQ(query->question.name, "a\\046b.\\000\\092");
  EXPECT_EQ(*EncodeName(query->question.name), wire);
}

TEST(DnsMessageTest, MalformedQueriesAreRefused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "DNS message: shorter than a header"},
      {"1234 0100 0001 0000 0000", "DNS message: shorter than a header"},
      {"1234 8100 0001 0000 0000 0000 0161 00 0001 0001",
       "DNS message: a response where a query should be"},
      {"1234 0100 0000 0000 0000 0000", "DNS message: not one question"},
      {"1234 0100 0002 0000 0000 0000 0161 00 0001 0001", "DNS message: not one question"},
      // cut off, a pointer to itself, a pointer forward, a label of 64, a reserved label type
      {"1234 0100 0001 0000 0000 0000 0161 00 0001",
       "DNS message: the question is cut off or its name is malformed"},
      {"1234 0100 0001 0000 0000 0000 c00c 0001 0001",
       "DNS message: the question is cut off or its name is malformed"},
      {"1234 0100 0001 0000 0000 0000 c0ff 0001 0001",
       "DNS message: the question is cut off or its name is malformed"},
      {"1234 0100 0001 0000 0000 0000 40",
       "DNS message: the question is cut off or its name is malformed"},
      {"1234 0100 0001 0000 0000 0000 8061 00 0001 0001",
       "DNS message: the question is cut off or its name is malformed"},
      {"1234 0100 0001 0000 0000 0001 0161 00 0001 0001 00 0029 1000 00000000 0009",
       "DNS message: a record is cut off"},
      {"1234 0100 0001 0000 0000 0002 0161 00 0001 0001 00 0029 1000 00000000 0000"
       "00 0029 1000 00000000 0000",
       "DNS message: two OPT records"},
  };
  for (const auto& [hex, message] : cases)
    EXPECT_EQ(ParseQuery(FromHex(hex)).status().message(), message) << hex;
}

TEST(DnsMessageTest, NameOverTheLimitIsRefused) {
  std::string wire;
  for (int i = 0; i < 4; ++i) wire += std::string(1, 63) + std::string(63, 'a');
  const std::string header = FromHex("0001 0000 0001 0000 0000 0000");
  EXPECT_FALSE(ParseQuery(header + wire + FromHex("00 0001 0001")).ok());
  EXPECT_FALSE(EncodeName(std::string(64, 'a')).ok());
  EXPECT_FALSE(EncodeName("a..b").ok());
  EXPECT_FALSE(EncodeName("a.b.").ok());
  EXPECT_TRUE(EncodeName("").ok());
}

// Whatever comes, reading it ends, and what could be read can be answered.
TEST(DnsMessageTest, NoMutationOfAMessageDoesHarm) {
  DnsAnswer answer;
  DnsRecord srv = A("_http._tcp.Web.d", "10.96.0.1");
  srv.type = DnsType::kSrv;
  srv.target = "Web.d";
  DnsRecord soa = srv;
  soa.type = DnsType::kSoa;
  answer.answers = {A("Web.d", "10.96.0.1"), srv, srv};
  answer.authority = {soa};
  const std::vector<std::string> seeds = {FromHex(kQuery), BuildResponse(Query(), answer, 512)};
  base::Rng rng(5);
  int read = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string message = seeds[rng.Below(2)];
    for (uint64_t n = rng.Below(6); n-- > 0;)
      message[rng.Below(message.size())] = static_cast<char>(rng.Chance(1, 3) ? 0xc0 : rng.Next());
    if (rng.Chance(1, 3)) message.resize(rng.Below(message.size() + 1));
    if (const base::Result<DnsQuery> query = ParseQuery(message); query.ok()) {
      ++read;
      const std::string response = BuildResponse(*query, answer, 512);
      EXPECT_LE(response.size(), 512u);
      EXPECT_TRUE(ParseReply(response).ok());
    }
    if (ParseReply(message).ok()) ++read;
  }
  EXPECT_GT(read, 10'000);
}

}  // namespace
}  // namespace servicemesh
