#!/usr/bin/env python3
"""What several ranks cost, measured on this machine and simulated for larger ones.

  benchmarks/ranks.py measure CONFIG [--rounds 3] [--steps 5] [--hir java/hir] [key=value ...]
  benchmarks/ranks.py simulate RUN_DIR --parameters 135e6 [--rollout-rate T --update-rate T --token-seconds S]

`measure` runs one rank of two threads and two ranks of one, in turn (A B A B), and prints the medians of a step's
seconds, their ratio by round, and the bytes on the loopback a step beside what the formula says: gradients of n
parameters in float32 are sent to the rank that sums its share, and the sums back, 8 (N - 1) n bytes an update for all
ranks together.

`simulate` takes the lengths of the responses that a run dumped, deals prompts as the engine does (longest expected
first, to the rank with the least), and adds up a step of 8 and 64 ranks with the same number of prompts a rank:
sampling until the slowest rank is done, the update, and the gradients' sum at 450 and 50 GB/s. Rates are tokens a
second of one rank, as `hir bench` measures them; --token-seconds is the time of one decoding step, which bounds a
rank's sampling from below by its longest response.
"""
import argparse
import glob
import json
import os
import random
import shlex
import statistics
import struct
import subprocess
import sys
import tempfile

PARTS = ("rollout", "verify", "logprob", "update")


def loopback():
    with open("/proc/net/dev") as file:
        for line in file:
            name, _, numbers = line.partition(":")
            if name.strip() == "lo":
                return int(numbers.split()[8])
    return 0


def parameters(run):
    """Elements of the newest checkpoint's model."""
    path = sorted(glob.glob(os.path.join(run, "checkpoints", "step-*", "model.safetensors")))[-1]
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    total = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            count = 1
            for size in tensor["shape"]:
                count *= size
            total += count
    return total


def metrics(run):
    with open(os.path.join(run, "metrics.jsonl")) as file:
        return [json.loads(line) for line in file]


def train(hir, config, out, settings, ranks):
    command = shlex.split(hir) + ["train", config, "out=" + out, "--json"] + settings
    if ranks > 1:
        command += ["--nproc", str(ranks)]
    before = loopback()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {shlex.join(command)} failed\n{done.stderr[-2000:]}")
    steps = metrics(out)[1:]  # the first step also warms up
    seconds = {part: statistics.median(s["seconds"][part] for s in steps) for part in PARTS}
    return seconds, loopback() - before, metrics(out)


def measure(given):
    ours = {1: [], 2: []}
    sent = []
    with tempfile.TemporaryDirectory() as folder:
        for round_ in range(given.rounds):
            for ranks, threads in ((1, 2), (2, 1)):
                out = os.path.join(folder, f"{ranks}-{round_}")
                settings = given.settings + [
                    f"threads={threads}", f"train.steps={given.steps}", "checkpoint.every=0", "eval.every=0",
                    "data.eval=null"]
                seconds, bytes_, steps = train(given.hir, given.config, out, settings, ranks)
                ours[ranks].append(seconds)
                print(f"{ranks} ranks of {threads} threads  {seconds}  load {os.getloadavg()[0]:.1f}",
                      file=sys.stderr, flush=True)
                if ranks == 2:
                    n = parameters(out)
                    updates = steps[-1]["updates"]
                    sent.append((bytes_ / given.steps, 8 * n * updates / given.steps, n))
    print("| part | 1 rank of 2 threads, s | 2 ranks of 1 thread, s | ratio by round |")
    print("|---|---|---|---|")
    for part in PARTS + ("all",):
        one = [sum(s.values()) if part == "all" else s[part] for s in ours[1]]
        two = [sum(s.values()) if part == "all" else s[part] for s in ours[2]]
        ratios = " ".join(f"{b / a:.2f}" if a else "-" for a, b in zip(one, two))
        print(f"| {part} | {statistics.median(one):.3f} | {statistics.median(two):.3f} | {ratios} |")
    measured = statistics.median(s[0] for s in sent)
    print(f"\nbytes on the loopback a step: {measured:,.0f}; gradients by the formula, {sent[0][2]:,} parameters: "
          f"{sent[0][1]:,.0f}; the rest, {measured - sent[0][1]:,.0f}, is joining and the responses")


