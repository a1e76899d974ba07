"""Shared by the scripts of this folder: the native library, clocks, the host's ceilings, checks and tables."""
import argparse
import ctypes
import json
import os
import time

import torch

BASELINE, CUDA, EMULATED = 0, 3, 4
FLOAT32, BFLOAT16 = 0, 1
i32, i64, f64 = ctypes.c_int32, ctypes.c_int64, ctypes.c_double


def code(dtype):
    return BFLOAT16 if dtype == torch.bfloat16 else FLOAT32


class Library:
    """libhir_kernels.so; calls go to PyTorch's current stream, in one order with PyTorch's own."""

    def __init__(self, path, backend):
        self.lib, self.backend = ctypes.CDLL(path), backend
        if backend == EMULATED:
            ctypes.CDLL(os.path.join(os.path.dirname(path), "testing", "libhir_testing.so")).hir_emulate()
        self.lib.hir_last_error.restype = ctypes.c_char_p

    @property
    def device(self):
        return "cuda" if self.backend == CUDA else "cpu"

    def check(self, code):
        if code:
            raise RuntimeError(self.lib.hir_last_error().decode())

    def call(self, name, *arguments, backend=None):
        stream = torch.cuda.current_stream().cuda_stream if backend is None and self.backend == CUDA else 0
        place = i32(self.backend if backend is None else backend), i32(0), i64(stream)
        self.check(getattr(self.lib, name)(*place, *arguments))

    @staticmethod
    def rows(x):
        return i64(x.data_ptr()), i64(x.shape[0]), i64(x.shape[1]), i64(x.stride(0)), i32(code(x.dtype))

    def token_logprob(self, x, targets, temperature):
        out, entropy = (torch.empty(len(x), device=x.device) for _ in range(2))
        self.call("hir_token_logprob", *self.rows(x), i64(targets.data_ptr()), f64(temperature), i64(out.data_ptr()),
                  i64(entropy.data_ptr()))
        return out, entropy

    def policy_loss(self, x, targets, old, advantages, weights):
        sums = (f64 * 7)()
        self.call("hir_policy_loss", *self.rows(x), i64(targets.data_ptr()), i64(old.data_ptr()), i64(0),
                  i64(advantages.data_ptr()), i64(weights.data_ptr()), f64(1), f64(0.2), f64(0.2), f64(3), f64(0), i32(0),
                  f64(0), i64(0), i64(0), sums)
        return list(sums)

    def sample(self, x, temperature, top_k, top_p, min_p, counters, backend=None):
        tokens = torch.empty(len(x), dtype=torch.int64, device=x.device)
        logprobs = torch.empty(len(x), device=x.device)
        self.call("hir_sample", *self.rows(x), f64(temperature), i64(top_k), f64(top_p), f64(min_p), i64(42),
                  i64(counters.data_ptr()), i64(tokens.data_ptr()), i64(logprobs.data_ptr()), i64(0), backend=backend)
        return tokens, logprobs

    def adamw(self, params, grads, m, v, low, step, rate=1e-3, decay=0.01, scale=1.0):
        self.call("hir_adamw", i64(params.data_ptr()), i64(grads.data_ptr()), i32(code(grads.dtype)), i64(m.data_ptr()),
                  i64(v.data_ptr()), i64(0 if low is None else low.data_ptr()), i64(params.numel()), f64(rate), f64(0.9),
                  f64(0.999), f64(1e-8), f64(decay), f64(scale), i64(step))

    def sum_of_squares(self, x):
        result = f64()
        self.call("hir_sum_of_squares", i64(x.data_ptr()), i64(x.numel()), i32(code(x.dtype)), ctypes.byref(result))
        return result.value

    def synchronize(self):
        self.call("hir_synchronize")


class Results:
    """A script's results as JSON, besides the few lines that it prints: output is cut after 12,000 characters."""

    def __init__(self, folder):
        self.folder, self.failed = folder, 0
        self.found = {"device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
                      "torch": torch.__version__, "checks": [], "tables": []}

    def table(self, title, columns, rows):
        rows = list(rows)
        self.found["tables"].append({"title": title, "columns": columns, "rows": rows})
        print(f"\n{title}\n\n{table(columns, rows)}")

    def write(self, name):
        """The exit code."""
        if self.folder:
            os.makedirs(self.folder, exist_ok=True)
            with open(os.path.join(self.folder, f"{name}.json"), "w") as file:
                json.dump(self.found, file, indent=1)
        return 1 if self.failed else 0


class Checks:
    """Compares errors with their bounds: records all of them and prints those that are too large."""

    def __init__(self, results):
        self.results, self.count = results, 0

    def __call__(self, what, error, bound):
        good = error <= bound  # false for NaN, too
        self.count += 1
        self.results.failed += not good
        self.results.found["checks"].append({"what": what, "error": error, "bound": bound, "good": bool(good)})
        if not good and self.results.failed <= 20:
            print(f"FAILED {what:58} error {error:9.2e}, at most {bound:.0e}")

    def done(self, script):
        print(f"{script}: {self.count} checks, {self.results.failed} failed")


def options(description, add=lambda parser: None):
    """The command line that the scripts share, the library and the results."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", help="libhir_kernels.so of the GPU build")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--emulated", action="store_true")
    parser.add_argument("--out", help="folder of the results as JSON")
    add(parser)
    given = parser.parse_args()
    if not (given.check or given.time):
        parser.error("--check, --time or both")
    if not given.emulated and not torch.cuda.is_available():
        parser.error("no CUDA device here; --emulated runs a tiny shape on the CPU")
    torch.manual_seed(1)
    return given, Library(given.kernels, EMULATED if given.emulated else CUDA), Results(given.out)


def seconds(work, repeats=20, warm_up=3):
    """Mean time of `work`, by the device's clock on a GPU."""
    for _ in range(warm_up):
        work()
    if not torch.cuda.is_available():
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        return (time.perf_counter() - start) / repeats
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(repeats):
        work()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / repeats / 1e3


def kernel_seconds(work, repeats=3):
    """Mean time of the kernels alone that `work` starts, as the profiler sees them; None without a GPU."""
    if not torch.cuda.is_available():
        return None
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as found:
        for _ in range(repeats):
            work()
        torch.cuda.synchronize()
    return sum(event.self_device_time_total for event in found.key_averages()) / repeats / 1e6


class Ceilings:
    """Measured ceilings of this host: copied bytes/s, and flops/s of a large product in bfloat16."""

    def __init__(self, device, small=False):
        source = torch.empty(1 << (16 if small else 30), dtype=torch.uint8, device=device)
        target = torch.empty_like(source)
        self.bandwidth = 2 * source.numel() / seconds(lambda: target.copy_(source))
        n = 128 if small else 8192
        a, b = (torch.randn(n, n, device=device, dtype=torch.bfloat16) for _ in range(2))
        self.flops = 2 * n**3 / seconds(lambda: a @ b)

    def __str__(self):
        name = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
        return (f"{name}, PyTorch {torch.__version__}: a copy reaches {self.bandwidth / 1e9:.0f} GB/s, "
                f"a bfloat16 product {self.flops / 1e12:.0f} TFLOP/s")


def table(columns, rows):
    """Markdown; None is a dash."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join("-" if cell is None else str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
