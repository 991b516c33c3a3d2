// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_flags.h"

#include <gtest/gtest.h>

namespace mikura::wire {
namespace {

Result<MemcachedFlags> Parse(std::vector<std::string_view> arguments) {
  return ParseMemcachedFlags(arguments);
}

std::string ErrorOf(std::vector<std::string_view> arguments) {
  const auto flags = Parse(std::move(arguments));
  return flags.ok() ? "" : flags.error().message;
}

TEST(MemcachedFlags, DefaultsAreMemcacheds) {
  const auto flags = Parse({});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->port, 11211);
  EXPECT_EQ(flags->threads, 4u);
  EXPECT_EQ(flags->memory_limit_bytes, 64u << 20);
  EXPECT_EQ(flags->item_size_max, 1u << 20);
  EXPECT_EQ(flags->connections_max, 1024u);
  EXPECT_TRUE(flags->evictions && flags->flush_all_enabled && !flags->shutdown_enabled);
}

TEST(MemcachedFlags, TakesEveryFormOfGetopt) {
  const auto flags = Parse({"-p",           "1",    "-m2048", "-vdM",     "--threads=2",
                            "--conn-limit", "7",    "-vv",    "-l",       "127.0.0.1,::1",
                            "-l10.0.0.1:5", "-U",   "0",      "-I",       "32m",
                            "-u",           "root", "-AF",    "-s/tmp/x", "-a",
                            "770",          "-B",   "auto"});
  ASSERT_TRUE(flags.ok()) << flags.error().message;
  EXPECT_EQ(flags->port, 1);
  EXPECT_EQ(flags->memory_limit_bytes, uint64_t{2048} << 20);
  EXPECT_TRUE(flags->daemon);
  EXPECT_FALSE(flags->evictions);
  EXPECT_EQ(flags->verbosity, 3);
  EXPECT_EQ(flags->threads, 2u);
  EXPECT_EQ(flags->connections_max, 7u);
  EXPECT_EQ(flags->addresses, (std::vector<std::string>{"127.0.0.1", "::1", "10.0.0.1:5"}));
  EXPECT_EQ(flags->item_size_max, 32u << 20);
  EXPECT_EQ(flags->user, "root");
  EXPECT_TRUE(flags->shutdown_enabled);
  EXPECT_FALSE(flags->flush_all_enabled);
  EXPECT_EQ(flags->unix_socket, "/tmp/x");
  EXPECT_EQ(flags->unix_mask, 0770);
}

TEST(MemcachedFlags, RefusesByNameWhatItCannotHonour) {
  EXPECT_EQ(ErrorOf({"--enable-ssl"}), "-Z (--enable-ssl) needs -o ssl_chain_cert");
  EXPECT_EQ(ErrorOf({"-Z", "-o", "ssl_chain_cert=a,ssl_verify_mode=2"}),
            "-o ssl_verify_mode needs -o ssl_ca_cert");
  EXPECT_NE(ErrorOf({"-Z", "-o", "ssl_chain_cert=a,ssl_verify_mode=4"}), "");
  EXPECT_NE(ErrorOf({"-Z", "-o", "ssl_chain_cert=a,ssl_keyformat=DER"}), "");
  EXPECT_NE(ErrorOf({"-Z", "-p", "-1", "-o", "ssl_chain_cert=a"}), "");
  EXPECT_EQ(ErrorOf({"-B", "telnet"}), "-B (--protocol): 'telnet' is not auto, ascii or binary");
  EXPECT_EQ(ErrorOf({"-o", "modern,ext_path=/x:1G"}),
            "-o (--extended): the extended option 'ext_path=/x:1G' is not supported");
}

TEST(MemcachedFlags, TiesAuthenticationToOneProtocol) {
  EXPECT_EQ(Parse({"-S"})->protocol, MemcachedProtocol::kBinary);
  EXPECT_EQ(Parse({"-Y", "/file"})->protocol, MemcachedProtocol::kAscii);
  EXPECT_EQ(Parse({"-Y", "/file"})->auth_file, "/file");
  EXPECT_EQ(ErrorOf({"-B", "binary", "-S"}), "");
  EXPECT_EQ(ErrorOf({"-S", "-B", "auto"}), "-S (--enable-sasl) goes with -B binary only");
  EXPECT_EQ(ErrorOf({"-Y", "/file", "-Bbinary"}), "-Y (--auth-file) goes with -B ascii only");
  EXPECT_EQ(ErrorOf({"-S", "-Y", "/file"}),
            "-S (--enable-sasl) and -Y (--auth-file) exclude each other");
}

TEST(MemcachedFlags, TakesTuningWithoutEffect) {
  EXPECT_EQ(ErrorOf({"-f", "1.25", "-n48", "-L", "-R", "20"}), "");
  const auto flags = Parse({"-o", "modern,no_lru_crawler,hashpower=20,idle_timeout=60", "-f1.5"});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->idle_timeout_seconds, 60u);
  EXPECT_EQ(flags->shown.at("lru_crawler"), "no");
  EXPECT_EQ(flags->shown.at("hashpower_init"), "20");
  EXPECT_EQ(flags->shown.at("growth_factor"), "1.5");
  EXPECT_NE(ErrorOf({"-o", "hashpower=x"}), "");
  EXPECT_NE(ErrorOf({"-o", "idle_timeout"}), "");
}

