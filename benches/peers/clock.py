"""Timing: programs in turns, the best of each.

A program is an object with `name`, `units_min`, `work` (what a unit is: cells, bytes or runs) and `time(units)`, which
does so many units and returns the CPU time and the wall time of one unit in seconds. Absolute times on a shared machine
drift, and other programs only ever slow one down: so the programs of a comparison take turns, and the best of each
counts. The median is kept beside it.
"""

import statistics
import time


class Program:
    """A program of this process: `run(units)` does the work."""

    def __init__(self, name, work, run, units_min=1):
        self.name, self.work, self.units_min, self._run = name, work, units_min, run

    def time(self, units):
        wall, cpu = time.perf_counter(), time.process_time()
        self._run(units)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return cpu / units, wall / units

    def prepare(self, least_s):
        """Warms up and finds how many units take at least `least_s`."""
        units = self.units_min
        while True:
            spent = self.time(units)[1] * units
            if spent >= least_s:
                self.units = units
                return
            # Not more than eightfold: a first run that compiled or met cold caches says little.
            units = int(units * min(max(1.1 * least_s / max(spent, 1e-9), 1.5), 8)) + 1

    def sample(self):
        return self.time(self.units)


def compare(programs, rounds, least_s):
    """Times programs in turns; returns a row for each."""
    for program in programs:
        program.prepare(least_s)
    samples = [[] for _ in programs]
    for _ in range(rounds):
        for program, taken in zip(programs, samples):
            taken.append(program.sample())
    rows = []
    for program, taken in zip(programs, samples):
        cpu, wall = zip(*taken)
        rows.append({
            "program": program.name,
            "work": program.work,
            "cpu_s": min(cpu),
            "wall_s": min(wall),
            "cpu_median_s": statistics.median(cpu),
            "wall_median_s": statistics.median(wall),
            "rounds": rounds,
        })
    return rows