def responses(run):
    """Response lengths of the originals, by instruction and step."""
    steps = []
    for path in sorted(glob.glob(os.path.join(run, "rollouts", "step-*.jsonl"))):
        groups = {}
        with open(path) as file:
            for line in file:
                row = json.loads(line)
                if row.get("replay") is None:
                    groups.setdefault(row["prompt_id"], []).append(len(row["response_ids"]))
        steps.append(list(groups.values()))
    return steps


def deal(costs, ranks):
    loads = [0.0] * ranks
    owners = [0] * len(costs)
    for item in sorted(range(len(costs)), key=lambda i: -costs[i]):
        least = loads.index(min(loads))
        owners[item] = least
        loads[least] += costs[item]
    return owners


def simulate(given):
    pool = [group for step in responses(given.run) for group in step]
    per_rank = given.prompts or len(responses(given.run)[0])
    draw = random.Random(1)
    print("| ranks | bandwidth, GB/s | sampling, s | imbalance | update, s | sum of gradients, s | efficiency |")
    print("|---|---|---|---|---|---|---|")

    def step(ranks):
        groups = [draw.choice(pool) for _ in range(per_rank * ranks)]
        # What earlier steps show: another draw of the same prompt, as noisy as a group's mean.
        expected = [statistics.mean(draw.choice(g) for _ in g) for g in groups]
        owners = deal(expected, ranks)
        tokens, longest = [0] * ranks, [0] * ranks
        for owner, group in zip(owners, groups):
            tokens[owner] += sum(group)
            longest[owner] = max(longest[owner], max(group))
        times = [max(t / given.rollout_rate, l * given.token_seconds) for t, l in zip(tokens, longest)]
        update = sum(tokens) / ranks / given.update_rate
        return max(times), statistics.mean(times), update

    samples = {ranks: [step(ranks) for _ in range(given.samples)] for ranks in (1, 8, 64)}
    alone = statistics.mean(s + u for s, _, u in samples[1])
    for ranks in (8, 64):
        sampling = statistics.mean(s for s, _, _ in samples[ranks])
        mean = statistics.mean(m for _, m, _ in samples[ranks])
        update = statistics.mean(u for _, _, u in samples[ranks])
        for bandwidth in (450, 50):
            moved = 2 * (ranks - 1) / ranks * 4 * given.parameters * given.updates
            communication = moved / (bandwidth * 1e9)
            total = sampling + update + communication
            print(f"| {ranks} | {bandwidth} | {sampling:.2f} | {sampling / mean - 1:.1%} | {update:.2f} | "
                  f"{communication:.4f} | {alone / total:.1%} |")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = options.add_subparsers(dest="command", required=True)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    one = commands.add_parser("measure")
    one.add_argument("config")
    one.add_argument("settings", nargs="*")
    one.add_argument("--rounds", type=int, default=3)
    one.add_argument("--steps", type=int, default=5)
    one.add_argument("--hir", default=os.path.join(here, "java", "hir"))
    two = commands.add_parser("simulate")
    two.add_argument("run")
    two.add_argument("--parameters", type=float, required=True)
    two.add_argument("--rollout-rate", type=float, default=10_000)
    two.add_argument("--update-rate", type=float, default=10_000)
    two.add_argument("--token-seconds", type=float, default=0.005)
    two.add_argument("--prompts", type=int, help="prompts a rank; those of the run's step by default")
    two.add_argument("--updates", type=int, default=1, help="updates a step")
    two.add_argument("--samples", type=int, default=200)
    given = options.parse_args()
    (measure if given.command == "measure" else simulate)(given)


if __name__ == "__main__":
    main()
