# SPDX-License-Identifier: Apache-2.0
# Sidekiq: a process of workers, and this one which gives them work.
require "sidekiq"
require "sidekiq/api"
require_relative "support"

Redis.silence_deprecations = true

Sidekiq.configure_server { |config| config.redis = { url: URL } }
Sidekiq.configure_client { |config| config.redis = { url: URL } }
Sidekiq.options[:average_scheduled_poll_interval] = 0.2
Sidekiq.options[:poll_interval_average] = 0.2

class Add
  include Sidekiq::Worker
  sidekiq_options queue: "work", retry: false
  def perform(name, a, b)
    Sidekiq.redis { |redis| redis.hset("results", name, a + b) }
  end
end

class Again
  include Sidekiq::Worker
  sidekiq_options queue: "work", retry: 3
  def perform
    tries = Sidekiq.redis { |redis| redis.hincrby("results", "tries", 1) }
    raise "not yet" if tries < 3
  end
end

class Never
  include Sidekiq::Worker
  sidekiq_options queue: "work", retry: 0
  def perform
    raise "never"
  end
end

if $PROGRAM_NAME == __FILE__
  redis = Redis.new(url: URL)
  redis.flushall
  server = spawn("sidekiq", "-r", __FILE__, "-q", "work", "-c", "4", "-t", "2",
                 out: File::NULL, err: File::NULL)
  result = ->(name) { wait_until("result of #{name}") { redis.hget("results", name) } }

  fact "a job runs" do
    Add.perform_async("one", 1, 2)
    equal result["one"], "3"
  end

  fact "300 jobs in bulk" do
    Sidekiq::Client.push_bulk("class" => Add, "args" => (0...300).map { |i| ["bulk#{i}", i, i] })
    wait_until("all of them") { redis.hlen("results") == 301 }
    equal redis.hget("results", "bulk299"), "598"
  end

  fact "a job of later" do
    Add.perform_in(0.5, "later", 2, 2)
    equal Sidekiq::ScheduledSet.new.size, 1
    equal result["later"], "4"
    equal Sidekiq::ScheduledSet.new.size, 0
  end

  fact "a job that fails is tried again" do
    Again.perform_async
    2.times do # without waiting for the time that Sidekiq would let pass
      wait_until("it is to be tried again") { Sidekiq::RetrySet.new.size == 1 }
      job = Sidekiq::RetrySet.new.first
      equal job["error_message"], "not yet"
      job.retry
    end
    wait_until("three tries") { redis.hget("results", "tries") == "3" }
    equal Sidekiq::RetrySet.new.size, 0
  end

  fact "a job that fails for good is dead" do
    Never.perform_async
    wait_until("it is dead") { Sidekiq::DeadSet.new.size == 1 }
    equal Sidekiq::DeadSet.new.first["error_message"], "never"
    Sidekiq::DeadSet.new.clear
    equal Sidekiq::DeadSet.new.size, 0
  end

  fact "statistics and processes" do
    wait_until("the count of jobs") { Sidekiq::Stats.new.processed >= 306 }
    equal Sidekiq::Queue.new("work").size, 0
    wait_until("one process") { Sidekiq::ProcessSet.new.size == 1 }
    equal Sidekiq::ProcessSet.new.first["queues"], ["work"]
  end

  fact "the process ends when it is told" do
    Process.kill("TERM", server)
    equal Process.wait2(server)[1].exitstatus, 0
    equal Sidekiq::ProcessSet.new.size, 0
    server = nil
  end

  Process.kill("KILL", server) if server
end
