"""Measures libmfn and its peers in one run, in turns, and writes the times as JSON.

Run by `cargo xtask bench --peers`, which makes the environment and builds what is measured. Every program has one
thread unless its name says otherwise; a peer that is missing or fails gets a row with the reason.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile

# Before NumPy and the others are imported: they read these once.
for variable in ("OMP", "MKL", "OPENBLAS", "NUMBA", "NUMEXPR", "VECLIB"):
    os.environ[f"{variable}_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np  # noqa: E402

import analyses  # noqa: E402
import engines  # noqa: E402
from clock import Program, compare  # noqa: E402
from libmfn import Library, Simulation, Subjects  # noqa: E402

SEED = 42
L1_COLS = (64, 192)
VARIANTS = ("neumann", "dirichlet", "diffusion-only", "gray-scott", "schnakenberg", "gierer-meinhardt",
            "fitzhugh-nagumo", "brusselator", "map", "jitter")
PACKAGES = ("numpy", "numba", "jax", "devito", "py-pde", "scipy", "connected-components-3d")


def spec(side, **changes):
    """That of benches/src/subjects.rs: the step of v4.1 on grids of any size."""
    return {"grid_size": side, "random_seed": SEED, "alpha": 0.18, "spike_probability": 0.25, "d_activator": 0.1,
            "d_inhibitor": 0.05, "r_activator": 0.01, "r_inhibitor": 0.02, "turing_threshold": 0.75,
            "rng": "pcg64", "kinetics": "v4.1", "initial_condition": "random", "initial_noise": 0.0,
            "time_step": 1.0, "leak_rate": 0.0, **changes}


class Measurement:
    def __init__(self, options):
        self.options, self.rows, self.missing = options, [], []
        self.library = Library(options.libmfn)
        self.subjects = Subjects(options.subjects)
        self.levels = self.subjects.ask("levels").split()

    def missed(self, task, program, error):
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        self.missing.append({"task": task, "program": program, "reason": reason})
        print(f"  {program}: NOT MEASURED, {reason}", flush=True)

    def compare(self, task, size, makers, rounds, least_s):
        """Makes the programs of (name, maker) and times them in turns."""
        print(f"{task} {size}", flush=True)
        programs = []
        for name, make in makers:
            try:
                programs.append(make())
                programs[-1].prepare(least_s)
            except Exception as error:  # noqa: BLE001: whatever a peer does becomes a row with its reason
                programs = [program for program in programs if program.name != name]
                self.missed(f"{task} {size}", name, error)
        for row in compare(programs, rounds, least_s):
            print(f"  {row['program']:<28} {row['cpu_s']:.3e} s CPU, {row['wall_s']:.3e} s", flush=True)
            self.rows.append({"task": task, "size": size, **row})

    def subject(self, shown, name, side):
        return shown, lambda: self.subjects.program(shown, name, side)

    def simulation(self, shown, side, level="auto", threads=1, **changes):
        def make():
            run = Simulation(self.library, spec(side, **changes), level, threads)
            return Program(shown, side * side, run.run, units_min=16)
        return shown, make

    def peer(self, name, side):
        def make():
            engine = engines.PEERS[name](side, SEED)
            # Devito and Numba alternate two grids: an even number of steps.
            return Program(name, side * side, lambda units: engine.run(2 * ((units + 1) // 2)), units_min=2)
        return name, make

    def ceiling(self):
        """The same kernel on two grids that fit the first-level cache; the difference is the bound."""
        for cols in L1_COLS:
            ways = [way for level in self.levels for way in (level, f"f32 {level}")]
            self.compare("ceiling", cols, [self.subject(way, f"row {way}", cols) for way in ways],
                         self.options.rounds, self.options.least_s)

    def steps(self):
        for side in self.options.sides:
            # A step of the largest grid takes seconds in NumPy.
            rounds, least_s = (self.options.rounds, self.options.least_s) if side <= 1024 else (
                max(2, self.options.rounds // 3), self.options.least_s)
            ways = [self.simulation("libmfn", side)]
            ways += [self.simulation(f"libmfn {level}", side, level) for level in self.levels]
            ways += [self.simulation(f"libmfn f32 {level}", side, level, precision="f32") for level in self.levels]
            ways += [self.simulation(f"libmfn {threads} threads", side, threads=threads) for threads in (2, 8)]
            ways += [self.subject("plain Rust loop", "plain", side)]
            peers = [self.peer(name, side) for name in engines.PEERS]
            self.compare("step", side, ways + peers, rounds, least_s)
        self.subjects.ask("drop")

    def variants(self):
        for side in self.options.variant_sides:
            ways = [self.subject(way or "v4.1", f"step {way}".strip(), side) for way in ("", *VARIANTS)]
            ways += [self.subject(f"{way} {level}".strip(), f"step {way} {level}".strip(), side)
                     for level in self.levels for way in ("", "jitter")]
            self.compare("variant", side, ways, self.options.rounds, self.options.least_s)
        self.subjects.ask("drop")

    def bounds(self):
        side = self.options.stream_side
        self.compare("stream", side, [self.subject(name, name, side) for name in ("copy", "update")],
                     self.options.rounds, self.options.least_s)
        self.subjects.ask("drop")

    def scale(self):
        ways = [(side, self.simulation("libmfn", side)) for side in self.options.scale_sides]
        for side, way in ways:
            self.compare("scale", side, [way], self.options.rounds, self.options.least_s)
        self.compare("create", 64, [("libmfn", lambda: Program(
            "libmfn", 1, lambda units: [Simulation(self.library, spec(64)) for _ in range(units)]))],
            self.options.rounds, self.options.least_s)
        self.compare("ensemble", 64, [self.subject(f"{threads} threads", f"ensemble {threads}", 0)
                                      for threads in (1, 2)], self.options.rounds, self.options.least_s)

    def features(self):
        for side in self.options.feature_sides:
            with tempfile.NamedTemporaryFile() as file:
                self.subjects.ask("field", side, file.name)
                field = np.fromfile(file.name, count=side * side).reshape(side, side)
            work = {
                "libmfn, 18 features": lambda field=field: self.library.features(field),
                "scipy.ndimage.label": lambda field=field: analyses.scipy_label(field),
                "cc3d": lambda field=field: analyses.cc3d_label(field),
                "NumPy moments": lambda field=field: analyses.v4_1_moments(field),
            }
            makers = [(name, lambda name=name, call=call: Program(
                name, side * side, lambda units: [call() for _ in range(units)])) for name, call in work.items()]
            makers += [self.subject(f"libmfn {name}", name, side) for name in ("components", "moments", "boxes")]
            self.compare("features", side, makers, self.options.rounds, self.options.least_s)
            self.subjects.ask("drop")

    def krum(self):
        clients = self.options.clients
        gradients = np.random.default_rng(SEED).normal(size=(clients, 10 * clients))
        work = {"libmfn": lambda: self.library.krum(gradients, clients // 5),
                "NumPy Gram": lambda: analyses.gram_krum(gradients, clients // 5)}
        self.compare("krum", clients, [(name, lambda name=name, call=call: Program(
            name, gradients.size, lambda units: [call() for _ in range(units)])) for name, call in work.items()],
            self.options.rounds, self.options.least_s)

    def processes(self):
        """Start-up of a C host, and the time and peak memory of `mfn simulate`."""
        def measured(command):
            launch = os.path.join(os.path.dirname(__file__), "launch.py")
            text = subprocess.run([sys.executable, "-SE", launch, *command], check=True, capture_output=True).stdout
            return tuple(map(float, text.split()))

        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "spec.json")
            runs = [("start", 64, "C host", [self.options.start], {})]
            for side in self.options.memory_sides:
                runs.append(("simulate", side, "mfn simulate", [self.options.mfn, "simulate", "--quiet", "--threads",
                             "1", "--spec", path, "--out", os.path.join(directory, "out")], {"side": side}))
            for task, size, program, command, more in runs:
                if more:
                    with open(path, "w") as file:
                        json.dump({**spec(more["side"]), "steps": 64}, file)
                try:
                    taken = [measured(command) for _ in range(2 * self.options.rounds if task == "start" else 2)]
                except (OSError, subprocess.CalledProcessError) as error:
                    self.missed(task, program, error)
                    continue
                cpu, wall, memory = (min(column) for column in zip(*taken))
                print(f"{task} {size}: {cpu:.3e} s CPU, {wall:.3e} s, {memory / 2**20:.1f} MiB", flush=True)
                self.rows.append({"task": task, "size": size, "program": program, "work": 1, "cpu_s": cpu,
                                  "wall_s": wall, "rounds": len(taken), "peak_bytes": int(memory)})

    def agreement(self):
        """Checks that what is compared computes the same; a difference ends the measurement."""
        side, steps = 48, 120
        run = Simulation(self.library, spec(side))
        run.run(steps)
        expected = run.fields()
        for name, peer in engines.PEERS.items():
            try:
                engine = peer(side, SEED)
                engine.run(steps)
                found = engine.fields()
            except Exception as error:  # noqa: BLE001
                self.missed("agreement", name, error)
                continue
            if peer.exact:
                same = all(np.array_equal(a, b) for a, b in zip(expected, found))
            elif peer.less:
                # Without spikes the potential differs; activator and inhibitor must agree away from the edge.
                inner = slice(side // 2 - 2, side // 2 + 2)
                fused = peer is engines.Jax
                pairs = list(zip(expected, found))[0 if fused else 1:]
                tolerance = 1e-12 if fused or peer is engines.PyPde else 1e-3
                same = all(np.allclose(a[inner, inner], b[inner, inner], rtol=0, atol=tolerance) for a, b in pairs)
            if not same:
                raise SystemExit(f"{name} and libmfn do not compute the same")
        field = np.random.default_rng(1).normal(-0.060, 0.01, (96, 96))
        features = self.library.features(field)
        for name in ("scipy_label", "cc3d_label"):
            try:
                sizes = getattr(analyses, name)(field)
            except Exception as error:  # noqa: BLE001
                self.missed("agreement", name, error)
                continue
            if (len(sizes), max(sizes)) != (features[13], features[16]):
                raise SystemExit(f"{name} and libmfn count other components")
        if not np.allclose(analyses.v4_1_moments(field), features[2:8], rtol=1e-9, atol=1e-9):
            raise SystemExit("the moments of NumPy and libmfn differ")
        # An offset of 1e6 leaves a plain Gram matrix no digits; libmfn must still select the right client.
        for offset in (0.0, 1e6):
            gradients = np.random.default_rng(2).normal(size=(60, 200)) + offset
            if self.library.krum(gradients, 12) != analyses.exact_krum(gradients, 12):
                raise SystemExit(f"libmfn's Krum is wrong for gradients around {offset}")
        print("agreement: NumPy and Numba give libmfn's bits; components, moments and Krum agree", flush=True)

    def run(self):
        tasks = (self.agreement, self.bounds, self.ceiling, self.steps, self.variants, self.scale, self.features, self.krum,
                 self.processes)
        for task in tasks:
            if self.options.only and task.__name__ not in self.options.only:
                continue
            try:
                task()
            except (OSError, RuntimeError, MemoryError) as error:
                # What was measured so far is worth keeping.
                self.missed(task.__name__, "the rest of it", error)
        self.subjects.close()

    def write(self):
        versions = {"python": platform.python_version(), "libmfn": self.library.version()}
        for package in PACKAGES:
            try:
                versions[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError as error:
                self.missed("environment", package, error)
        results = {"machine": machine(self.levels), "versions": versions, "quick": self.options.quick,
                   "less": {name: peer.less for name, peer in engines.PEERS.items() if peer.less},
                   "missing": self.missing, "rows": self.rows}
        with open(self.options.out, "w") as file:
            json.dump(results, file, indent=1)
            file.write("\n")


def machine(levels):
    """What a reader needs to judge the times."""
    with open("/proc/cpuinfo") as file:
        name = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"processor": name, "cores": os.cpu_count(), "levels": levels, "memory_bytes": memory,
            "system": f"{platform.system()} {platform.machine()}"}


def main():
    parser = argparse.ArgumentParser()
    for name in ("libmfn", "subjects", "mfn", "start", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    quick = options.quick
    options.sides = (64, 256) if quick else (64, 256, 1024, 4096)
    options.variant_sides = (256,) if quick else (256, 1024)
    options.scale_sides = (16, 64, 256) if quick else (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
    options.memory_sides = (256,) if quick else (256, 1024, 4096)
    options.feature_sides = (256,) if quick else (1024, 4096)
    options.stream_side = 1024 if quick else 4096
    options.clients = 100 if quick else 1000
    options.rounds = 3 if quick else 9
    options.least_s = 0.02 if quick else 0.2
    measurement = Measurement(options)
    measurement.run()
    measurement.write()


if __name__ == "__main__":
    main()
