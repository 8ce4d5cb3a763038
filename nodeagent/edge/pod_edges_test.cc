// The edges of the pod workers on a real disk and the loopback.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <future>
#include <thread>

#include "base/edge/files.h"
#include "base/edge/real_loop.h"
#include "base/net/edge/pki.h"
#include "base/net/testing/memory_duplex.h"
#include "nodeagent/edge/log_reader.h"
#include "nodeagent/edge/log_rotation.h"
#include "nodeagent/edge/node_facts.h"
#include "nodeagent/edge/probe_client.h"
#include "nodeagent/edge/sub_path.h"
#include "nodeagent/edge/volume_writer.h"
#include "nodeagent/pods/log_follower.h"

namespace nodeagent {
namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = "/tmp/plumb-pod-edges-XXXXXX";
    CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() {
    umount2((path_ + "/pod/volumes/keys").c_str(), UMOUNT_NOFOLLOW | MNT_DETACH);
    UnmountEntries(path_ + "/pod/subpaths/main-0");
    (void)base::RemoveTree(path_);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string Read(const std::string& path) {
  auto text = base::ReadFile(path, 1 << 20);
  return text.ok() ? *text : "cannot be read";
}

void Write(const std::string& path, const std::string& text, bool append = false) {
  std::ofstream(path, append ? std::ios::app : std::ios::trunc) << text;
}

// Volumes.

class VolumeWriterTest : public testing::Test {
 protected:
  std::string Wait(const std::function<void(VolumeWriter::DoneStatus)>& act) {
    std::string said;
    act([&](const base::Status& status) {
      said = status.ToString();
      loop_.Stop();
    });
    loop_.Run();
    return said;
  }
  std::string Put(VolumeWrite volume) {
    return Wait([&](auto done) { writer_->Write(pod_, {volume}, done); });
  }
  VolumeWrite Files(std::vector<FileContent> files, const std::string& version) {
    VolumeWrite volume;
    volume.name = "conf";
    volume.files = std::move(files);
    volume.version = version;
    return volume;
  }

  TemporaryDirectory directory_;
  const std::string pod_ = directory_.path() + "/pod";
  const std::string conf_ = pod_ + "/volumes/conf";
  base::RealLoop loop_;
  std::unique_ptr<VolumeWriter> writer_ = NewVolumeWriter(loop_);
};

TEST_F(VolumeWriterTest, NewContentReplacesTheOldAtOnce) {
  ASSERT_EQ(Put(Files({{"a", "one", 0400}, {"sub/b", "two", 0644}}, "v1")), "OK");
  EXPECT_EQ(Read(conf_ + "/a") + Read(conf_ + "/sub/b"), "onetwo");
  struct stat info;
  ASSERT_EQ(stat((conf_ + "/a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0400u);
  ASSERT_EQ(Put(Files({{"a", "three", 0400}, {"c", "four", 0644}}, "v2")), "OK");
  EXPECT_EQ(Read(conf_ + "/a") + Read(conf_ + "/c"), "threefour");
  const auto names = base::ListDirectory(conf_);
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(*names, (std::vector<std::string>{"..data", "..v2", "a", "c"}));
}

TEST_F(VolumeWriterTest, WrittenVersionIsLeftAlone) {
  ASSERT_EQ(Put(Files({{"a", "one", 0644}}, "v1")), "OK");
  ASSERT_EQ(Put(Files({{"a", "not written", 0644}}, "v1")), "OK");
  EXPECT_EQ(Read(conf_ + "/a"), "one");
}

class SubPathTest : public VolumeWriterTest {
 protected:
  SubPathTest() {
    VolumeWrite work;
    work.name = "work";
    work.kind = VolumeWrite::Kind::kDirectory;
    CHECK(Put(work) == "OK");
  }
  std::string Prepare(const std::string& path) {
    return Wait([&](auto done) { writer_->Prepare(pod_, {}, {{work_, path, place_}}, done); });
  }

  const std::string work_ = pod_ + "/volumes/work";
  const std::string place_ = pod_ + "/subpaths/main-0/0";
};

TEST_F(SubPathTest, OneThatLeadsOutOfTheVolumeIsRefused) {
  EXPECT_EQ(Prepare("x/y/z"), "OK");
  EXPECT_TRUE(base::ListDirectory(work_ + "/x/y/z").ok());
  ASSERT_EQ(symlink("/etc", (work_ + "/out").c_str()), 0);
  ASSERT_EQ(symlink("../..", (work_ + "/up").c_str()), 0);
  for (const std::string path : {"out/passwd", "out", "up", "up/made"}) {
    EXPECT_EQ(Prepare(path),
              "Forbidden: subPath \"" + path + "\" leads out of its volume by a link");
  }
}

TEST_F(SubPathTest, ALinkInsideTheVolumeIsFollowed) {
  ASSERT_EQ(Prepare("real/deep"), "OK");
  Write(work_ + "/real/deep/data", "here");
  ASSERT_EQ(symlink("real", (work_ + "/link").c_str()), 0);
  ASSERT_EQ(Prepare("link/deep"), "OK");
  EXPECT_EQ(Read(place_ + "/data"), "here");
}

// CVE-2021-25741: a neighbour swaps the directory with a link once it was looked at.
TEST_F(SubPathTest, WhatIsSwappedLaterIsNotSeen) {
  ASSERT_EQ(Prepare("d"), "OK");
  Write(work_ + "/d/data", "the volume's");
  ASSERT_EQ(rename((work_ + "/d").c_str(), (work_ + "/moved").c_str()), 0);
  ASSERT_EQ(symlink("/", (work_ + "/d").c_str()), 0);
  EXPECT_EQ(Read(place_ + "/data"), "the volume's");
  EXPECT_EQ(Read(place_ + "/etc/passwd"), "cannot be read");
}

TEST_F(SubPathTest, AFileIsShownAsAFile) {
  Write(work_ + "/one.conf", "one");
  ASSERT_EQ(Prepare("one.conf"), "OK");
  EXPECT_EQ(Read(place_), "one");
  ASSERT_EQ(Wait([&](auto done) { writer_->Remove({pod_ + "/subpaths/main-0"}, done); }), "OK");
  EXPECT_EQ(Read(work_ + "/one.conf"), "one");
}

TEST_F(VolumeWriterTest, SecretsAreInMemoryAndRemovedWithTheirMount) {
  VolumeWrite secret = Files({{"token", "t", 0400}}, "v1");
  secret.name = "keys";
  secret.in_memory = true;
  ASSERT_EQ(Put(secret), "OK");
  EXPECT_EQ(Read(pod_ + "/volumes/keys/token"), "t");
  ASSERT_EQ(Wait([&](auto done) { writer_->Remove({pod_}, done); }), "OK");
  EXPECT_FALSE(base::ListDirectory(pod_).ok());
}

TEST_F(VolumeWriterTest, LastWordsAreOfTheFileElseOfTheLog) {
  const std::string file = directory_.path() + "/message", log = directory_.path() + "/log";
  Write(log, "2026-01-01T00:00:00Z stderr F boom\n");
  const auto message = [&] {
    std::string said;
    writer_->ReadMessage(file, log, [&](const base::Result<std::string>& text) {
      said = text.ok() ? *text : text.status().ToString();
      loop_.Stop();
    });
    loop_.Run();
    return said;
  };
  Write(file, "");
  EXPECT_EQ(message(), "boom\n");
  Write(file, "spoken");
  EXPECT_EQ(message(), "spoken");
}

TEST_F(VolumeWriterTest, HostPathMustBeWhatItSays) {
  VolumeWrite host;
  host.name = "host";
  host.kind = VolumeWrite::Kind::kHost;
  host.host_path = directory_.path() + "/none";
  host.host_type = "Directory";
  EXPECT_EQ(Put(host), "NotFound: volume \"host\": hostPath " + host.host_path +
                           " does not exist; it shall be a Directory");
  host.host_type = "DirectoryOrCreate";
  EXPECT_EQ(Put(host), "OK");
  EXPECT_TRUE(base::ListDirectory(host.host_path).ok());
}

// Logs.

constexpr char kLog[] =
    "2026-01-01T00:00:01.5Z stdout F one\n"
    "2026-01-01T00:00:02.5Z stdout P tw\n"
    "2026-01-01T00:00:02.6Z stdout F o\n"
    "2026-01-01T00:00:03.5Z stderr F three\n";

class LogTest : public testing::Test {
 protected:
  std::string All(const state::LogRequest& request) {
    LogReader reader(path_, request);
    std::string text;
    while (true) {
      const auto more = reader.Next();
      if (!more.ok()) return more.status().ToString();
      if (more->empty()) return text;
      text += *more;
    }
  }
  TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/0.log";
};

TEST_F(LogTest, OptionsSelectWhatIsGivenOut) {
  Write(path_, kLog);
  EXPECT_EQ(All({}), "one\ntwo\nthree\n");
  EXPECT_EQ(All({.tail_lines = 1}), "three\n");
  EXPECT_EQ(All({.tail_lines = 0}), "");
  EXPECT_EQ(All({.timestamps = true, .limit_bytes = 30}), "2026-01-01T00:00:01.5Z one\n202");
  EXPECT_EQ(All({.since = *base::WallTime::Parse("2026-01-01T00:00:03Z")}), "three\n");
}

// The runtime cuts long lines into pieces of 16 KiB.
TEST_F(LogTest, LinesAreCountedNotTheirPieces) {
  Write(path_, kLog);
  EXPECT_EQ(All({.tail_lines = 2}), "two\nthree\n");
  EXPECT_EQ(All({.tail_lines = 3}), "one\ntwo\nthree\n");
  EXPECT_EQ(All({.tail_lines = 4}), "one\ntwo\nthree\n");
  Write(path_, "2026-01-01T00:00:04.5Z stdout P un\n2026-01-01T00:00:04.6Z stdout P fin", true);
  EXPECT_EQ(All({.tail_lines = 1}), "un");
  EXPECT_EQ(All({.tail_lines = 2}), "three\nun");
  Write(path_, "not of the runtime's\nnor this\n");
  EXPECT_EQ(All({.tail_lines = 1}), "nor this\n");
}

TEST_F(LogTest, LinesThatAreLongerThanAReadAreCounted) {
  const std::string piece(16 << 10, 'x');
  std::string log;
  for (const char* stream : {"stdout", "stderr", "stdout"}) {
    for (int i = 0; i < 20; ++i) {
      log += std::string("2026-01-01T00:00:01.5Z ") + stream + " P " + piece + "\n";
    }
    log += std::string("2026-01-01T00:00:01.6Z ") + stream + " F end\n";
  }
  Write(path_, log);
  const size_t line = 20 * piece.size() + 4;
  for (const size_t lines : {1, 2, 3}) {
    const std::string text = All({.tail_lines = static_cast<int64_t>(lines)});
    EXPECT_EQ(text.size(), lines * line);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), static_cast<int64_t>(lines));
  }
  EXPECT_EQ(ReadLogEnd(path_, 1, 10)->size(), 10u);
}

TEST_F(LogTest, ALineIsAsOldAsItsFirstPiece) {
  Write(path_, kLog);
  const auto since = [](const char* time) { return *base::WallTime::Parse(time); };
  EXPECT_EQ(All({.since = since("2026-01-01T00:00:02.55Z")}), "three\n");
  EXPECT_EQ(All({.since = since("2026-01-01T00:00:02.5Z")}), "two\nthree\n");
  EXPECT_EQ(All({.timestamps = true, .since = since("2026-01-01T00:00:02.5Z")}),
            "2026-01-01T00:00:02.5Z two\n2026-01-01T00:00:03.5Z three\n");
}

// The other stream's lines may come between.
TEST_F(LogTest, APieceIsContinuedInItsOwnStream) {
  Write(path_,
        "2026-01-01T00:00:01Z stdout P old\n2026-01-01T00:00:03Z stderr F err\n"
        "2026-01-01T00:00:04Z stdout F est\n2026-01-01T00:00:05Z stdout F new\n");
  EXPECT_EQ(All({.since = *base::WallTime::Parse("2026-01-01T00:00:02Z")}), "err\nnew\n");
}

TEST_F(LogTest, ReaderGoesOnInTheNewFileAfterARotation) {
  Write(path_, "2026-01-01T00:00:01Z stdout F one\n");
  LogReader reader(path_, {.follow = true});
  EXPECT_EQ(*reader.Next(), "one\n");
  Write(path_, "2026-01-01T00:00:02Z stdout F two\n", true);
  EXPECT_EQ(RotateLogs({{"c1", path_}}, 10), std::vector<std::string>{"c1"});
  Write(path_ + ".1", "2026-01-01T00:00:03Z stdout F three\n", true);
  EXPECT_EQ(*reader.Next(), "two\nthree\n");
  Write(path_, "2026-01-01T00:00:04Z stdout F four\n");
  EXPECT_EQ(*reader.Next(), "four\n");
}

TEST_F(LogTest, RotationKeepsFiveFiles) {
  for (int i = 0; i < 8; ++i) {
    Write(path_, "content " + std::to_string(i));
    RotateLogs({{"c1", path_}}, 3);
  }
  EXPECT_EQ(*base::ListDirectory(directory_.path()),
            (std::vector<std::string>{"0.log.1", "0.log.2", "0.log.3", "0.log.4"}));
  EXPECT_EQ(Read(path_ + ".1") + Read(path_ + ".4"), "content 7content 4");
  EXPECT_EQ(RotateLogs({{"c1", path_}}, 3), std::vector<std::string>{"c1"})
      << "the runtime has not opened it anew";
}

TEST_F(LogTest, TheNewestAttemptsLogIsOpenedOrTheOneBefore) {
  LogFiles files;
  EXPECT_EQ(files.Open(directory_.path(), {}).status().ToString(),
            "NotFound: the container has no log yet");
  Write(directory_.path() + "/9.log", "2026-01-01T00:00:01Z stdout F nine\n");
  EXPECT_EQ(files.Open(directory_.path(), {.previous = true}).status().ToString(),
            "NotFound: the container has no previous log");
  Write(directory_.path() + "/10.log", "2026-01-01T00:00:01Z stdout F ten\n");
  EXPECT_EQ(*(*files.Open(directory_.path(), {}))->Next(), "ten\n");
  EXPECT_EQ(*(*files.Open(directory_.path(), {.previous = true}))->Next(), "nine\n");
}

TEST_F(LogTest, FollowerEndsWithItsContainer) {
  Write(path_, kLog);
  base::RealLoop loop;
  LogFiles files;
  bool running = true;
  std::string heard;
  auto [stream, reader] = base::MemoryDuplexPair(loop);
  reader->Listen({.bytes =
                      [&](std::string_view bytes) {
                        heard += bytes;
                        if (!heard.ends_with("three\n") || !running) return;
                        Write(path_, "2026-01-01T00:00:09Z stdout F last\n", true);
                        running = false;
                      },
                  .finished =
                      [&](const base::Status& status) {
                        heard += status.ToString();
                        loop.Stop();
                      }});
  LogFollower follower(
      loop, files, directory_.path(), {.follow = true},
      [&](const std::string& path) { return running && path == path_; }, std::move(stream), [] {});
  loop.Run();
  EXPECT_EQ(heard, "one\ntwo\nthree\nlast\nOK");
}

// Probes.

// Answers one connection with `answer`, or never if that is empty.
class Server {
 public:
  explicit Server(std::string answer) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    CHECK(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    CHECK(listen(socket_.get(), 5) == 0);
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    if (answer.empty()) return;
    thread_ = std::thread([this, answer] {
      const base::UniqueFd peer(accept(socket_.get(), nullptr, nullptr));
      char block[1024];
      const ssize_t got = read(peer.get(), block, sizeof block);
      request_.assign(block, got > 0 ? static_cast<size_t>(got) : 0);
      [[maybe_unused]] const ssize_t sent = write(peer.get(), answer.data(), answer.size());
    });
  }
  ~Server() {
    if (thread_.joinable()) thread_.join();
  }
  uint16_t port() const { return port_; }
  void Join() { thread_.join(); }
  const std::string& request() const { return request_; }

 private:
  base::UniqueFd socket_;
  uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

std::string Ask(Check check, base::Duration timeout = base::Duration::Seconds(20)) {
  base::RealLoop loop;
  const auto client = NewProbeClient(loop);
  std::string said;
  check.host = "127.0.0.1";
  client->Ask(check, timeout, [&](const CheckAnswer& answer) {
    said = answer.status.ToString() + (answer.warning.empty() ? "" : ", " + answer.warning);
    loop.Stop();
  });
  loop.Run();
  return said;
}

Check Http(uint16_t port) {
  Check check;
  check.kind = Check::Kind::kHttp;
  check.port = port;
  check.path = "/ready";
  check.headers = {{"X-Asked", "yes"}, {"Host", "web.example"}};
  return check;
}

TEST(ProbeClientTest, HttpAnswerDecides) {
  Server good("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(Ask(Http(good.port())), "OK");
  good.Join();
  EXPECT_EQ(
      good.request(),
      "GET /ready HTTP/1.1\r\nHost: web.example\r\nUser-Agent: kube-probe/1.35\r\nAccept: */*\r\n"
      "Connection: close\r\nX-Asked: yes\r\n\r\n");
  Server bad("HTTP/1.1 503 Busy\r\n\r\n");
  EXPECT_EQ(Ask(Http(bad.port())), "InternalError: HTTP status 503");
  Server odd("hello\n");
  EXPECT_EQ(Ask(Http(odd.port())), "InternalError: the answer is not HTTP");
}

TEST(ProbeClientTest, TheLastAnswerOfRedirectsDecides) {
  const auto sent_to = [](uint16_t port, const std::string& host = "127.0.0.1") {
    return "HTTP/1.1 302 Found\r\nLocation: http://" + host + ":" + std::to_string(port) +
           "/x\r\n\r\n";
  };
  Server good("HTTP/1.1 200 OK\r\n\r\n");
  Server to_good(sent_to(good.port()));
  EXPECT_EQ(Ask(Http(to_good.port())), "OK");
  good.Join();
  EXPECT_EQ(good.request().substr(0, good.request().find('\r')), "GET /x HTTP/1.1");
  EXPECT_NE(good.request().find("\r\nX-Asked: yes\r\n"), std::string::npos);
  Server bad("HTTP/1.1 500 Broken\r\n\r\n");
  Server to_bad(sent_to(bad.port()));
  EXPECT_EQ(Ask(Http(to_bad.port())), "InternalError: HTTP status 500");
  Server elsewhere(sent_to(80, "192.0.2.1"));
  EXPECT_EQ(Ask(Http(elsewhere.port())),
            "OK, it is sent on to another host, which is not asked: "
            "http://192.0.2.1:80/x");
}

TEST(ProbeClientTest, TcpNeedsOnlyAConnection) {
  uint16_t port = 0;
  Check check;
  check.kind = Check::Kind::kTcp;
  {
    Server silent("");
    check.port = port = silent.port();
    EXPECT_EQ(Ask(check), "OK");
  }
  EXPECT_EQ(Ask(check), "ServiceUnavailable: cannot connect to 127.0.0.1:" + std::to_string(port) +
                            ": Connection refused");
}

TEST(ProbeClientTest, SilenceEndsAtTheTimeout) {
  Server silent("");
  EXPECT_EQ(Ask(Http(silent.port()), base::Duration::Millis(50)),
            "Timeout: no answer from 127.0.0.1:" + std::to_string(silent.port()) + " within 50ms");
}

// Speaks TLS on one connection: reads the request, says that it has, and when it is told to,
// answers byte by byte, each in a record of its own.
class TlsServer {
 public:
  TlsServer() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    CHECK(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    CHECK(listen(socket_.get(), 5) == 0);
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~TlsServer() { thread_.join(); }
  uint16_t port() const { return port_; }
  void AwaitRequest() { requested_.get_future().wait(); }
  void Answer() { answer_.set_value(); }

 private:
  void Serve() {
    const auto then = base::WallTime::Parse("2020-01-01T00:00:00Z");
    const auto keys = base::CreateCa("probed", {*then, base::Duration::Hours(24)});
    CHECK(keys.ok());
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    BIO* certificate = BIO_new_mem_buf(keys->cert_pem.data(), -1);
    BIO* key = BIO_new_mem_buf(keys->key_pem.data(), -1);
    X509* x509 = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
    EVP_PKEY* pkey = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, x509);
    SSL_CTX_use_PrivateKey(context, pkey);
    SSL* ssl = SSL_new(context);
    const base::UniqueFd peer(accept(socket_.get(), nullptr, nullptr));
    const int one = 1;
    setsockopt(peer.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    SSL_set_fd(ssl, peer.get());
    char block[1024];
    EXPECT_EQ(SSL_accept(ssl), 1);
    EXPECT_GT(SSL_read(ssl, block, sizeof block), 0);
    requested_.set_value();
    answer_.get_future().wait();
    for (const char byte : std::string_view("HTTP/1.1 200 It is all right with me\r\n")) {
      if (SSL_write(ssl, &byte, 1) != 1) break;  // the probe may have seen enough
    }
    SSL_free(ssl);
    EVP_PKEY_free(pkey);
    X509_free(x509);
    BIO_free(key);
    BIO_free(certificate);
    SSL_CTX_free(context);
  }

  base::UniqueFd socket_;
  uint16_t port_ = 0;
  std::promise<void> requested_, answer_;
  std::thread thread_;
};

TEST(ProbeClientTest, OneFailureOfTlsIsNotAnothersToo) {
  TlsServer good;
  Server bad("this is no TLS\n");
  base::RealLoop loop;
  const auto client = NewProbeClient(loop);
  std::string said;
  Check check = Http(good.port());
  check.host = "127.0.0.1";
  check.tls = true;
  client->Ask(check, base::Duration::Seconds(20), [&](const base::Status& status) {
    said += status.ToString();
    loop.Stop();
  });
  good.AwaitRequest();
  check.port = bad.port();
  client->Ask(check, base::Duration::Seconds(20), [&](const base::Status& status) {
    said += status.ToString() + "; ";
    good.Answer();
  });
  loop.Run();
  EXPECT_EQ(said, "ServiceUnavailable: the TLS handshake failed; OK");
}

// The machine.

TEST(NodeFactsTest, MachineHasProcessorsMemoryAndADisk) {
  const Machine machine = ReadMachine("/tmp");
  EXPECT_GE(machine.cpu_millis, 1);
  EXPECT_GT(machine.memory_bytes, int64_t{64} << 20);
  EXPECT_GT(machine.free_memory_bytes, 0);
  EXPECT_GT(machine.disk_bytes, 0);
  EXPECT_FALSE(machine.kernel.empty());
  EXPECT_FALSE(machine.architecture.empty());
}

TEST(NodeFactsTest, ResolvConfIsReadAndLoopbackLeftOut) {
  TemporaryDirectory directory;
  Write(directory.path() + "/resolv.conf",
        "# comment\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch a.example b.example\n"
        "options edns0 ndots:2\n");
  NodeFacts facts;
  ReadResolvConf(directory.path() + "/resolv.conf", facts);
  EXPECT_EQ(facts.dns_servers, std::vector<std::string>{"192.0.2.1"});
  EXPECT_EQ(facts.dns_searches, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_EQ(facts.dns_options, (std::vector<std::string>{"edns0", "ndots:2"}));
}

}  // namespace
}  // namespace nodeagent
