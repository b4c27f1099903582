"""Runs a program and prints its CPU time, the time that passed (seconds) and its peak memory (bytes).

A process of its own, because the peak that the kernel reports of a program is never below that of the process that
started it.
"""

import os
import sys
import time

started = time.perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(process, 0)
wall = time.perf_counter() - started
if status != 0:
    sys.exit(f"{sys.argv[1]} ended with status {status}")
print(usage.ru_utime + usage.ru_stime, wall, 1024 * usage.ru_maxrss)
