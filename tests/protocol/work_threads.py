# SPDX-License-Identifier: Apache-2.0
"""Several clients at once in one test."""
import threading


def run_threads(test, works, seconds):
    """Runs each work in a thread, again and again until the time is over; passes failures on."""
    stop, failures = threading.Event(), []

    def guarded(work):
        try:
            while not stop.is_set():
                work()
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)
            stop.set()

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    stop.wait(seconds)
    stop.set()
    for thread in threads:
        thread.join(20)
        test.assertFalse(thread.is_alive(), "a client hangs")
    if failures:
        raise failures[0]
