// SPDX-License-Identifier: Apache-2.0
#include "engine/net/tls_stream.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <vector>

#include "base/unique_fd.h"

namespace mikura::engine {
namespace {

// A certificate that signs itself, made for this test.
class Files {
 public:
  Files() {
    char folder[] = "/tmp/mikura-tls-test-XXXXXX";
    CHECK(mkdtemp(folder) != nullptr);
    folder_ = folder;
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj "
        "/CN=test -keyout " +
        key() + " -out " + cert() + " 2>/dev/null";
    CHECK(std::system(command.c_str()) == 0);
  }
  ~Files() { std::filesystem::remove_all(folder_); }
  std::string cert() const { return folder_ + "/cert.pem"; }
  std::string key() const { return folder_ + "/key.pem"; }
  TlsSettings settings() const {
    TlsSettings settings;
    settings.node = {cert(), key(), ""};
    settings.ca_cert_file = cert();
    return settings;
  }

 private:
  std::string folder_;
};

// Both ends of a connection whose socket holds little.
struct Pair {
  explicit Pair(const TlsContext& context) {
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    for (int i = 0; i < 2; ++i) {
      fd[i].Reset(fds[i]);
      const int small = 4096;
      setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
    server = TlsStream::Accept(context, fds[0], TlsClients::kVerified);
    client = TlsStream::Connect(context, fds[1]);
  }
  bool ShakeHands() {
    for (int i = 0; i < 1000; ++i) {
      if (!client->is_established() && client->Handshake() == TlsStream::Progress::kFailed)
        return false;
      if (!server->is_established() && server->Handshake() == TlsStream::Progress::kFailed)
        return false;
      if (client->is_established() && server->is_established()) return true;
    }
    return false;
  }
  UniqueFd fd[2];
  std::unique_ptr<TlsStream> server;
  std::unique_ptr<TlsStream> client;
};

std::string RandomText(size_t size, std::mt19937& random) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// `text` cut into parts of random lengths, some empty.
std::vector<iovec> Cut(std::string_view text, std::mt19937& random) {
  std::vector<iovec> parts;
  while (!text.empty() && parts.size() < 64) {
    const size_t most = random() % 4 == 0 ? 40'000 : 300;
    const size_t size = std::min<size_t>(text.size(), random() % most);
    parts.push_back({const_cast<char*>(text.data()), size});
    text.remove_prefix(size);
  }
  return parts;
}

TEST(TlsStream, CarriesEveryByteThroughASocketThatIsOftenFull) {
  const Files files;
  const auto context = TlsContext::Make(files.settings());
  ASSERT_TRUE(context.ok()) << context.error().message;
  Pair pair(**context);
  ASSERT_TRUE(pair.ShakeHands());
  std::mt19937 random(7);
  const std::string sent = RandomText(3'000'000, random);
  std::string received;
  size_t at = 0;
  int blocked = 0;
  while (received.size() < sent.size()) {
    if (at < sent.size()) {
      const auto parts = Cut(std::string_view(sent).substr(at), random);
      const ssize_t n = pair.server->Send(parts);
      if (n > 0) at += static_cast<size_t>(n);
      if (n < 0) ASSERT_EQ(errno, EAGAIN);
      if (n < 0) ++blocked;
    }
    std::string room(1 + random() % 100'000, '\0');
    const ssize_t n = pair.client->Receive(room.data(), room.size());
    if (n < 0) ASSERT_TRUE(errno == EAGAIN || errno == EINTR);
    if (n > 0) received.append(room, 0, static_cast<size_t>(n));
  }
  EXPECT_TRUE(received == sent);
  EXPECT_GT(blocked, 100);
}

TEST(TlsStream, SaysThatBytesWaitInsideWhenTheSocketIsQuiet) {
  const Files files;
  const auto context = TlsContext::Make(files.settings());
  ASSERT_TRUE(context.ok());
  Pair pair(**context);
  ASSERT_TRUE(pair.ShakeHands());
  std::string text(1000, 'x');
  const iovec part{text.data(), text.size()};
  ASSERT_EQ(pair.client->Send({&part, 1}), 1000);
  char few[10];
  ASSERT_EQ(pair.server->Receive(few, sizeof few), 10);
  pollfd socket{pair.fd[0].get(), POLLIN, 0};
  EXPECT_EQ(poll(&socket, 1, 0), 0);
  EXPECT_TRUE(pair.server->has_more());
  char rest[1000];
  ASSERT_EQ(pair.server->Receive(rest, sizeof rest), 990);
  EXPECT_FALSE(pair.server->has_more());
}

TEST(TlsStream, TellsTheEndAndStillSendsAfterIt) {
  const Files files;
  const auto context = TlsContext::Make(files.settings());
  ASSERT_TRUE(context.ok());
  Pair pair(**context);
  ASSERT_TRUE(pair.ShakeHands());
  shutdown(pair.fd[1].get(), SHUT_WR);
  char byte = 0;
  EXPECT_EQ(pair.server->Receive(&byte, 1), 0);
  EXPECT_EQ(pair.server->Receive(&byte, 1), 0);
  byte = 'a';
  const iovec part{&byte, 1};
  EXPECT_EQ(pair.server->Send({&part, 1}), 1);
  char got = 0;
  EXPECT_EQ(pair.client->Receive(&got, 1), 1);
  EXPECT_EQ(got, 'a');
  pair.server.reset();  // says goodbye
  EXPECT_EQ(pair.client->Receive(&got, 1), 0);
}

TEST(TlsStream, RefusesWhatIsNoTls) {
  const Files files;
  const auto context = TlsContext::Make(files.settings());
  ASSERT_TRUE(context.ok());
  Pair pair(**context);
  const std::string_view plain = "*1\r\n$4\r\nPING\r\n";
  ASSERT_EQ(send(pair.fd[1].get(), plain.data(), plain.size(), 0),
            static_cast<ssize_t>(plain.size()));
  EXPECT_EQ(pair.server->Handshake(), TlsStream::Progress::kFailed);
  EXPECT_EQ(pair.server->FailureText(), "wrong version number");
}

TEST(TlsContexts, KeepWhatTheyHaveWhenAFileIsBad) {
  const Files files;
  TlsContexts contexts;
  EXPECT_EQ(contexts.Current(), nullptr);
  ASSERT_TRUE(contexts.Configure(files.settings()).ok());
  const auto before = contexts.Current();
  TlsSettings bad = files.settings();
  bad.node.key_file = "/nowhere";
  const Status status = contexts.Configure(bad);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "TLS: the private key /nowhere: No such file or directory");
  EXPECT_EQ(contexts.Current(), before);
  bad = files.settings();
  bad.protocols = "TLSv1.2 SSLv3";
  EXPECT_FALSE(contexts.Configure(bad).ok());
  bad.protocols = " ";
  EXPECT_FALSE(contexts.Configure(bad).ok());
  bad = files.settings();
  bad.ciphers = "nothing";
  EXPECT_FALSE(contexts.Configure(bad).ok());
  bad = files.settings();
  bad.ca_cert_file = "";
  EXPECT_FALSE(contexts.Configure(bad).ok());
  bad.verifies = false;
  EXPECT_TRUE(contexts.Configure(bad).ok());
  EXPECT_NE(contexts.Current(), before);
}

}  // namespace
}  // namespace mikura::engine
