# SPDX-License-Identifier: Apache-2.0
# Facts that are checked one by one, told in TAP; and waiting that ends.
require "timeout"

HOST = "127.0.0.1"
PORT = Integer(ENV.fetch("REDIS_PORT"))
MEMCACHED = "127.0.0.1:#{ENV.fetch("MEMCACHED_PORT")}"
URL = "redis://#{HOST}:#{PORT}"
SECONDS = 20

$facts = 0
$failures = 0

def fact(name)
  $facts += 1
  Timeout.timeout(SECONDS) { yield }
  puts "ok #{$facts} - #{name}"
rescue StandardError => error
  $failures += 1
  puts "not ok #{$facts} - #{name}\n  #{error.class}: #{error.message}\n  #{error.backtrace.first(4).join("\n  ")}"
end

def equal(got, wanted)
  raise "got #{got.inspect}, wanted #{wanted.inspect}" unless got == wanted
end

def raises(kind, words = //)
  yield
rescue kind => error
  raise "#{error.message.inspect} is not #{words}" unless error.message =~ words
else
  raise "no #{kind} was raised"
end

def wait_until(what)
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + SECONDS - 5
  until (value = yield)
    raise "not in time: #{what}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
    sleep 0.005
  end
  value
end

$stdout.sync = true
at_exit do
  well = $!.nil? || ($!.is_a?(SystemExit) && $!.success?)
  exit!($failures.zero? && well ? 0 : 1)
end
