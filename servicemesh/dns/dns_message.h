// DNS messages on the wire (RFC 1035, 2782, 6891): queries read, responses written, and the reverse
// for a resolver's other side. Pure; malformed input is refused, never trusted.
//
// Values, any thread. Names are text without the final dot ("" is the root), in the case they came
// in; a byte of a label that is a dot, a backslash or not printable is written \DDD.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "servicemesh/ipv4.h"

namespace servicemesh {

enum class DnsType : uint16_t {
  kA = 1,
  kNs = 2,
  kCname = 5,
  kSoa = 6,
  kPtr = 12,
  kTxt = 16,
  kAaaa = 28,
  kSrv = 33,
  kOpt = 41,
  kAny = 255,
};

enum class DnsCode : uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNxDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kBadVers = 16,
};

struct DnsQuestion {
  std::string name;
  DnsType type = DnsType::kA;  // any value may come
  uint16_t klass = 1;          // IN
  bool operator==(const DnsQuestion&) const = default;
};

struct DnsQuery {
  uint16_t id = 0;
  uint8_t opcode = 0;
  bool recursion_desired = true;
  bool has_edns = false;
  uint8_t edns_version = 0;
  uint16_t udp_size = 512;  // what the asker takes; 512 without EDNS, and never less
  DnsQuestion question;
};

struct DnsRecord {
  std::string name;
  DnsType type = DnsType::kA;
  uint32_t ttl = 0;
  // By type: kA
  Ipv4 ip;
  // kAaaa: 16 bytes. kTxt: the text, at most 255 bytes. Others: the data as it came.
  std::string data;
  // kCname, kPtr, kNs, kSrv: another name. kSoa: the primary server.
  std::string target;
  // kSrv
  uint16_t priority = 0;
  uint16_t weight = 0;
  uint16_t port = 0;
  // kSoa
  std::string mailbox;
  uint32_t serial = 0;
  uint32_t negative_ttl = 0;
  // "web.default.svc.cluster.local A 10.96.0.1"
  std::string ToString() const;
};

struct DnsAnswer {
  DnsCode code = DnsCode::kNoError;
  bool authoritative = false;
  bool recursion_available = true;
  bool truncated = false;  // there is more, to be had over TCP
  std::vector<DnsRecord> answers;
  std::vector<DnsRecord> authority;
  std::vector<DnsRecord> additional;
};

struct DnsReply {
  uint16_t id = 0;
  DnsQuestion question;
  DnsAnswer answer;
};

inline constexpr size_t kMaxDnsName = 255;  // bytes on the wire
inline constexpr size_t kMaxDnsLabel = 63;
inline constexpr size_t kMaxDnsMessage = 65'535;  // what TCP can carry
inline constexpr uint16_t kEdnsUdpSize = 1232;    // what we send and take by UDP: no fragments

// A query with exactly one question. kBadRequest says what is wrong; if the header could be read,
// DnsId gives the id to answer FORMERR with.
base::Result<DnsQuery> ParseQuery(std::string_view message);
std::optional<uint16_t> DnsId(std::string_view message);  // nullopt if too short or a response

// A response of at most `max_bytes`: whole records are left off from the end, and if an answer or
// authority is among them, the truncation bit is set.
std::string BuildResponse(const DnsQuery& query, const DnsAnswer& answer, size_t max_bytes);

// A response without a question to a query that cannot be read.
std::string BuildFormatError(uint16_t id);

std::string BuildQuery(uint16_t id, const DnsQuestion& question);
base::Result<DnsReply> ParseReply(std::string_view message);

// The wire form of a name; kInvalid if a label or the whole is too long or empty.
base::Result<std::string> EncodeName(std::string_view name);
// ASCII letters only, as DNS compares (RFC 4343).
std::string LowerName(std::string_view name);

}  // namespace servicemesh
