<?php
// SPDX-License-Identifier: Apache-2.0
// Facts that are checked one by one, told in TAP.
$port = (int) getenv('REDIS_PORT');
ob_start(); // PHP opens no session when something was written before
$facts = 0;
$failures = 0;

function fact(string $name, callable $check): void {
    global $facts, $failures;
    ++$facts;
    try {
        $check();
        echo "ok $facts - $name\n";
    } catch (Throwable $error) {
        ++$failures;
        echo "not ok $facts - $name\n  ", $error->getMessage(), "\n  ", $error->getTraceAsString(), "\n";
    }
}

function equal($got, $wanted): void {
    if ($got !== $wanted) {
        throw new Exception('got ' . var_export($got, true) . ', wanted ' . var_export($wanted, true));
    }
}

function until(string $what, callable $condition): void {
    for ($deadline = microtime(true) + 15; !$condition(); usleep(5000)) {
        if (microtime(true) > $deadline) {
            throw new Exception("not in time: $what");
        }
    }
}

register_shutdown_function(function () {
    global $failures;
    exit($failures ? 1 : 0);
});
