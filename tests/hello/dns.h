// DNS: a small resolver for the pods of a cluster: RFC 1035 queries over UDP, with the search
// domains and ndots of resolv.conf. (glibc's resolver needs shared libraries at run time.)
//
// Any thread: nothing is kept between calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hello {

struct ResolverConfig {
  std::vector<std::string> servers;  // "IP" or "IP:PORT"
  std::vector<std::string> searches;
  int ndots = 1;
  int timeout_millis = 2000;  // of one query to one server
  int attempts = 2;
};
ResolverConfig ParseResolvConf(std::string_view text);

// The names to ask for, in order, each without a final dot.
std::vector<std::string> CandidateNames(const ResolverConfig& config, std::string_view name);

enum class RecordType : uint16_t { kA = 1, kPtr = 12, kSrv = 33 };

// A query, or "" if `name` is no name.
std::string EncodeQuery(uint16_t id, std::string_view name, RecordType type);

struct Answer {
  int code = 0;                      // RCODE: 0 none, 2 server failure, 3 no such name
  std::vector<std::string> records;  // "10.0.0.1"; "target."; "priority weight port target."
};
// False if `packet` is no answer to query `id`.
bool DecodeAnswer(std::string_view packet, uint16_t id, RecordType type, Answer* answer);

// The records of `name`; on failure none, with the reason in `error`. An IPv4 address is its own A
// record; /etc/hosts goes first for A.
std::vector<std::string> Resolve(const ResolverConfig& config, std::string_view name,
                                 RecordType type, std::string* error);
ResolverConfig SystemResolverConfig();  // of /etc/resolv.conf

int DnsCommand(int argc, char** argv);

}  // namespace hello
