# SPDX-License-Identifier: Apache-2.0
# Redis.pm: pipelines with callbacks, transactions, pub/sub, hashes and lists that are tied.
use strict;
use warnings;
use Redis;
use Redis::Hash;
use Redis::List;
use Test::More;

my $server = "127.0.0.1:$ENV{REDIS_PORT}";
my $redis = Redis->new(server => $server, reconnect => 5, every => 10_000);
$redis->flushall;

$redis->set(k => "v");
is($redis->get("k"), "v", "a value");
my $bytes = join "", map { chr } 0 .. 255;
$redis->set(bytes => $bytes);
is($redis->get("bytes"), $bytes, "all bytes");
ok(!eval { $redis->lpush("k", 1); 1 } && $@ =~ /WRONGTYPE/, "an error");

my @replies;
$redis->incr("n", sub { push @replies, $_[0] }) for 1 .. 500;
$redis->wait_all_responses;
is_deeply(\@replies, [1 .. 500], "a pipeline with callbacks");

$redis->multi;
$redis->set(a => 1);
$redis->incr("a");
is_deeply([$redis->exec], ["OK", 2], "a transaction");
is_deeply([$redis->eval("return {KEYS[1], ARGV[1]}", 1, "key", "x")], ["key", "x"], "a script");

tie my %hash, "Redis::Hash", "tied:", server => $server;
$hash{one} = 1;
$hash{two} = 2;
is_deeply([sort keys %hash], ["one", "two"], "keys of a tied hash");
delete $hash{one};
is($redis->exists("tied:one"), 0, "a removed one");
tie my @list, "Redis::List", "list", server => $server;
push @list, "a" .. "e";
is(shift @list, "a", "a tied list");
is(scalar @list, 4, "its length");

my $subscriber = Redis->new(server => $server);
my @got;
$subscriber->subscribe("c", sub { push @got, [@_[1, 0]] });
$subscriber->psubscribe("c*", sub { push @got, [@_[2, 0]] });
is($redis->publish("c", "hello"), 2, "receivers");
my $tries = 0;
$subscriber->wait_for_messages(1) while @got < 2 && ++$tries < 15;
is_deeply(\@got, [["c", "hello"], ["c*", "hello"]], "messages by channel and by pattern");

my $mortal = Redis->new(server => $server, reconnect => 5, every => 10_000, name => "mortal");
my ($id) = map { /^id=(\d+).* name=mortal / } split /\n/, $redis->client_list;
is($redis->client_kill("id", $id), 1, "a client is killed");
is($mortal->get("k"), "v", "and is back");
done_testing;
