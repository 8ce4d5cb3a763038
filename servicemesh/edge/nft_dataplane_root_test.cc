// The contract of Dataplane with real packets: six network namespaces on this machine, each host of
// the contract in one, and a fabric that joins the machines. Everything has an address only inside
// them; they go with the test.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "base/edge/real_loop.h"
#include "servicemesh/edge/dns_server.h"
#include "servicemesh/edge/netns.h"
#include "servicemesh/edge/nft_dataplane.h"
#include "servicemesh/edge/route_programmer.h"
#include "servicemesh/testing/dataplane_contract.h"
#include "servicemesh/testing/mesh_text.h"

namespace servicemesh {
namespace {

constexpr int kAnswerMillis = 10'000;  // an answer that must come
constexpr int kSilenceMillis = 500;    // how long silence is listened to

sockaddr_in AddressFor(const std::string& ip, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
  return address;
}

const sockaddr* Raw(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

std::string IpOf(const sockaddr_in& address) {
  return Ipv4{ntohl(address.sin_addr.s_addr)}.ToString();
}

// The namespaces and their links.
class Network {
 public:
  Network() : prefix_("plumb-mesh-" + std::to_string(getpid()) + "-") {}
  ~Network() {
    std::string batch;
    for (const std::string& name : made_) batch += "netns delete " + name + "\n";
    EXPECT_EQ(Batch({}, batch), "OK");
  }

  std::string Path(const std::string& name) const { return "/run/netns/" + prefix_ + name; }
  std::string PathOf(Host host) const { return Path(NameOf(host)); }

  // "OK", or what went wrong.
  std::string Make() {
    std::string result;
    for (const char* name : {"fabric", "node", "a", "b", "c", "client"}) {
      result = Batch({}, "netns add " + prefix_ + name + "\n");
      if (result != "OK") return result;
      made_.push_back(prefix_ + name);
    }
    const std::vector<std::pair<std::string, std::string>> steps = {
        {"fabric", "link add br0 type bridge\nlink set br0 up\n" + Cable("node") + Cable("c") +
                       Cable("client")},
        {"node",
         "link set lo up\naddress add 10.89.0.1/24 dev eth0\nlink set eth0 up\n"
         "link add cni0 type bridge\nlink set cni0 up\naddress add 10.88.1.1/24 dev cni0\n" +
             Cable("a", "cni0") + Cable("b", "cni0") +
             "link set to-a type bridge_slave hairpin on\n"
             "link set to-b type bridge_slave hairpin on\n"},
        {"a", Pod("10.88.1.2")},
        {"b", Pod("10.88.1.3")},
        {"c",
         "link set lo up\naddress add 10.88.2.2/32 dev lo\naddress add 10.89.0.2/24 dev eth0\n"
         "link set eth0 up\nroute add 10.88.1.0/24 via 10.89.0.1\n"},
        {"client", "link set lo up\naddress add 10.89.0.9/24 dev eth0\nlink set eth0 up\n"},
    };
    for (const auto& [name, batch] : steps) {
      result = Batch(name, batch);
      if (result != "OK") return name + ": " + result;
    }
    return "OK";
  }

  base::UniqueFd Open(Host host, int type) const {
    const auto scope = ScopedNetns::Enter(PathOf(host));
    EXPECT_TRUE(scope.ok()) << scope.status().ToString();
    return base::UniqueFd(socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }

 private:
  std::string Cable(const std::string& to, const std::string& bridge = "br0") const {
    return "link add to-" + to + " type veth peer name eth0 netns " + prefix_ + to +
           "\nlink set to-" + to + " master " + bridge + " up\n";
  }
  static std::string Pod(const std::string& ip) {
    return "link set lo up\naddress add " + ip +
           "/24 dev eth0\nlink set eth0 up\nroute add default via 10.88.1.1\n";
  }
  std::string Batch(const std::string& name, const std::string& lines) const {
    std::vector<std::string> argv = {"ip"};
    if (!name.empty()) argv.insert(argv.end(), {"-n", prefix_ + name});
    argv.insert(argv.end(), {"-batch", "-"});
    return base::RunChecked(argv, lines).status().ToString();
  }

  std::string prefix_;
  std::vector<std::string> made_;
};

// The servers of all hosts, on one thread: a socket stays in the namespace it was opened in. Each
// byte or datagram received is answered with "NAME SOURCE-IP".
class Servers {
 public:
  explicit Servers(const Network& network) : stop_(eventfd(0, EFD_CLOEXEC)) {
    for (const Host host : {Host::kA, Host::kB, Host::kC, Host::kClient}) {
      Listen(network, host, SOCK_STREAM);
      Listen(network, host, SOCK_DGRAM);
    }
    thread_ = std::thread([this] { Serve(); });
  }
  ~Servers() {
    const uint64_t one = 1;
    EXPECT_EQ(write(stop_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
    thread_.join();
  }

 private:
  struct Peer {
    base::UniqueFd fd;
    enum class Kind { kListener, kDatagrams, kConnection } kind;
    std::string name;
    std::string from;
  };

  void Listen(const Network& network, Host host, int type) {
    base::UniqueFd fd = network.Open(host, type);
    const int one = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    const sockaddr_in address = AddressFor(AddressOf(host), kServerPort);
    EXPECT_EQ(bind(fd.get(), Raw(address), sizeof(address)), 0) << std::strerror(errno);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(listen(fd.get(), 64), 0);
    }
    const auto kind = type == SOCK_STREAM ? Peer::Kind::kListener : Peer::Kind::kDatagrams;
    peers_.push_back({std::move(fd), kind, NameOf(host), ""});
  }

  void Serve() {
    for (;;) {
      std::vector<pollfd> polls = {{stop_.get(), POLLIN, 0}};
      for (const Peer& peer : peers_) polls.push_back({peer.fd.get(), POLLIN, 0});
      if (poll(polls.data(), polls.size(), -1) < 0) continue;
      if (polls[0].revents != 0) return;
      for (size_t i = polls.size() - 1; i > 0; --i) {
        if (polls[i].revents != 0 && !Answer(i - 1))
          peers_.erase(peers_.begin() + static_cast<ptrdiff_t>(i - 1));
      }
    }
  }

  // False if the peer is done with.
  bool Answer(size_t index) {
    Peer& peer = peers_[index];
    sockaddr_in from{};
    socklen_t length = sizeof(from);
    char question[16];
    if (peer.kind == Peer::Kind::kListener) {
      base::UniqueFd fd(accept4(peer.fd.get(), reinterpret_cast<sockaddr*>(&from), &length,
                                SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (fd.valid())
        peers_.push_back({std::move(fd), Peer::Kind::kConnection, peer.name, IpOf(from)});
      return true;
    }
    const ssize_t got = recvfrom(peer.fd.get(), question, sizeof(question), 0,
                                 reinterpret_cast<sockaddr*>(&from), &length);
    if (peer.kind == Peer::Kind::kConnection) {
      const std::string answer = peer.name + " " + peer.from;
      return got > 0 && send(peer.fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL) > 0;
    }
    if (got > 0) {
      const std::string answer = peer.name + " " + IpOf(from);
      sendto(peer.fd.get(), answer.data(), answer.size(), 0, Raw(from), sizeof(from));
    }
    return true;
  }

  base::UniqueFd stop_;
  std::vector<Peer> peers_;
  std::thread thread_;
};

class NftWorld final : public MeshWorld {
 public:
  static std::unique_ptr<MeshWorld> MakeMeshWorld() { return Make(); }
  static std::unique_ptr<NftWorld> Make() {
    auto world = std::make_unique<NftWorld>();
    const std::string made = world->network_.Make();
    if (made != "OK") {
      ADD_FAILURE() << "the network cannot be made (is this root?): " << made;
      return nullptr;
    }
    world->servers_ = std::make_unique<Servers>(world->network_);
    world->ProgramRoutes();
    return world;
  }

  base::Loop& loop() override { return loop_; }
  Dataplane& dataplane() override { return dataplane_; }
  void Run() override { loop_.Run(); }
  void Finish() override { loop_.Stop(); }

  std::string AskTcp(Host from, const std::string& ip, uint16_t port) override {
    base::UniqueFd fd = network_.Open(from, SOCK_STREAM);
    const std::string connected = Connect(fd.get(), ip, port, kAnswerMillis);
    return connected == "OK" ? Ask(fd.get(), from) : connected;
  }
  bool IsSilent(Host from, const std::string& ip, uint16_t port) override {
    base::UniqueFd fd = network_.Open(from, SOCK_STREAM);
    return Connect(fd.get(), ip, port, kSilenceMillis) == "silence";
  }
  int OpenTcp(Host from, const std::string& ip, uint16_t port) override {
    base::UniqueFd fd = network_.Open(from, SOCK_STREAM);
    EXPECT_EQ(Connect(fd.get(), ip, port, kAnswerMillis), "OK");
    open_.emplace_back(from, std::move(fd));
    return static_cast<int>(open_.size()) - 1;
  }
  std::string AskOpen(int connection) override {
    return Ask(open_[connection].second.get(), open_[connection].first);
  }
  std::string AskUdp(Host from, uint16_t from_port, const std::string& ip, uint16_t port) override {
    base::UniqueFd fd = network_.Open(from, SOCK_DGRAM);
    const sockaddr_in local = AddressFor("0.0.0.0", from_port);
    EXPECT_EQ(bind(fd.get(), Raw(local), sizeof(local)), 0) << std::strerror(errno);
    const std::string connected = Connect(fd.get(), ip, port, kAnswerMillis);
    return connected == "OK" ? Ask(fd.get(), from) : connected;
  }

  std::string node_namespace() const { return network_.PathOf(Host::kNode); }
  RouteProgrammer& routes() { return routes_; }
  RoutePlan Plan() const {
    return PlanRoutes("n1",
                      {{"n1", *Ipv4::Parse("10.89.0.1"), *base::Cidr::Parse("10.88.1.0/24")},
                       {"n2", *Ipv4::Parse("10.89.0.2"), *base::Cidr::Parse("10.88.2.0/24")}},
                      {.services = *base::Cidr::Parse("10.96.0.0/16")}, {});
  }
  // One datagram there, one back.
  std::string Exchange(Host from, const std::string& ip, uint16_t port,
                       const std::string& message) const {
    base::UniqueFd fd = network_.Open(from, SOCK_DGRAM);
    EXPECT_EQ(Connect(fd.get(), ip, port, kAnswerMillis), "OK");
    EXPECT_GT(send(fd.get(), message.data(), message.size(), 0), 0);
    char answer[kMaxDnsMessage];
    if (!Await(fd.get(), POLLIN, kAnswerMillis)) return "";
    const ssize_t got = recv(fd.get(), answer, sizeof(answer), 0);
    return got > 0 ? std::string(answer, static_cast<size_t>(got)) : "";
  }

 private:
  // What the node needs to be a node: routes to peers and services, forwarding.
  void ProgramRoutes() {
    const RoutePlan plan = Plan();
    loop_.Post([this, plan] {
      routes_.EnableForwarding([this, plan](base::Result<bool> filtered) {
        EXPECT_TRUE(filtered.ok()) << filtered.status().ToString();
        routes_.Set(plan, [this](base::Status status) {
          EXPECT_EQ(status.ToString(), "OK");
          Finish();
        });
      });
    });
    Run();
  }

  static bool Await(int fd, short events, int millis) {
    pollfd wait{fd, events, 0};
    return poll(&wait, 1, millis) == 1;
  }
  static std::string Refusal(int error) {
    // EPERM is what a refused datagram tells the node's own sender.
    return error == ECONNREFUSED || error == EPERM ? "refused" : std::strerror(error);
  }
  static std::string Connect(int fd, const std::string& ip, uint16_t port, int millis) {
    const sockaddr_in address = AddressFor(ip, port);
    if (connect(fd, Raw(address), sizeof(address)) == 0) return "OK";
    if (errno != EINPROGRESS) return Refusal(errno);
    if (!Await(fd, POLLOUT, millis)) return "silence";
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error == 0 ? "OK" : Refusal(error);
  }
  static std::string Ask(int fd, Host from) {
    if (send(fd, "?", 1, MSG_NOSIGNAL) != 1) return Refusal(errno);
    char answer[64];
    if (!Await(fd, POLLIN, kAnswerMillis)) return "silence";
    const ssize_t got = recv(fd, answer, sizeof(answer), 0);
    if (got < 0) return Refusal(errno);
    const std::string text(answer, static_cast<size_t>(got));
    const size_t space = text.find(' ');
    if (space == std::string::npos) return "closed";
    const bool direct = text.substr(space + 1) == AddressOf(from) ||
                        (from == Host::kNode && text.substr(space + 1) == "10.88.1.1");
    return text.substr(0, space) + (direct ? " direct" : " masqueraded");
  }

  Network network_;
  std::unique_ptr<Servers> servers_;
  base::RealLoop loop_;
  NftDataplane dataplane_{loop_, network_.PathOf(Host::kNode)};
  RouteProgrammer routes_{loop_, network_.PathOf(Host::kNode)};
  std::vector<std::pair<Host, base::UniqueFd>> open_;
};

class NftWorldTest : public testing::Test {
 protected:
  void SetUp() override {
    world_ = NftWorld::Make();
    ASSERT_NE(world_, nullptr);
  }
  // Runs `call` on the loop until it calls back with a status.
  base::Status Await(const std::function<void(std::function<void(base::Status)>)>& call) {
    base::Status result;
    world_->loop().Post([&] {
      call([&](base::Status status) {
        result = std::move(status);
        world_->Finish();
      });
    });
    world_->Run();
    return result;
  }
  base::Status Program(const MeshInput& input) {
    return Await([&](auto done) {
      world_->dataplane().Replace(std::make_shared<RuleSet>(CompileRules(input)), done);
    });
  }
  base::Status SetRoutes(RouteProgrammer& routes, RoutePlan plan) {
    return Await([&](auto done) { routes.Set(std::move(plan), done); });
  }
  // What the command prints in the node's namespace.
  std::string Run(std::vector<std::string> argv) {
    base::ProcessOptions options;
    options.argv = std::move(argv);
    options.network_namespace = world_->node_namespace();
    const auto run = base::RunProcess(options, {}, base::Duration::Minutes(1));
    return run.ok() ? run->output + run->error : run.status().ToString();
  }

  std::unique_ptr<NftWorld> world_;
};

// As on a kernel without br_netfilter.
TEST_F(NftWorldTest, PodsOfOneBridgeReachEachOtherWhereBridgesAreNotFiltered) {
  ASSERT_EQ(Run({"sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0"}), "");
  MeshInput input = MeshFromText(
      "service d/own 10.96.0.2\n tcp/80 10.88.1.2:8080@n1\n"
      "service d/web 10.96.0.1\n tcp/80 10.88.1.3:8080@n1\n");
  input.bridge_filtered = false;
  ASSERT_EQ(Program(input).ToString(), "OK");
  EXPECT_EQ(world_->AskTcp(Host::kA, "10.96.0.1", 80), "b masqueraded");
  EXPECT_EQ(world_->AskTcp(Host::kA, "10.96.0.2", 80), "a masqueraded");
}

TEST_F(NftWorldTest, PodAsksTheDnsOfItsNodeAtAServiceAddress) {
  const Ipv4 address = *Ipv4::Parse("10.96.0.10");
  const auto input = std::make_shared<MeshInput>(
      MeshFromText("service d/web 10.96.0.1\n tcp/80 10.88.1.3:8080\n"
                   "service kube-system/kube-dns 10.96.0.10\n udp/53\n"));
  ASSERT_EQ(Program(*input).ToString(), "OK");
  RoutePlan plan = world_->Plan();
  plan.local_addresses = {address};
  ASSERT_EQ(SetRoutes(world_->routes(), plan).ToString(), "OK");
  DnsServerOptions options;
  options.network_namespace = world_->node_namespace();
  options.listen = {address};
  base::Result<std::unique_ptr<DnsServer>> server = DnsServer::Start(options);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  (*server)->Publish(std::make_shared<DnsView>(input));
  for (const Host host : {Host::kA, Host::kNode}) {
    const std::string query = BuildQuery(9, {"web.d.svc.cluster.local", DnsType::kA, 1});
    const base::Result<DnsReply> reply =
        ParseReply(world_->Exchange(host, "10.96.0.10", 53, query));
    ASSERT_TRUE(reply.ok()) << reply.status().ToString();
    ASSERT_EQ(reply->answer.answers.size(), 1u);
    EXPECT_EQ(reply->answer.answers[0].ToString(), "web.d.svc.cluster.local A 10.96.0.1");
  }
}

TEST_F(NftWorldTest, RoutesOfAnEarlierLifeGoAndOthersStay) {
  EXPECT_EQ(Run({"ip", "route", "add", "10.88.7.0/24", "via", "10.89.0.7", "proto", "112"}), "");
  EXPECT_EQ(Run({"ip", "route", "add", "192.0.2.0/24", "via", "10.89.0.7"}), "");
  RouteProgrammer routes(world_->loop(), world_->node_namespace());
  ASSERT_EQ(SetRoutes(routes, world_->Plan()).ToString(), "OK");
  EXPECT_EQ(Run({"ip", "-4", "route"}),
            "10.88.1.0/24 dev cni0 proto kernel scope link src 10.88.1.1 \n"
            "10.88.2.0/24 via 10.89.0.2 dev eth0 proto 112 \n"
            "10.89.0.0/24 dev eth0 proto kernel scope link src 10.89.0.1 \n"
            "10.96.0.0/16 dev lo proto 112 scope link src 10.89.0.1 \n"
            "192.0.2.0/24 via 10.89.0.7 dev eth0 \n");
}

TEST_F(NftWorldTest, RouteThatCannotBeSetIsSaidAndTriedAgain) {
  RoutePlan unreachable = world_->Plan();
  unreachable.routes[0].via = *Ipv4::Parse("203.0.113.1");
  EXPECT_EQ(SetRoutes(world_->routes(), unreachable).message(),
            "ip cannot set the routes of this node: Error: Nexthop has invalid gateway.; are all "
            "nodes on one link?");
  EXPECT_EQ(SetRoutes(world_->routes(), world_->Plan()).ToString(), "OK");
}

TEST_F(NftWorldTest, RemovedTableLeavesNothing) {
  ASSERT_EQ(Program(MeshFromText("service d/web 10.96.0.1\n tcp/80 10.88.1.3:8080\n")).ToString(),
            "OK");
  EXPECT_EQ(Run({"nft", "list", "tables"}), "table ip plumb\n");
  EXPECT_EQ(NftDataplane::RemoveTable(world_->node_namespace()).ToString(), "OK");
  EXPECT_EQ(NftDataplane::RemoveTable(world_->node_namespace()).ToString(), "OK");
  EXPECT_EQ(Run({"nft", "list", "tables"}), "");
}

INSTANTIATE_TEST_SUITE_P(Dataplanes, DataplaneContract,
                         testing::Values(WorldUnderTest{"Nft", &NftWorld::MakeMeshWorld}),
                         WorldName);

}  // namespace
}  // namespace servicemesh
