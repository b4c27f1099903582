"""libmfn through its C ABI, as any host calls it, and the programs of benches/src through a pipe."""

import ctypes
import json
import subprocess
from ctypes import POINTER, byref, c_char_p, c_double, c_int32, c_size_t, c_ssize_t, c_uint32, c_uint64, c_void_p

import numpy as np

LEVELS = {"auto": 0, "baseline": 1, "avx2": 2, "avx512": 3}
FEATURES = 18


class Execution(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("simd", c_int32), ("threads", c_uint64), ("band_rows", c_uint64),
                ("strip_cols", c_uint64)]


class FieldView(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("rows", c_size_t), ("cols", c_size_t), ("row_stride", c_ssize_t),
                ("col_stride", c_ssize_t)]


class Features(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("values", c_double * FEATURES)]


class AggregationOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("method", c_int32), ("byzantine", c_uint64), ("selected", c_uint64),
                ("iterations_max", c_uint64), ("smoothing", c_double), ("tolerance", c_double)]


class Aggregation(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("converged", c_int32), ("selected_count", c_uint64),
                ("selected_index", c_uint64), ("iterations", c_uint64), ("relative_gap_max", c_double)]


def view(array):
    """A two-dimensional array of doubles where it lies."""
    rows, cols = array.shape
    return FieldView(array.ctypes.data, rows, cols, array.strides[0] // 8, array.strides[1] // 8)


class Library:
    """The functions of mfn.h that are measured. A failure becomes an exception with libmfn's message."""

    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        self.c.mfn_error_message.restype = c_char_p
        self.c.mfn_version.restype = c_char_p
        self.c.mfn_error_message.argtypes = [c_void_p]
        self.c.mfn_error_free.argtypes = [c_void_p]
        self.c.mfn_sim_free.argtypes = [c_void_p]

    def version(self):
        return self.c.mfn_version().decode()

    def call(self, name, *arguments):
        error = c_void_p()
        if getattr(self.c, name)(*arguments, byref(error)) != 0:
            message = self.c.mfn_error_message(error).decode()
            self.c.mfn_error_free(error)
            raise RuntimeError(f"{name}: {message}")

    def features(self, array):
        """The 18 features of a field in volts."""
        features, field = Features(struct_size=ctypes.sizeof(Features)), view(array)
        self.call("mfn_features_compute", byref(field), None, byref(features))
        return list(features.values)

    def krum(self, gradients, byzantine):
        """The index that Krum selects."""
        options, field = AggregationOptions(), view(gradients)
        self.call("mfn_aggregation_options_init", byref(options), c_size_t(ctypes.sizeof(options)))
        options.byzantine = byzantine
        value = np.empty(gradients.shape[1])
        report = Aggregation(struct_size=ctypes.sizeof(Aggregation))
        self.call("mfn_aggregate", byref(field), byref(options), c_void_p(value.ctypes.data), c_size_t(len(value)),
                  None, None, byref(report))
        return report.selected_index


class Simulation:
    """A run; `spec` is the JSON object of the command line and of pipelines."""

    def __init__(self, library, spec, level="auto", threads=1):
        self.library, self.spec, self.sim = library, spec, c_void_p()
        library.call("mfn_sim_create_json", json.dumps(spec).encode(), byref(self.sim))
        execution = Execution(ctypes.sizeof(Execution), LEVELS[level], threads, 0, 0)
        library.call("mfn_sim_set_execution", self.sim, byref(execution))

    def run(self, steps):
        self.library.call("mfn_sim_run", self.sim, c_uint64(steps), None, None)

    def fields(self):
        """Copies of potential, activator and inhibitor."""
        copies = []
        for name in ("mfn_sim_field", "mfn_sim_activator", "mfn_sim_inhibitor"):
            lent = FieldView()
            self.library.call(name, self.sim, byref(lent))
            flat = np.ctypeslib.as_array(ctypes.cast(lent.data, POINTER(c_double)), (lent.rows * lent.row_stride,))
            copies.append(flat.reshape(lent.rows, lent.row_stride)[:, :lent.cols].copy())
        return copies

    def __del__(self):
        self.library.c.mfn_sim_free(self.sim)


class Subjects:
    """The programs of benches/src/subjects.rs, in a process of their own that answers requests."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *request):
        self.process.stdin.write("\t".join(map(str, request)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer.startswith("none"):
            raise RuntimeError(answer.removeprefix("none").strip())
        return answer

    def program(self, shown, name, side):
        return Subject(self, shown, name, side)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Subject:
    """One of them, to be timed as a program of this process is."""

    def __init__(self, subjects, shown, name, side):
        self.subjects, self.name, self.request = subjects, shown, (name, side)

    def prepare(self, least_s):
        self.least_ms = max(1, round(1000 * least_s))
        self.sample()

    def sample(self):
        cpu, wall, work = self.subjects.ask("time", *self.request, self.least_ms).split()
        self.work = float(work)
        return float(cpu), float(wall)
