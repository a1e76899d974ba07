#!/usr/bin/env python3
"""Where the time of decode steps and updates goes, kernel by kernel, as PyTorch's profiler sees it.

  breakdown.py LIBHIR_KERNELS.SO --time [--shapes qwen3-0.6b] [--batches 1,8,64] [--context 1024] [--tokens 16384]
  --emulated      a tiny shape on the CPU's emulator, which has no kernels to see: only whether it runs
  --out DIR       writes breakdown.json there

Each table is of one step (or update) on average. What its kernels do not cover is time without a kernel: the host was late.
"""
import re
import sys

import torch
from torch.profiler import ProfilerActivity, profile

from decode import Rows
from host import options, seconds
from passes import Batch, Update
from qwen3 import SHAPES, Model

SHOWN = 14


def short(name):
    """A kernel's name without types and namespaces."""
    name = re.sub(r"^(void|auto) ", "", name)
    name = name.replace("(anonymous namespace)::", "")
    return re.split(r"[<(]", name)[0].split("::")[-1][:48]


def table_of(results, title, work, repeats):
    work()
    took = seconds(work, repeats, 1)
    kinds = [ProfilerActivity.CUDA] if torch.cuda.is_available() else [ProfilerActivity.CPU]
    with profile(activities=kinds) as found:
        for _ in range(repeats):
            work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    sums = {}
    for event in found.key_averages():
        spent = getattr(event, "self_device_time_total", 0)
        if spent > 0:
            total, count = sums.get(short(event.key), (0, 0))
            sums[short(event.key)] = total + spent, count + event.count
    whole = sum(total for total, _ in sums.values())
    ranked = sorted(sums.items(), key=lambda item: -item[1][0])
    rows = [(name, f"{count / repeats:.0f}", f"{total / count:.1f}", f"{total / repeats / 1e3:.3f}", f"{total / whole:.0%}")
            for name, (total, count) in ranked]
    results.found["tables"].append({"title": title, "ms": 1e3 * took, "kernels": rows})
    print(f"\n{title}: {1e3 * took:.3f} ms, of which kernels {whole / repeats / 1e3:.3f} ms")
    for row in rows[:SHOWN]:
        print(f"  {row[0]:48} {row[1]:>6} x {row[2]:>8} us = {row[3]:>8} ms {row[4]:>5}")


def arguments(parser):
    parser.add_argument("--shapes", default="qwen3-0.6b")
    parser.add_argument("--batches", type=lambda text: [int(n) for n in text.split(",")], default=[1, 8, 64])
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--tokens", type=int, default=16384)


def main():
    o, lib, results = options(__doc__, arguments)
    if o.emulated:
        o.shapes, o.batches, o.context, o.tokens = "dry", [2], 20, 30
    repeats = 1 if o.emulated else 3
    for name in o.shapes.split(","):
        shape = SHAPES[name]
        model = Model(shape, torch.bfloat16, lib.device)
        for count in o.batches:
            with Rows(lib, model, count, o.context, 2 * repeats + 8) as rows:
                table_of(results, f"{name}, a decode step of {count} rows", rows.draw, repeats)
        random = torch.Generator().manual_seed(9)
        mean = (20, 30) if o.emulated else (256, 384)
        batches = [Batch(random, shape.vocab, o.tokens, *mean) for _ in range(2 * repeats + 2)]
        room = max(len(b.sequence(i)) for b in batches for i in b.responses())
        update = Update(lib, model, batches, room)
        table_of(results, f"{name}, an update of {o.tokens} tokens", update, repeats)
        update.native.close()
    return results.write("breakdown")


if __name__ == "__main__":
    sys.exit(main())
