# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy between a replica and its primary that does what networks do, and a load of all types."""
import random
import select
import socket
import struct
import threading
import time

import redis


class Proxy:
    """Forwards to `port`. From the primary to the replica bytes can be slowed down, held back for
    ever (half-open), or reset after so many."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.bytes_per_second = None
        self.resets = []  # bytes after which each of the next connections is reset
        self.is_silent = False
        self.lock = threading.Lock()
        self.pairs = []
        self.stopping = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                replica, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                primary = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                replica.close()
                continue
            limit = self.resets.pop(0) if self.resets else None
            with self.lock:
                self.pairs.append((replica, primary))
            threading.Thread(target=self.forward, args=(replica, primary, limit),
                             daemon=True).start()

    def forward(self, replica, primary, limit):
        try:
            while True:
                for source in select.select([replica, primary], [], [], 1)[0]:
                    while self.is_silent:
                        time.sleep(0.01)
                    piece = source.recv(65536)
                    if not piece:
                        return
                    if source is replica:
                        primary.sendall(piece)
                        continue
                    if limit is not None:
                        piece, limit = piece[:limit], limit - len(piece)
                    if self.bytes_per_second:
                        time.sleep(len(piece) / self.bytes_per_second)
                    replica.sendall(piece)
                    if limit is not None and limit <= 0:
                        reset(replica)
                        return
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                if (replica, primary) in self.pairs:
                    self.pairs.remove((replica, primary))
            replica.close()
            primary.close()

    def cut(self):
        """Resets all connections, in the middle of whatever they carry."""
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            for one in pair:
                reset(one)

    def stop(self):
        self.is_silent = False
        self.listener.close()
        self.cut()


def reset(connection):
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


LUA = "redis.call('RPUSH', KEYS[1], ARGV[1]) return redis.call('INCR', KEYS[2])"


def strings(pipe, choose, key):
    pipe.set(f"s:{key}", "v" * choose.randrange(3000), px=choose.choice((None, 10 ** 8)))
    pipe.append(f"s:{key}", "+")
    pipe.setbit(f"bits:{key % 20}", choose.randrange(5000), 1)
    pipe.incrbyfloat(f"float:{key % 20}", 0.5)
    pipe.pfadd(f"hll:{key % 20}", choose.randrange(10 ** 6))
    pipe.bitop("XOR", "bits:all", f"bits:{key % 20}", "bits:1")


def lists(pipe, choose, key):
    pipe.rpush(f"l:{key}", *(choose.randrange(1000) for _ in range(5)))
    pipe.lpush(f"l:{key}", "x" * choose.randrange(200))
    pipe.lmove(f"l:{key}", f"l:{choose.randrange(200)}")
    pipe.ltrim(f"l:{key}", 0, 100)


def hashes(pipe, choose, key):
    pipe.hset(f"h:{key}", mapping={f"f{choose.randrange(300)}": choose.randrange(1000)
                                   for _ in range(8)})
    pipe.hincrby(f"h:{key}", "count", 3)
    pipe.hdel(f"h:{key}", f"f{choose.randrange(300)}")


def sets(pipe, choose, key):
    pipe.sadd(f"set:{key}", *(choose.randrange(800) for _ in range(8)))
    pipe.spop(f"set:{key}")
    pipe.sunionstore("set:all", f"set:{key}", f"set:{choose.randrange(200)}")


def sorted_sets(pipe, choose, key):
    pipe.zadd(f"z:{key}", {f"m{choose.randrange(400)}": choose.random() for _ in range(8)})
    pipe.zincrby(f"z:{key}", 1.25, "m1")
    pipe.zpopmin(f"z:{key}")
    pipe.geoadd("geo", (choose.uniform(-170, 170), choose.uniform(-80, 80), f"p{key}"))


def streams(pipe, choose, key):
    pipe.xadd(f"x:{key % 30}", {"a": choose.randrange(1000), "b": "y" * 20}, maxlen=200)
    pipe.execute_command("XGROUP", "CREATE", f"x:{key % 30}", f"g{choose.randrange(3)}", "0")
    pipe.xreadgroup(f"g{choose.randrange(3)}", "c", {f"x:{key % 30}": ">"}, count=3)


def keys(pipe, choose, key):
    kind = choose.choice(("s", "l", "h", "set", "z"))
    pipe.expire(f"{kind}:{key}", choose.choice((1, 100_000)))
    pipe.copy(f"{kind}:{choose.randrange(200)}", f"{kind}:{key}", replace=True)
    pipe.rename(f"{kind}:{choose.randrange(200)}", f"{kind}:{choose.randrange(200)}")
    pipe.delete(f"{kind}:{choose.randrange(200)}")
    pipe.execute_command("MOVE", f"{kind}:{choose.randrange(200)}", choose.randrange(4))
    pipe.eval(LUA, 2, f"l:{key}", "count", "lua")


class LoadOfAllTypes:
    """Writes from several connections, into some databases, until it is stopped."""

    def __init__(self, port, writers=2, pause=0.01):
        self.stopping = threading.Event()
        self.commands = 0
        self.failures = []
        self.threads = [threading.Thread(target=self.run, args=(port, seed, pause), daemon=True)
                        for seed in range(writers)]
        for thread in self.threads:
            thread.start()

    def run(self, port, seed, pause):
        choose = random.Random(seed)
        clients = [redis.Redis("127.0.0.1", port, db=number) for number in (0, 0, 0, 2)]
        kinds = (strings, lists, hashes, sets, sorted_sets, streams, keys)
        try:
            while not self.stopping.is_set():
                pipe = choose.choice(clients).pipeline(transaction=choose.randrange(4) == 0)
                for _ in range(4):
                    choose.choice(kinds)(pipe, choose, choose.randrange(200))
                # Some fail: the group is there, the key is not.
                self.commands += len(pipe.execute(raise_on_error=False))
                time.sleep(pause)
        except redis.RedisError as error:
            self.failures.append(error)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a writer hangs"
        assert not self.failures, self.failures


def read_streams(client, key):
    groups = sorted((group["name"], group["last-delivered-id"], group["pending"])
                    for group in client.xinfo_groups(key))
    return client.xrange(key), groups


READERS = {
    b"string": lambda client, key: client.get(key),
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"hash": lambda client, key: client.hgetall(key),
    b"set": lambda client, key: client.smembers(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1, withscores=True),
    b"stream": read_streams,
}


def everything(node, databases=4):
    """Each key of each database: type, value, deadline."""
    found = {}
    for number in range(databases):
        client = node.database(number)
        for key in client.scan_iter(count=1000):
            kind = client.type(key)
            if kind == b"none":
                continue  # it expired meanwhile
            deadline = client.execute_command("PEXPIRETIME", key)
            found[number, key] = (kind, deadline, READERS[kind](client, key))
    return found
