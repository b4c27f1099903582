"""The step of MyceliumFractalNet 4.1 in other tools, written from its equations; docs/numerics.md has them.

Each class is made from a side and a seed, has `run(steps)`, and says in `exact` whether it must give libmfn's bits. What
a tool leaves out of the step stands in `less`: such a peer has less to do than libmfn.
"""

import numpy as np

ALPHA, SPIKE_P = 0.18, 0.25
D_A, D_I, R_A, R_I, THRESHOLD = 0.1, 0.05, 0.01, 0.02, 0.75
V_MIN, V_MAX, V_ACTIVATION = -0.095, 0.040, 0.005


def initial(side, seed):
    """The stream and the three fields that it gives first."""
    stream = np.random.default_rng(seed)
    v = stream.normal(-0.070, 0.005, (side, side))
    return stream, v, stream.uniform(0, 0.1, (side, side)), stream.uniform(0, 0.1, (side, side))


def draw_spikes(stream, side, steps):
    """The spikes of the next steps: rows (-1: none), columns, volts."""
    rows, cols, volts = np.full(steps, -1), np.zeros(steps, dtype=np.int64), np.zeros(steps)
    for step in range(steps):
        if stream.random() < SPIKE_P:
            rows[step], cols[step] = stream.integers(0, side), stream.integers(0, side)
            volts[step] = stream.normal(0.02, 0.005)
    return rows, cols, volts


def laplacian(x):
    """Five points, periodic, in the order of the original's additions."""
    return np.roll(x, 1, 0) + np.roll(x, -1, 0) + np.roll(x, 1, 1) + np.roll(x, -1, 1) - 4.0 * x


class NumPy:
    """Array operations with NumPy, with the check for NaN and infinity of every step."""

    exact, less = True, ""

    def __init__(self, side, seed):
        self.side = side
        self.stream, self.v, self.a, self.i = initial(side, seed)
        self.activations = self.clamps = 0

    def run(self, steps):
        for _ in range(steps):
            self.step()

    def step(self):
        stream, v, a, i = self.stream, self.v, self.a, self.i
        if stream.random() < SPIKE_P:
            row, col = stream.integers(0, self.side), stream.integers(0, self.side)
            v[row, col] += stream.normal(0.02, 0.005)
        v = v + ALPHA * laplacian(v)
        da = D_A * laplacian(a)
        da += R_A * (a * (1.0 - a) - i)
        di = D_I * laplacian(i)
        di += R_I * (a - i)
        a, i = a + da, i + di
        active = a > THRESHOLD
        count = int(np.sum(active))
        if count > 0:
            v[active] += V_ACTIVATION
            self.activations += count
        a, i = np.clip(a, 0.0, 1.0), np.clip(i, 0.0, 1.0)
        kept = np.clip(v, V_MIN, V_MAX)
        self.clamps += int(np.sum(kept != v))
        for field in (kept, a, i):
            if np.any(np.isnan(field)) or np.any(np.isinf(field)):
                raise FloatingPointError("the step became unstable")
        self.v, self.a, self.i = kept, a, i

    def fields(self):
        return self.v, self.a, self.i


class Numba:
    """One fused loop over cells, compiled by Numba, with counters and check."""

    exact, less = True, ""

    def __init__(self, side, seed):
        import numba

        @numba.njit(fastmath=False)
        def steps_of(v, a, i, v2, a2, i2, rows, cols, volts):
            n = v.shape[0]
            activations = clamps = 0
            finite = True
            for step in range(len(rows)):
                if rows[step] >= 0:
                    v[rows[step], cols[step]] += volts[step]
                for r in range(n):
                    up, down = (r - 1 if r > 0 else n - 1), (r + 1 if r < n - 1 else 0)
                    for c in range(n):
                        left, right = (c - 1 if c > 0 else n - 1), (c + 1 if c < n - 1 else 0)
                        lv = v[up, c] + v[down, c] + v[r, left] + v[r, right] - 4.0 * v[r, c]
                        la = a[up, c] + a[down, c] + a[r, left] + a[r, right] - 4.0 * a[r, c]
                        li = i[up, c] + i[down, c] + i[r, left] + i[r, right] - 4.0 * i[r, c]
                        nv = v[r, c] + ALPHA * lv
                        da = D_A * la
                        da += R_A * (a[r, c] * (1.0 - a[r, c]) - i[r, c])
                        di = D_I * li
                        di += R_I * (a[r, c] - i[r, c])
                        na, ni = a[r, c] + da, i[r, c] + di
                        if na > THRESHOLD:
                            nv += V_ACTIVATION
                            activations += 1
                        kept = min(max(nv, V_MIN), V_MAX)
                        clamps += kept != nv
                        v2[r, c], a2[r, c], i2[r, c] = kept, min(max(na, 0.0), 1.0), min(max(ni, 0.0), 1.0)
                        finite &= np.isfinite(nv) & np.isfinite(na) & np.isfinite(ni)
                v, a, i, v2, a2, i2 = v2, a2, i2, v, a, i
            return activations, clamps, finite

        self.side, self.steps_of = side, steps_of
        self.stream, *self.now = initial(side, seed)
        self.next = [field.copy() for field in self.now]

    def run(self, steps):
        *_, finite = self.steps_of(*self.now, *self.next, *draw_spikes(self.stream, self.side, steps))
        if steps % 2:
            self.now, self.next = self.next, self.now
        if not finite:
            raise FloatingPointError("the run became unstable")

    def fields(self):
        return self.now


