# SPDX-License-Identifier: Apache-2.0
# redis-rb: pipelines, transactions, pub/sub, scripts, streams, scans.
require "redis"
require_relative "support"

redis = Redis.new(url: URL)
redis.flushall

fact "pipelines" do
  replies = redis.pipelined { |p| p.set("k", "v"); p.get("k"); p.incr("n"); p.hset("h", "a", 1) }
  equal replies, ["OK", "v", 1, 1]
  futures = nil
  redis.pipelined { |p| futures = [p.get("k"), p.hgetall("h")] }
  equal futures.map(&:value), ["v", { "a" => "1" }]
  raises(Redis::CommandError, /\AWRONGTYPE/) { redis.pipelined { |p| p.lpush("k", 1) } }
end

fact "transactions and WATCH" do
  equal redis.multi { |t| t.set("n", 5); t.incr("n") }, ["OK", 6]
  other = Redis.new(url: URL)
  result = redis.watch("n") do
    other.set("n", 100)
    redis.multi { |t| t.incr("n") }
  end
  equal result, nil
  equal redis.get("n"), "100"
  other.close
end

fact "scripts" do
  sha = redis.script(:load, "return {KEYS[1], tonumber(ARGV[1]) + 1}")
  equal redis.evalsha(sha, ["key"], [41]), ["key", 42]
  redis.script(:flush)
  raises(Redis::CommandError, /\ANOSCRIPT/) { redis.evalsha(sha, ["key"], [41]) }
  equal redis.eval("return #ARGV", [], %w[a b]), 2
end

fact "pub/sub in a thread" do
  got = []
  ready = Queue.new
  listener = Thread.new do
    Redis.new(url: URL).psubscribe("room.*") do |on|
      on.psubscribe { ready << true }
      on.pmessage do |_, channel, message|
        got << [channel, message]
        Thread.current[:done] = true if message == "bye"
        raise StopIteration if message == "bye"
      end
    end
  rescue StopIteration
    nil
  end
  ready.pop
  equal redis.publish("room.1", "hi"), 1
  redis.publish("room.2", "bye")
  listener.join
  equal got, [["room.1", "hi"], ["room.2", "bye"]]
end

fact "blocking pops" do
  waiting = Redis.new(url: URL)
  popped = Thread.new { waiting.blpop("q1", "q2", timeout: 10) }
  wait_until("the client waits") { redis.info("clients")["blocked_clients"] == "1" }
  redis.rpush("q2", "x")
  equal popped.value, ["q2", "x"]
  equal waiting.brpop("q1", timeout: 0.1), nil
end

fact "streams with a group" do
  redis.xgroup(:create, "s", "g", "$", mkstream: true)
  id = redis.xadd("s", { "f" => "v" })
  equal redis.xreadgroup("g", "c", "s", ">"), { "s" => [[id, { "f" => "v" }]] }
  equal redis.xpending("s", "g")["size"], 1
  equal redis.xautoclaim("s", "g", "d", 0, "0-0")["entries"], [[id, { "f" => "v" }]]
  equal redis.xack("s", "g", id), 1
end

fact "scans and typed replies" do
  redis.mapped_mset((0...500).to_h { |i| ["scan:#{i}", i] })
  equal redis.scan_each(match: "scan:*").to_a.uniq.size, 500
  redis.zadd("z", [[1.5, "a"], [Float::INFINITY, "b"]])
  equal redis.zrange("z", 0, -1, with_scores: true), [["a", 1.5], ["b", Float::INFINITY]]
  equal redis.zadd("z", 2, "a", incr: true), 3.5
  equal redis.set("k", "w", get: true), "v"
  equal redis.geoadd("g", 13.361389, 38.115556, "Palermo"), 1
  equal redis.geosearch("g", fromlonlat: [13, 38], byradius: [100, "km"]), ["Palermo"] if redis.respond_to?(:geosearch)
  bytes = (0..255).to_a.pack("C*")
  redis.set("bytes", bytes)
  equal redis.get("bytes").b, bytes
end

fact "a killed client connects again" do
  client = Redis.new(url: URL, reconnect_attempts: 3, db: 3)
  client.set("k", "in 3")
  redis.client(:kill, "ID", client.call("CLIENT", "ID"))
  equal client.get("k"), "in 3"
end
