# SPDX-License-Identifier: Apache-2.0
# Dalli: memcached's binary protocol, and its meta protocol.
require "dalli"
require_relative "support"

%i[binary meta].each do |protocol|
  client = Dalli::Client.new(MEMCACHED, protocol: protocol, compress: true, expires_in: 600)

  fact "#{protocol}: values" do
    client.flush
    client.set("k", { "a" => [1, nil] })
    equal client.get("k"), { "a" => [1, nil] }
    equal client.get("absent"), nil
    equal client.add("k", 1), false
    client.set("raw", "b", nil, raw: true)
    equal client.append("raw", "c"), true
    equal client.prepend("raw", "a"), true
    equal client.get("raw", raw: true), "abc"
    equal client.delete("k"), true
    equal client.fetch("k") { "made" }, "made"
  end

  fact "#{protocol}: numbers" do
    equal client.incr("n", 5, nil, 10), 10
    equal client.incr("n", 5), 15
    equal client.decr("n", 20), 0
  end

  fact "#{protocol}: several at once, in quiet requests" do
    client.multi { 200.times { |i| client.set("k#{i}", i) } }
    equal client.get_multi((0...200).map { |i| "k#{i}" } + ["no"]), (0...200).to_h { |i| ["k#{i}", i] }
  end

  fact "#{protocol}: compare and swap, touch, large values" do
    client.set("cas", 1)
    equal client.cas("cas") { |value| value + 1 } && client.get("cas"), 2
    equal client.touch("cas", 100), true
    large = "x" * 900_000
    client.set("large", large, nil, compress: false)
    equal client.get("large"), large
  end
  client.close
end