class Jax:
    """XLA through jax.jit in double precision; all steps of a call in one compiled loop."""

    exact, less = False, "may fuse multiplication and addition"

    def __init__(self, side, seed):
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)

        def lap(x):
            return jnp.roll(x, 1, 0) + jnp.roll(x, -1, 0) + jnp.roll(x, 1, 1) + jnp.roll(x, -1, 1) - 4.0 * x

        def step(state, spike):
            v, a, i, activations, clamps, finite = state
            row, col, volt = spike
            v = v.at[row, col].add(volt)
            v = v + ALPHA * lap(v)
            na = a + (D_A * lap(a) + R_A * (a * (1.0 - a) - i))
            ni = i + (D_I * lap(i) + R_I * (a - i))
            active = na > THRESHOLD
            v = v + jnp.where(active, V_ACTIVATION, 0.0)
            kept = jnp.clip(v, V_MIN, V_MAX)
            finite &= jnp.all(jnp.isfinite(v)) & jnp.all(jnp.isfinite(na)) & jnp.all(jnp.isfinite(ni))
            counts = activations + jnp.sum(active), clamps + jnp.sum(kept != v)
            return (kept, jnp.clip(na, 0.0, 1.0), jnp.clip(ni, 0.0, 1.0), *counts, finite), None

        self.side, self.jax = side, jax
        self.loop = jax.jit(lambda state, spikes: jax.lax.scan(step, state, spikes)[0], donate_argnums=0)
        self.stream, *fields = initial(side, seed)
        self.state = (*map(jnp.asarray, fields), jnp.int64(0), jnp.int64(0), jnp.bool_(True))

    def run(self, steps):
        rows, cols, volts = draw_spikes(self.stream, self.side, steps)
        self.state = self.loop(self.state, (np.maximum(rows, 0), cols, volts))
        self.jax.block_until_ready(self.state)

    def fields(self):
        return [np.asarray(field) for field in self.state[:3]]


class Devito:
    """Generated and compiled C (Devito); cells beside the edge see zeros."""

    exact, less = False, "no spikes, activation, clipping, counters or check; fast-math; zeros outside"

    def __init__(self, side, seed):
        import devito

        devito.configuration["log-level"] = "ERROR"
        grid = devito.Grid(shape=(side, side), extent=(side - 1.0, side - 1.0), dtype=np.float64)
        v, a, i = (devito.TimeFunction(name=name, grid=grid, space_order=2, time_order=1) for name in "vai")
        for function, values in zip((v, a, i), initial(side, seed)[1:]):
            function.data[0] = values
        equations = [
            devito.Eq(v.forward, v + ALPHA * v.laplace),
            devito.Eq(a.forward, a + D_A * a.laplace + R_A * (a * (1.0 - a) - i)),
            devito.Eq(i.forward, i + D_I * i.laplace + R_I * (a - i)),
        ]
        spacing = dict.fromkeys(grid.spacing_map, 1.0)
        self.operator = devito.Operator(equations, subs=spacing)
        self.functions, self.at = (v, a, i), 0

    def run(self, steps):
        self.operator.apply(time_m=self.at, time_M=self.at + steps - 1)
        self.at = (self.at + steps) % 2

    def fields(self):
        return [np.array(function.data[self.at]) for function in self.functions]


class PyPde:
    """py-pde with its compiled right-hand side and explicit Euler steps."""

    exact, less = False, "no spikes, activation, clipping, counters or check"

    def __init__(self, side, seed):
        import pde

        grid = pde.CartesianGrid([[0, side], [0, side]], side, periodic=True)
        fields = [pde.ScalarField(grid, values) for values in initial(side, seed)[1:]]
        equations = pde.PDE({
            "v": f"{ALPHA} * laplace(v)",
            "a": f"{D_A} * laplace(a) + {R_A} * (a * (1 - a) - i)",
            "i": f"{D_I} * laplace(i) + {R_I} * (a - i)",
        })
        self.state = pde.FieldCollection(fields)
        solver = pde.EulerSolver(equations, backend="numba")
        self.stepper, self.at = solver.make_stepper(self.state, dt=1.0), 0.0

    def run(self, steps):
        result = self.stepper(self.state, self.at, self.at + steps)
        self.at = result if isinstance(result, float) else self.at + steps

    def fields(self):
        return list(self.state.data)


PEERS = {"NumPy": NumPy, "Numba": Numba, "JAX": Jax, "Devito": Devito, "py-pde": PyPde}
