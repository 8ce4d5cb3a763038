// Dumps the IPv4 table of the connection tracking subsystem (NFNL_SUBSYS_CTNETLINK) and deletes
// what is stale by its original tuple. The original tuple says what the client addressed; the
// source of the reply tuple is the endpoint that it was translated to.
#include "servicemesh/edge/conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/edge/files.h"

namespace servicemesh {
namespace {

constexpr size_t kReceiveBytes = 256u << 10;
constexpr size_t kMaxEntries = 4'000'000;  // more than any table here holds: ends a dump gone wrong

base::Status Failed(const char* what) {
  return base::ErrnoStatus(std::string("connection tracking: cannot ") + what, errno);
}

base::UniqueFd OpenSocket() {
  base::UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  const timeval limit{5, 0};
  if (fd.valid()) setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  return fd;
}

// The payload of the attribute `type` among `attributes`; empty if there is none.
std::string_view Attribute(std::string_view attributes, uint16_t type) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr header;
    std::memcpy(&header, attributes.data(), sizeof(header));
    if (header.nla_len < sizeof(header) || header.nla_len > attributes.size()) break;
    if ((header.nla_type & NLA_TYPE_MASK) == type)
      return attributes.substr(NLA_HDRLEN, header.nla_len - NLA_HDRLEN);
    attributes.remove_prefix(std::min<size_t>(NLA_ALIGN(header.nla_len), attributes.size()));
  }
  return {};
}

std::optional<Ipv4> AddressIn(std::string_view payload) {
  uint32_t bits;
  if (payload.size() != sizeof(bits)) return std::nullopt;
  std::memcpy(&bits, payload.data(), sizeof(bits));
  return Ipv4{ntohl(bits)};
}

std::optional<uint16_t> PortIn(std::string_view payload) {
  uint16_t port;
  if (payload.size() != sizeof(port)) return std::nullopt;
  std::memcpy(&port, payload.data(), sizeof(port));
  return ntohs(port);
}

// A UDP entry: its original tuple as the kernel wrote it, and what we judge it by.
struct Entry {
  std::string original;
  std::string id;
  Frontend at;
  Target endpoint;
};

std::optional<Entry> ReadEntry(std::string_view attributes) {
  const std::string_view original = Attribute(attributes, CTA_TUPLE_ORIG);
  const std::string_view reply = Attribute(attributes, CTA_TUPLE_REPLY);
  const std::string_view protocol = Attribute(original, CTA_TUPLE_PROTO);
  const std::string_view number = Attribute(protocol, CTA_PROTO_NUM);
  if (number.size() != 1 || static_cast<uint8_t>(number[0]) != IPPROTO_UDP) return std::nullopt;
  const auto ip = AddressIn(Attribute(Attribute(original, CTA_TUPLE_IP), CTA_IP_V4_DST));
  const auto port = PortIn(Attribute(protocol, CTA_PROTO_DST_PORT));
  const auto from = AddressIn(Attribute(Attribute(reply, CTA_TUPLE_IP), CTA_IP_V4_SRC));
  const auto from_port = PortIn(Attribute(Attribute(reply, CTA_TUPLE_PROTO), CTA_PROTO_SRC_PORT));
  if (!ip || !port || !from || !from_port) return std::nullopt;
  return Entry{std::string(original),
               std::string(Attribute(attributes, CTA_ID)),
               {*ip, Protocol::kUdp, *port},
               {*from, *from_port}};
}

void AppendAttribute(std::string& out, uint16_t type, std::string_view payload) {
  const nlattr header{static_cast<uint16_t>(NLA_HDRLEN + payload.size()), type};
  out.append(reinterpret_cast<const char*>(&header), sizeof(header));
  out.append(payload);
  out.resize(NLMSG_ALIGN(out.size()));
}

base::Status Send(const base::UniqueFd& socket, uint16_t operation, uint16_t flags,
                  std::string_view attributes) {
  nlmsghdr header{};
  const nfgenmsg family{AF_INET, NFNETLINK_V0, 0};
  header.nlmsg_len = static_cast<uint32_t>(NLMSG_HDRLEN + sizeof(family) + attributes.size());
  header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | operation;
  header.nlmsg_flags = NLM_F_REQUEST | flags;
  std::string message(reinterpret_cast<const char*>(&header), sizeof(header));
  message.append(reinterpret_cast<const char*>(&family), sizeof(family));
  message.append(attributes);
  if (send(socket.get(), message.data(), message.size(), 0) < 0) return Failed("ask the kernel");
  return {};
}

// Calls `visit` with the attributes of every message up to the end of the answer.
base::Status Receive(const base::UniqueFd& socket,
                     const std::function<void(std::string_view)>& visit) {
  std::string buffer(kReceiveBytes, '\0');
  for (size_t messages = 0; messages < kMaxEntries;) {
    const ssize_t got = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read the table");
    std::string_view rest(buffer.data(), static_cast<size_t>(got));
    while (rest.size() >= NLMSG_HDRLEN) {
      nlmsghdr header;
      std::memcpy(&header, rest.data(), sizeof(header));
      if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > rest.size()) break;
      const std::string_view body = rest.substr(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
      if (header.nlmsg_type == NLMSG_DONE) return {};
      if (header.nlmsg_type == NLMSG_ERROR) {
        int32_t error = 0;
        if (body.size() >= sizeof(error)) std::memcpy(&error, body.data(), sizeof(error));
        errno = -error;
        // An entry that ended by itself is gone, which is all that was asked.
        return error == 0 || error == -ENOENT ? base::Status() : Failed("change the table");
      }
      if (body.size() >= sizeof(nfgenmsg)) visit(body.substr(sizeof(nfgenmsg)));
      ++messages;
      rest.remove_prefix(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), rest.size()));
    }
  }
  return base::Status(base::Code::kInternal, "connection tracking: the table has no end");
}

}  // namespace

base::Result<size_t> DeleteStaleUdp(const std::vector<ConntrackFlush>& stale,
                                    const std::vector<Ipv4>& node_ips) {
  if (stale.empty()) return size_t{0};
  std::map<Frontend, const std::vector<Target>*> keep;
  for (const ConntrackFlush& flush : stale) keep[flush.at] = &flush.keep;

  const base::UniqueFd socket = OpenSocket();
  if (!socket.valid()) return Failed("open a netlink socket");
  std::vector<Entry> doomed;
  RETURN_IF_ERROR(Send(socket, IPCTNL_MSG_CT_GET, NLM_F_DUMP, {}));
  RETURN_IF_ERROR(Receive(socket, [&](std::string_view attributes) {
    std::optional<Entry> entry = ReadEntry(attributes);
    if (!entry) return;
    auto it = keep.find(entry->at);
    if (it == keep.end() &&
        std::find(node_ips.begin(), node_ips.end(), entry->at.ip) != node_ips.end())
      it = keep.find({{}, entry->at.protocol, entry->at.port});
    if (it == keep.end()) return;
    if (!std::binary_search(it->second->begin(), it->second->end(), entry->endpoint))
      doomed.push_back(*std::move(entry));
  }));
  for (const Entry& entry : doomed) {
    std::string attributes;
    AppendAttribute(attributes, CTA_TUPLE_ORIG | NLA_F_NESTED, entry.original);
    AppendAttribute(attributes, CTA_ID, entry.id);  // so that a newer entry is not taken for it
    RETURN_IF_ERROR(Send(socket, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, attributes));
    RETURN_IF_ERROR(Receive(socket, [](std::string_view) {}));
  }
  return doomed.size();
}

}  // namespace servicemesh
