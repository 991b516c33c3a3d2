<?php
// SPDX-License-Identifier: Apache-2.0
// phpredis: the extension's commands, serializers and session handler.
require __DIR__ . '/support.php';

function connect(): Redis {
    global $port;
    $redis = new Redis();
    $redis->connect('127.0.0.1', $port, 10);
    return $redis;
}

$redis = connect();
$redis->flushAll();

fact('pipelines and transactions', function () use ($redis) {
    equal($redis->multi(Redis::PIPELINE)->set('k', 'v')->get('k')->incr('n')->exec(), [true, 'v', 1]);
    equal($redis->multi()->hMSet('h', ['a' => '1', 'b' => '2'])->hGetAll('h')->exec(),
        [true, ['a' => '1', 'b' => '2']]);
    $other = connect();
    $redis->watch('n');
    $other->set('n', 7);
    equal($redis->multi()->incr('n')->exec(), false);
    equal($redis->get('n'), '7');
});

fact('scripts', function () use ($redis) {
    $sha = $redis->script('load', 'return {KEYS[1], ARGV[1] * 2}');
    equal($redis->evalSha($sha, ['key', 21], 1), ['key', 42]);
    $redis->script('flush');
    equal($redis->evalSha($sha, ['key', 21], 1), false);
    equal(substr($redis->getLastError(), 0, 8), 'NOSCRIPT');
});

fact('serialized and compressed values', function () use ($redis) {
    $client = connect();
    $client->setOption(Redis::OPT_SERIALIZER, Redis::SERIALIZER_PHP);
    $client->setOption(Redis::OPT_PREFIX, 'app:');
    $value = ['list' => [1, 2.5, null], 'text' => "\0\r\n"];
    $client->set('object', $value);
    equal($client->get('object'), $value);
    equal($client->mGet(['object', 'none']), [$value, false]);
    equal($redis->exists('app:object'), 1);
});

fact('scans', function () use ($redis) {
    $redis->mSet(array_combine(array_map(fn ($i) => "scan:$i", range(0, 999)), range(0, 999)));
    $redis->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
    $found = [];
    for ($at = null; ($keys = $redis->scan($at, 'scan:*', 100)) !== false;) {
        $found += array_flip($keys);
    }
    equal(count($found), 1000);
    foreach (range(0, 299) as $i) {
        $redis->zAdd('z', $i, "m$i");
    }
    $members = [];
    for ($at = null; ($some = $redis->zScan('z', $at)) !== false;) {
        $members += $some;
    }
    equal(count($members), 300);
    equal($redis->zRange('z', 0, 1, true), ['m0' => 0.0, 'm1' => 1.0]);
});

fact('streams with a group', function () use ($redis) {
    equal($redis->xGroup('CREATE', 's', 'g', '0', true), true);
    $id = $redis->xAdd('s', '*', ['f' => 'v']);
    equal($redis->xReadGroup('g', 'c', ['s' => '>'], 1), ['s' => [$id => ['f' => 'v']]]);
    equal($redis->xPending('s', 'g'), [1, $id, $id, [['c', '1']]]);
    equal($redis->xClaim('s', 'g', 'd', 0, [$id], ['JUSTID']), [$id]);
    equal($redis->xAck('s', 'g', [$id]), 1);
});

fact('blocking pops, places and sets', function () use ($redis) {
    $redis->rPush('l', 'x');
    equal($redis->blPop(['none', 'l'], 5), ['l', 'x']);
    equal($redis->brPop(['none'], 1), []);
    $redis->geoAdd('g', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania');
    equal($redis->geoDist('g', 'Palermo', 'Catania', 'km'), 166.2742);
    $redis->sAdd('s1', 'a', 'b');
    $redis->sAdd('s2', 'b', 'c');
    equal($redis->sInter('s1', 's2'), ['b']);
    equal($redis->set('lock', '1', ['nx', 'px' => 5000]), true);
    equal($redis->set('lock', '2', ['nx', 'px' => 5000]), false);
});

fact('sessions in the engine, with their lock', function () use ($redis, $port) {
    ini_set('session.save_handler', 'redis');
    ini_set('session.save_path', "tcp://127.0.0.1:$port?prefix=php:");
    ini_set('session.use_cookies', '0');
    ini_set('session.cache_limiter', '');
    ini_set('session.gc_maxlifetime', '600');
    ini_set('redis.session.locking_enabled', '1');
    session_id('visitor');
    session_start();
    $_SESSION['user'] = 'ann';
    equal($redis->exists('php:visitor_LOCK'), 1);
    session_write_close();
    equal($redis->exists('php:visitor_LOCK'), 0);
    equal($redis->ttl('php:visitor') > 590, true);
    $_SESSION = [];
    session_start();
    equal($_SESSION, ['user' => 'ann']);
    session_destroy();
    equal($redis->exists('php:visitor'), 0);
});

fact('messages to a subscriber in another process', function () use ($redis, $port) {
    $code = '$r = new Redis(); $r->connect("127.0.0.1", (int) $argv[1], 10); $r->setOption(3, 20);'
        . '$r->subscribe(["c"], function ($r, $c, $m) { echo "$c=$m\n"; });';
    $process = proc_open([PHP_BINARY, '-r', $code, '--', (string) $port], [1 => ['pipe', 'w']], $pipes);
    until('a subscriber', fn () => $redis->publish('c', 'hello') === 1);
    equal(fgets($pipes[1]), "c=hello\n");
    proc_terminate($process, 9);
    proc_close($process);
});
