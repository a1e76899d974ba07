#!/usr/bin/env python3
"""Pairs `hir bench` with the same work in PyTorch: A B A B ..., medians, ratio, and whether its budget holds.

  benchmarks/pair.py --peer "python path/to/peer_bench.py" [--rounds 3] [--hir java/hir] [--only toy|real|demo] [CASE...]

Without cases it takes the budgets that hold on this machine's processor: the toy shapes, the shapes that people train
(in bfloat16 against the peer's --mixed, which is how trainers run it), their memory and their share of the processor's
ceiling, and the demo run. A case is PART:SHAPE[:BENCH OPTIONS], such as rollout:demo-2m or "step:half-0.25b:--dtype
bfloat16 --batch 16"; one that no budget names is measured all the same.

The peer takes the same arguments as `hir bench` and prints one JSON line with the same keys. One line per run goes to
standard error, Markdown to standard output; the exit code is 1 where a budget does not hold.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

PARTS = ["rollout", "logprob", "update", "step"]
TOY = ["demo-2m", "tiny-12m"]
# As many rows as fit into 24 GB on both sides.
REAL = {"smol-135m": "--batch 16", "half-0.25b": "--batch 16", "qwen3-0.6b": "--batch 8 --micro 8"}
MEMORY = 0.7  # of the peer's
DEMO_SECONDS = 20


def processor():
    """Its name, and whether it has AMX."""
    with open("/proc/cpuinfo") as lines:
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    name = f"{fields['model name']}, family {fields['cpu family']} model {fields['model']}"
    return f"{name}, {os.cpu_count()} cores", "amx_bf16" in fields["flags"].split()


def budgets(amx, only):
    """Case to its budgets: least ratio, most of the peer's memory, least share of the ceiling; none is None."""
    cases = {}
    if only in (None, "toy"):
        for shape in TOY:
            for part, ratio in zip(PARTS, (5, 3, 2.5, 2.8)):
                cases[f"{part}:{shape}"] = (ratio, None, None)
    if only in (None, "real"):
        bfloat16 = (4, 4, 4, 4) if amx else (2.5, 2, 2, 2)
        for shape, batch in REAL.items():
            for dtype, ratios in (("bfloat16", bfloat16), ("float32", (2.5, 2, 1.8, 2))):
                for part, ratio in zip(PARTS, ratios):
                    share = 0.3 if dtype == "bfloat16" and part == "update" else None
                    cases[f"{part}:{shape}:--dtype {dtype} --lengths mixed {batch}"] = (ratio, MEMORY, share)
        # Of the machine: 64 rows.
        cases["rollout:smol-135m:--dtype bfloat16 --lengths mixed --batch 64"] = (bfloat16[0], MEMORY, 0.2)
    return cases


def run(command, case, mixed):
    part, shape, options = (case + "::").split(":", 3)[:3]
    arguments = shlex.split(command) + [part, "--shape", shape] + shlex.split(options) + (["--mixed"] if mixed else [])
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        print(f"error: {shlex.join(arguments)} failed\n{done.stderr[-2000:]}", file=sys.stderr)
        return None
    row = json.loads(lines[-1])
    load = os.getloadavg()[0]
    print(f"{case}  {row['tokens_per_s']:.0f} tokens/s  {row['peak_rss_mb']} MB  load {load:.1f}  {row['impl']}",
          file=sys.stderr, flush=True)
    return row


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def against(value, budget, holds):
    """A cell: the value, its budget, and whether it holds."""
    return value if budget is None else f"{value} ({budget:g}) {'yes' if holds else '**no**'}"


def measure(given, case, budget):
    """A row of the table, and whether all of the case's budgets hold."""
    ratio, memory, share = budget
    ours, peer = [], []
    for _ in range(given.rounds):
        for rows, command in ((ours, given.hir), (peer, given.peer)):
            row = run(command, case, command is given.peer and "bfloat16" in case)
            if row is None:
                return f"| {case.replace(':', ' ', 1)} | failed | | | | | |", False
            rows.append(row)
    a, b = median(ours, "tokens_per_s"), median(peer, "tokens_per_s")
    mine, theirs = median(ours, "peak_rss_mb"), median(peer, "peak_rss_mb")
    reached = median(ours, "ceiling_share") if "ceiling_share" in ours[0] else 0
    holds = [ratio is None or a / b >= ratio, memory is None or mine / theirs <= memory, share is None or reached >= share]
    rounds = ", ".join(f"{x['tokens_per_s'] / y['tokens_per_s']:.2f}" for x, y in zip(ours, peer))
    what = case.split(":")
    cells = [f"{what[0]} {what[1]}", ours[0]["dtype"], str(ours[0]["batch"]), f"{a:,.0f} / {b:,.0f}",
             against(f"{a / b:.2f}", ratio, holds[0]), rounds,
             f"{mine:.0f} / {theirs:.0f}", against(f"{mine / theirs:.2f}", memory, holds[1]),
             against(f"{reached:.0%}", share and 100 * share, holds[2])]
    return "| " + " | ".join(cells) + " |", all(holds)


def demo(hir):
    """Seconds of the demo's training run, start-up and evaluation included."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with tempfile.TemporaryDirectory() as out:
        start = time.monotonic()
        subprocess.run(shlex.split(hir)[:-1] + ["train", os.path.join(root, "data", "demo", "hir.yaml"), f"out={out}/run"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return time.monotonic() - start


def main():
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--peer", required=True)
    options.add_argument("--hir", default=os.path.join(here, "java", "hir") + " bench")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", choices=["toy", "real", "demo"], help="these budgets alone")
    options.add_argument("cases", nargs="*")
    given = options.parse_args()
    name, amx = processor()
    known = budgets(amx, None)
    cases = {case: known.get(case, (None, None, None)) for case in given.cases} or budgets(amx, given.only)
    print(f"{name}; {given.rounds} rounds; load {os.getloadavg()[0]:.1f} at the start. Budgets in brackets.\n")
    print("| case | dtype | rows | tokens/s, ours / peer | ratio | by round | MB, ours / peer | memory | of the ceiling |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    met = True
    for case, budget in cases.items():
        row, holds = measure(given, case, budget)
        met = met and holds
        print(row, flush=True)
    if not given.cases and given.only in (None, "demo"):
        seconds = demo(given.hir)
        met = met and seconds <= DEMO_SECONDS
        print(f"\nThe demo's training run: {against(f'{seconds:.1f} s', DEMO_SECONDS, seconds <= DEMO_SECONDS)}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
