<?php
// SPDX-License-Identifier: Apache-2.0
// Predis: a client in plain PHP.
require __DIR__ . '/support.php';
require 'Predis/Autoloader.php';
Predis\Autoloader::register();

$client = new Predis\Client("tcp://127.0.0.1:$port?timeout=10&read_write_timeout=20");
$client->flushall();

class AddTo extends Predis\Command\ScriptCommand {
    public function getKeysCount() {
        return 1;
    }

    public function getScript() {
        return 'return redis.call("INCRBY", KEYS[1], ARGV[1])';
    }
}

fact('pipelines', function () use ($client) {
    $replies = $client->pipeline(function ($pipe) {
        for ($i = 0; $i < 1000; ++$i) {
            $pipe->rpush('l', $i);
        }
    });
    equal($replies, range(1, 1000));
});

fact('transactions that are tried again', function () use ($client, $port) {
    $other = new Predis\Client("tcp://127.0.0.1:$port");
    $tries = 0;
    $options = ['cas' => true, 'watch' => 'n', 'retry' => 3];
    $client->transaction($options, function ($transaction) use ($other, &$tries) {
        $value = (int) $transaction->get('n');
        if (++$tries < 3) {
            $other->incrby('n', 10);
        }
        $transaction->multi();
        $transaction->set('n', $value + 1);
    });
    equal([$tries, $client->get('n')], [3, '21']);
});

fact('scripts as commands', function () use ($client) {
    $client->getProfile()->defineCommand('addto', 'AddTo');
    equal($client->addto('sum', 5), 5);
    $client->script('flush');
    equal($client->addto('sum', 5), 10);
});

fact('errors and types', function () use ($client) {
    $client->hmset('h', ['a' => '1']);
    equal($client->hgetall('h'), ['a' => '1']);
    equal((string) $client->type('h'), 'hash');
    try {
        $client->lpush('h', 'x');
        throw new Exception('no error');
    } catch (Predis\Response\ServerException $error) {
        equal($error->getErrorType(), 'WRONGTYPE');
    }
    equal(count(iterator_to_array(new Predis\Collection\Iterator\Keyspace($client, '*'))), 4);
});

fact('a loop of messages', function () use ($client, $port) {
    $loop = (new Predis\Client("tcp://127.0.0.1:$port?read_write_timeout=20"))->pubSubLoop();
    $loop->subscribe('c');
    $got = [];
    foreach ($loop as $message) {
        if ($message->kind === 'subscribe') {
            equal($client->publish('c', 'one') + $client->publish('c', 'two'), 2);
        } elseif ($message->kind === 'message') {
            $got[] = $message->payload;
            if (count($got) === 2) {
                $loop->unsubscribe();
            }
        }
    }
    equal($got, ['one', 'two']);
});