TEST(MemcachedFlags, ShowsTheOldDefaultsAndWhatIsSetAfterThem) {
  const auto flags = Parse({"-o", "no_modern,lru_crawler,slab_chunk_max=16"});
  ASSERT_TRUE(flags.ok());
  EXPECT_FALSE(flags->maxconns_fast);
  EXPECT_EQ(flags->shown.at("lru_maintainer_thread"), "no");
  EXPECT_EQ(flags->shown.at("lru_crawler"), "yes");
  EXPECT_EQ(flags->shown.at("slab_chunk_max"), "16384");
}

TEST(MemcachedFlags, APortMayBeAnyAndAUdpPortAloneIsTheTcpPortToo) {
  const auto ports = [](const std::vector<std::string_view>& arguments) {
    const auto flags = ParseMemcachedFlags(arguments);
    return flags.ok() ? std::pair(flags->port, flags->udp_port) : std::pair(-9, -9);
  };
  EXPECT_EQ(ports({}), std::pair(11211, 0));
  EXPECT_EQ(ports({"-U", "0"}), std::pair(11211, 0));
  EXPECT_EQ(ports({"-U", "7"}), std::pair(7, 7));
  EXPECT_EQ(ports({"-U", "-1"}), std::pair(-1, -1));
  EXPECT_EQ(ports({"-p", "-1", "-U", "7"}), std::pair(-1, 7));
  EXPECT_EQ(ports({"-p", "-2"}), std::pair(-9, -9));
}

TEST(MemcachedFlags, TurnsOffWhatMayBeTurnedOff) {
  const auto flags = Parse({"-CXW", "-D", "/", "-R", "1", "-o", "watcher_logbuf_size=8"});
  ASSERT_TRUE(flags.ok());
  EXPECT_FALSE(flags->cas_enabled);
  EXPECT_FALSE(flags->dump_enabled);
  EXPECT_FALSE(flags->watch_enabled);
  EXPECT_EQ(flags->prefix_delimiter, '/');
  EXPECT_TRUE(flags->detail_enabled);
  EXPECT_EQ(flags->requests_per_event, 1u);
  EXPECT_EQ(flags->watcher_buffer_bytes, 8192u);
}

TEST(MemcachedFlags, RefusesNonsense) {
  for (const std::vector<std::string_view>& bad :
       std::vector<std::vector<std::string_view>>{{"-p", "65536"},
                                                  {"-p"},
                                                  {"-t", "0"},
                                                  {"-m", "x"},
                                                  {"-I", "100"},
                                                  {"-I", "2g"},
                                                  {"-q"},
                                                  {"--nonsense"},
                                                  {"--daemon=1"},
                                                  {"word"},
                                                  {"-a", "9"},
                                                  {"-I", "40m"}}) {
    EXPECT_NE(ErrorOf(bad), "") << bad[0];
  }
}

TEST(MemcachedFlags, HelpNamesEveryFlagAndItsFate) {
  const auto asked = Parse({"-h"});
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->show, MemcachedFlags::Show::kHelp);
  const std::string help = MemcachedHelp();
  EXPECT_NE(help.find("-p, --port=<num>"), std::string::npos);
  EXPECT_LT(help.find("Taken without effect:"), help.find("--slab-growth-factor"));
  EXPECT_LT(help.find("--memory-file"), help.find("Taken without effect:"));
}

}  // namespace
}  // namespace mikura::wire
