// Rule: a name with at least ndots dots is asked for as it is first, then under each search domain;
// with fewer dots the other way round; a final dot means exactly this name. The next name is tried
// after "no such name" and after an answer without records; the next server after silence or a
// server's failure. If any name ended in failure rather than in "no such name", that is the error.

#include "tests/hello/dns.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

namespace hello {
namespace {

constexpr size_t kMaxServers = 3;
constexpr size_t kMaxSearches = 32;
constexpr size_t kMaxPacket = 65535;
constexpr int kMaxNameParts = 128;  // labels and pointers followed in one name

std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while (at < line.size()) {
    size_t begin = line.find_first_not_of(" \t\r", at);
    if (begin == std::string_view::npos) break;
    at = std::min(line.find_first_of(" \t\r", begin), line.size());
    words.emplace_back(line.substr(begin, at - begin));
  }
  return words;
}

std::string ReadWhole(const char* path) {
  std::string text;
  FILE* file = fopen(path, "re");
  if (file == nullptr) return text;
  char buffer[4096];
  size_t size;
  while ((size = fread(buffer, 1, sizeof(buffer), file)) > 0 && text.size() < kMaxPacket) {
    text.append(buffer, size);
  }
  fclose(file);
  return text;
}

template <typename Visit>
void ForEachLine(std::string_view text, Visit visit) {
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    visit(line.substr(0, line.find('#')));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

uint16_t Read16(std::string_view packet, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(packet[at]) << 8 |
                               static_cast<uint8_t>(packet[at + 1]));
}

// Reads the name at *at, following compression pointers, and moves *at behind it.
bool ReadName(std::string_view packet, size_t* at, std::string* name) {
  size_t position = *at;
  bool jumped = false;
  name->clear();
  for (int part = 0; part < kMaxNameParts; ++part) {
    if (position >= packet.size()) return false;
    uint8_t length = static_cast<uint8_t>(packet[position]);
    if (length >= 0xc0) {
      if (position + 2 > packet.size()) return false;
      if (!jumped) *at = position + 2;
      jumped = true;
      position = Read16(packet, position) & 0x3fff;
      continue;
    }
    if (length > 63 || position + 1 + length > packet.size()) return false;
    if (!jumped) *at = position + 1 + length;
    if (length == 0) return true;
    name->append(packet.substr(position + 1, length));
    name->push_back('.');
    position += 1 + length;
  }
  return false;
}

bool ReadRecord(std::string_view packet, size_t at, size_t length, RecordType type,
                std::string* text) {
  if (type == RecordType::kA) {
    if (length != 4) return false;
    char buffer[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, packet.data() + at, buffer, sizeof(buffer));
    *text = buffer;
    return true;
  }
  std::string target;
  if (type == RecordType::kPtr) return ReadName(packet, &at, text);
  if (length < 7) return false;
  size_t name_at = at + 6;
  if (!ReadName(packet, &name_at, &target)) return false;
  *text = std::to_string(Read16(packet, at)) + " " + std::to_string(Read16(packet, at + 2)) + " " +
          std::to_string(Read16(packet, at + 4)) + " " + target;
  return true;
}

// One question to one server; false if it did not answer in time.
bool Ask(const std::string& server, int timeout_millis, std::string_view name, RecordType type,
         Answer* answer) {
  size_t colon = server.find(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(
      static_cast<uint16_t>(colon == std::string::npos ? 53 : atoi(server.c_str() + colon + 1)));
  if (inet_pton(AF_INET, server.substr(0, colon).c_str(), &address.sin_addr) != 1) return false;
  uint16_t id = 0;
  if (getrandom(&id, sizeof(id), 0) != sizeof(id)) return false;
  std::string query = EncodeQuery(id, name, type);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bool answered = false;
  if (!query.empty() && connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      send(fd, query.data(), query.size(), 0) == static_cast<ssize_t>(query.size())) {
    pollfd poll_fd{fd, POLLIN, 0};
    std::string packet(kMaxPacket, '\0');
    // A stray packet restarts the wait; kernel-connected sockets see few of those.
    for (int tries = 0; tries < 4 && !answered && poll(&poll_fd, 1, timeout_millis) == 1; ++tries) {
      ssize_t size = recv(fd, packet.data(), packet.size(), 0);
      if (size < 0) break;  // refused
      answered = DecodeAnswer(std::string_view(packet).substr(0, static_cast<size_t>(size)), id,
                              type, answer);
    }
  }
  close(fd);
  return answered;
}

// A records of /etc/hosts.
std::vector<std::string> HostsFile(std::string_view name) {
  std::vector<std::string> addresses;
  ForEachLine(ReadWhole("/etc/hosts"), [&](std::string_view line) {
    std::vector<std::string> words = Words(line);
    if (words.empty() || words[0].find(':') != std::string::npos) return;
    for (size_t i = 1; i < words.size(); ++i) {
      if (strcasecmp(words[i].c_str(), std::string(name).c_str()) == 0) {
        addresses.push_back(words[0]);
      }
    }
  });
  return addresses;
}

}  // namespace

ResolverConfig ParseResolvConf(std::string_view text) {
  ResolverConfig config;
  ForEachLine(text, [&](std::string_view line) {
    std::vector<std::string> words = Words(line);
    if (words.size() < 2) return;
    if (words[0] == "nameserver" && config.servers.size() < kMaxServers) {
      config.servers.push_back(words[1]);
    } else if (words[0] == "search" || words[0] == "domain") {
      size_t count = std::min(words.size(), kMaxSearches + 1);
      config.searches.assign(words.begin() + 1, words.begin() + static_cast<ptrdiff_t>(count));
    } else if (words[0] == "options") {
      for (const std::string& word : words) {
        int value = atoi(word.c_str() + std::min(word.find(':'), word.size() - 1) + 1);
        if (word.rfind("ndots:", 0) == 0) config.ndots = std::clamp(value, 0, 15);
        if (word.rfind("timeout:", 0) == 0) config.timeout_millis = std::clamp(value, 1, 30) * 1000;
        if (word.rfind("attempts:", 0) == 0) config.attempts = std::clamp(value, 1, 5);
      }
    }
  });
  return config;
}

std::vector<std::string> CandidateNames(const ResolverConfig& config, std::string_view name) {
  if (!name.empty() && name.back() == '.') return {std::string(name.substr(0, name.size() - 1))};
  std::vector<std::string> names;
  for (const std::string& search : config.searches) {
    std::string full = std::string(name) + "." + search;
    if (full.back() == '.') full.pop_back();
    names.push_back(full);
  }
  bool absolute_first = std::count(name.begin(), name.end(), '.') >= config.ndots;
  names.insert(absolute_first ? names.begin() : names.end(), std::string(name));
  return names;
}

std::string EncodeQuery(uint16_t id, std::string_view name, RecordType type) {
  std::string query;
  auto append16 = [&query](uint16_t value) {
    query.push_back(static_cast<char>(value >> 8));
    query.push_back(static_cast<char>(value & 0xff));
  };
  append16(id);
  append16(0x0100);  // recursion desired
  append16(1);       // one question
  append16(0);
  append16(0);
  append16(0);
  while (!name.empty()) {
    size_t length = std::min(name.find('.'), name.size());
    if (length == 0 || length > 63) return "";
    query.push_back(static_cast<char>(length));
    query.append(name.substr(0, length));
    name.remove_prefix(std::min(length + 1, name.size()));
  }
  query.push_back('\0');
  if (query.size() > 12 + 255) return "";
  append16(static_cast<uint16_t>(type));
  append16(1);  // class IN
  return query;
}

bool DecodeAnswer(std::string_view packet, uint16_t id, RecordType type, Answer* answer) {
  *answer = Answer();
  if (packet.size() < 12 || Read16(packet, 0) != id || !(Read16(packet, 2) & 0x8000)) return false;
  answer->code = Read16(packet, 2) & 0xf;
  size_t at = 12;
  std::string name;
  for (int i = Read16(packet, 4); i > 0; --i) {
    if (!ReadName(packet, &at, &name)) return false;
    at += 4;
  }
  for (int i = Read16(packet, 6); i > 0; --i) {
    if (!ReadName(packet, &at, &name) || at + 10 > packet.size()) return false;
    uint16_t record_type = Read16(packet, at);
    size_t length = Read16(packet, at + 8);
    at += 10;
    if (at + length > packet.size()) return false;
    std::string text;
    if (record_type == static_cast<uint16_t>(type)) {  // a CNAME before it is passed over
      if (!ReadRecord(packet, at, length, type, &text)) return false;
      answer->records.push_back(text);
    }
    at += length;
  }
  return true;
}

std::vector<std::string> Resolve(const ResolverConfig& config, std::string_view name,
                                 RecordType type, std::string* error) {
  in_addr ignored;
  if (type == RecordType::kA) {
    if (inet_pton(AF_INET, std::string(name).c_str(), &ignored) == 1) return {std::string(name)};
    std::vector<std::string> local = HostsFile(name);
    if (!local.empty()) return local;
  }
  if (config.servers.empty()) {
    *error = "no DNS server is configured";
    return {};
  }
  *error = "no such name";
  for (const std::string& candidate : CandidateNames(config, name)) {
    Answer answer;
    answer.code = -1;
    for (int attempt = 0; attempt < config.attempts; ++attempt) {
      for (const std::string& server : config.servers) {
        if (!Ask(server, config.timeout_millis, candidate, type, &answer)) continue;
        if (answer.code == 0 || answer.code == 3) break;
      }
      if (answer.code == 0 || answer.code == 3) break;
    }
    if (!answer.records.empty()) return answer.records;
    if (answer.code == -1) *error = "no DNS server answered for " + candidate;
    if (answer.code > 0 && answer.code != 3) {
      *error = "DNS answered with code " + std::to_string(answer.code) + " for " + candidate;
    }
  }
  return {};
}

ResolverConfig SystemResolverConfig() { return ParseResolvConf(ReadWhole("/etc/resolv.conf")); }

int DnsCommand(int argc, char** argv) {
  ResolverConfig config = SystemResolverConfig();
  RecordType type = RecordType::kA;
  const char* name = nullptr;
  for (int i = 0; i < argc; ++i) {
    if (!strcmp(argv[i], "--server") && i + 1 < argc) {
      config.servers = {argv[++i]};
    } else if (!strcmp(argv[i], "--type") && i + 1 < argc) {
      std::string_view text = argv[++i];
      type = text == "SRV" ? RecordType::kSrv : text == "PTR" ? RecordType::kPtr : RecordType::kA;
    } else {
      name = argv[i];
    }
  }
  if (name == nullptr) {
    fprintf(stderr, "hello dns: which name? see hello --help\n");
    return 2;
  }
  std::string error;
  std::vector<std::string> records = Resolve(config, name, type, &error);
  for (const std::string& record : records) printf("%s\n", record.c_str());
  if (records.empty()) fprintf(stderr, "hello dns: %s: %s\n", name, error.c_str());
  return records.empty() ? 1 : 0;
}

}  // namespace hello
