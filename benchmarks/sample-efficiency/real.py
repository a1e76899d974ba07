#!/usr/bin/env python3
"""A grid of methods and seeds on a real model (data/real), evaluated and compared.

  benchmarks/sample-efficiency/real.py search [--rates 1e-5,2e-5,4e-5]    one seed a rate, a quarter of the rollouts
  benchmarks/sample-efficiency/real.py run    [--methods ... --seeds 1,2 --rollouts 1920]
  benchmarks/sample-efficiency/real.py report
  benchmarks/sample-efficiency/real.py run --device cuda --jobs 5 --set train.micro_tokens=16384      on a GPU

--jobs runs at a time, into OUT/METHOD/seed-N. A run that was broken off goes on where it was, and what is finished is
kept, so each command may be given again. `search` leaves each method's learning rate in OUT/rates.json; without it all
take the recipe's. `run` trains, answers the benchmarks greedily, and scores IFEval's answers under the model that
training began with. `report` needs no model: it writes OUT/results.md, OUT/curves.csv and OUT/curves.svg.

All methods sample as many responses. Intervals are 95 % bootstraps: over seeds and over prompts, the same prompts for
all methods, so that differences between methods are paired. With two seeds the part of the seeds is a guess.

IFBench's and MulDimIF's prompts are not part of this repository: give --ifbench FILE and --muldimif FILE, or leave them out.
"""
import argparse
import csv
import json
import os
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
RECIPE = os.path.join(ROOT, "data", "real", "hir-achieve.yaml")

# What a method changes of the recipe. Six responses a prompt for all: those that replay sample six of a group of eight.
METHODS = {
    "hir-achieve": [],
    "hir-achieve-grpo": ["advantage.estimator=grpo"],  # differs from grpo in nothing but its replays
    "hir": ["algorithm=hir"],
    "rl-cla": ["algorithm=rl-cla", "train.group=6"],
    "rl-ila": ["algorithm=rl-ila", "train.group=6"],
    "grpo": ["algorithm=grpo", "reward=cla", "train.group=6"],
}
RATE = 2e-5
SEARCH_SEED = 90
BOOTSTRAPS = 2000


# ---------------------------------------------------------------- statistics


def compared(seeds, baseline=None, bootstraps=BOOTSTRAPS):
    """Mean of `seeds`, less that of `baseline` where given, and its 95 % interval.

    Each is one list for each seed: a value for each prompt, in the same order. Prompts are drawn for both together.
    """
    rng = random.Random(1)
    prompts = len(seeds[0])
    if any(len(values) != prompts for values in seeds + (baseline or [])):
        raise ValueError("runs were evaluated on different prompts")

    def mean(runs, drawn):
        return sum(runs[r][p] for r in drawn(len(runs)) for p in chosen) / (len(runs) * prompts)

    def resampled(count):
        return rng.choices(range(count), k=count)

    chosen = range(prompts)
    value = mean(seeds, range) - (mean(baseline, range) if baseline else 0)
    samples = []
    for _ in range(bootstraps):
        chosen = resampled(prompts)
        samples.append(mean(seeds, resampled) - (mean(baseline, resampled) if baseline else 0))
    samples.sort()
    return value, samples[int(0.025 * bootstraps)], samples[int(0.975 * bootstraps) - 1]


def distinct(texts, n=3):
    """Different n-grams of words among all of them."""
    grams = [tuple(words[i : i + n]) for words in map(words_of, texts) for i in range(len(words) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


def words_of(text):
    return re.findall(r"\w+", text.lower())


# ---------------------------------------------------------------- running


def rates(out):
    file = os.path.join(out, "rates.json")
    return read(file) if os.path.exists(file) else {}


def read(file):
    with open(file) as text:
        return json.load(text)


def settings(method, seed, rate, rollouts, folder, model):
    chosen = METHODS[method] + [f"train.seed={seed}", f"optim.lr={rate}", f"train.max_rollouts={rollouts}"]
    chosen += ["train.steps=1000000", "kl.beta=0", f"out={folder}"]
    return chosen + ([f"model={model}"] if model else [])


def train(args, method, seed, rate, rollouts, folder):
    if os.path.exists(os.path.join(folder, "summary.json")):
        return
    hir(args, folder, "train", RECIPE, "--resume", *settings(method, seed, rate, rollouts, folder, args.model),
        f"device={args.device}", *args.set)


def hir(args, folder, *words):
    """Several at a time would print over each other: their output goes to FOLDER.log."""
    print("+ hir", *words, flush=True)
    if args.jobs == 1:
        subprocess.run([args.hir, *words], check=True)
        return
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(folder + ".log", "a+") as log:
        if subprocess.run([args.hir, *words], stdout=log, stderr=log).returncode:
            log.seek(0)
            raise SystemExit(f"{words[0]} has failed: {log.name}\n" + "".join(log.readlines()[-5:]))


def at_once(args, work, items):
    """The results of work(item), in order."""
    with ThreadPoolExecutor(args.jobs) as pool:
        return list(pool.map(work, items))


def newest(folder):
    steps = os.listdir(os.path.join(folder, "checkpoints"))
    return os.path.join(folder, "checkpoints", max((s for s in steps if s.startswith("step-")), key=lambda s: int(s[5:])))


def benchmarks(args):
    known = {"ifeval": os.path.join(ROOT, "data", "real", "ifeval.jsonl"), "ifbench": args.ifbench, "muldimif": args.muldimif}
    return {name: file for name, file in known.items() if file}


def evaluate(args, model, folder):
    """Greedy answers to every benchmark, and IFEval's under the model that training began with."""
    os.makedirs(folder, exist_ok=True)
    for name, file in benchmarks(args).items():
        out = os.path.join(folder, name + ".jsonl")
        if not os.path.exists(out):
            hir(args, folder, "evaluate", "--bench", name, "--data", file, "--max-tokens", str(args.max_tokens), "--model",
                model, "--device", args.device, "--dtype", "bfloat16", "--out", out, "--resume")
    answers, scored = (os.path.join(folder, name) for name in ("ifeval.jsonl", "under-start.jsonl"))
    if not os.path.exists(scored):
        hir(args, folder, "score", "--model", start(args), "--device", args.device, "--in", answers, "--out", scored,
            "--resume")


def start(args):
    return args.model or "HuggingFaceTB/SmolLM2-135M-Instruct"


def search(args):
    """The rate with the highest held-out ILA of sound answers; where that is level, the higher CLA decides."""

    def score(pair):
        method, rate = pair
        folder = os.path.join(args.out, "search", method, rate)
        train(args, method, SEARCH_SEED, rate, args.rollouts // 4, folder)
        after = read(os.path.join(folder, "summary.json"))["after"]
        return after.get("sound_ila", after["ila"]), after["cla"]

    pairs = [(method, rate) for method in args.methods for rate in args.rates]
    scores = dict(zip(pairs, at_once(args, score, pairs)))
    found = rates(args.out)
    for method in args.methods:
        for rate in args.rates:
            ila, cla = scores[method, rate]
            print(f"{method} at {rate}: ILA of sound answers {100 * ila:.1f} %, CLA {100 * cla:.1f} %", flush=True)
        found[method] = max(args.rates, key=lambda rate: scores[method, rate])
    with open(os.path.join(args.out, "rates.json"), "w") as file:
        json.dump(found, file, indent=1)


def run(args):
    def one(pair):
        if pair is None:
            evaluate(args, start(args), os.path.join(args.out, "start"))
            return
        seed, method = pair
        folder = os.path.join(args.out, method, f"seed-{seed}")
        train(args, method, seed, rates(args.out).get(method, RATE), args.rollouts, folder)
        evaluate(args, newest(folder), os.path.join(folder, "answers"))

    # Every method once before the second seed: what is there can be compared.
    at_once(args, one, [None] + [(seed, method) for seed in args.seeds for method in args.methods])


# ---------------------------------------------------------------- report


def rows(file):
    if not os.path.exists(file):
        return []
    with open(file) as lines:
        return [json.loads(line) for line in lines]


def answers(folder, name):
    """What a folder's answers to a benchmark score, by prompt."""
    found = rows(os.path.join(folder, name + ".jsonl"))
    if not found:
        return None
    return {
        "strict": [float(all(row["strict"] if "strict" in row else row["verdict"])) for row in found],  # MulDimIF has no modes
        "loose": [float(all(row["loose"])) for row in found if "loose" in row] or None,
        "words": [float(len(words_of(row["response"]))) for row in found],
        "cut off": [float(row["finish_reason"] == "length") for row in found],
        "distinct-3": distinct([row["response"] for row in found]),
    }


def under_start(folder):
    scored = [row["logprobs"] for row in rows(os.path.join(folder, "under-start.jsonl"))]
    tokens = sum(map(len, scored))
    return sum(map(sum, scored)) / tokens if tokens else None


def finished(out):
    """Folders of the finished runs, by method and seed."""
    found = {}
    for method in METHODS:
        folder = os.path.join(out, method)
        for seed in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if os.path.exists(os.path.join(folder, seed, "summary.json")):
                found.setdefault(method, []).append(os.path.join(folder, seed))
    return found


def curve(folder):
    """(rollouts, processor seconds, metrics of the evaluation) at 0 and wherever it was evaluated."""
    points = [(0, 0.0, read(os.path.join(folder, "summary.json"))["before"])]
    seconds = 0.0
    for step in rows(os.path.join(folder, "metrics.jsonl")):
        seconds += step.get("cpu_seconds", 0)
        if "eval" in step:
            points.append((int(step["rollouts"]), seconds, step["eval"]))
    return points


def percent(values, scale=100, digits=1):
    mean, low, high = (scale * value for value in values)
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def benchmark_table(name, at_start, runs, baseline):
    lines = [
        f"| {name} | seeds | strict % | against {baseline} | loose % | words | cut off % | distinct-3 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    every = {"start": [at_start], **runs}
    for method, found in every.items():
        found = [answer for answer in found if answer]
        if not found:
            continue
        cells = [method, str(len(found)), percent(compared([a["strict"] for a in found]))]
        other = [answer for answer in every.get(baseline, []) if answer]
        paired = other and method not in ("start", baseline)
        cells.append(percent(compared([a["strict"] for a in found], [a["strict"] for a in other])) if paired else "-")
        loose = [a["loose"] for a in found]
        cells.append(percent(compared(loose)) if all(loose) else "-")
        cells.append(percent(compared([a["words"] for a in found]), 1, 0))
        cells.append(percent(compared([a["cut off"] for a in found])))
        cells.append(f"{100 * sum(a['distinct-3'] for a in found) / len(found):.1f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


HELD_OUT = ["ila", "sound_ila", "cla", "hollow", "probes_kept", "probes_answered", "truncated", "distinct_3"]


def held_out_table(runs):
    lines = ["| held-out, at the end | seeds | rate | rollouts | " + " | ".join(f"{n} %" for n in HELD_OUT) + " | tokens | log-prob of IFEval's answers under the start |"]
    lines.append("|" + "---|" * (6 + len(HELD_OUT)))
    for method, folders in runs.items():
        ends = [curve(folder)[-1] for folder in folders]
        cells = [method, str(len(ends)), learning_rate(folders[0]), f"{sum(e[0] for e in ends) / len(ends):.0f}"]
        for name in HELD_OUT + ["tokens"]:
            values = [end[2][name] for end in ends if name in end[2]]
            cells.append(spread(values, 1 if name == "tokens" else 100))
        cells.append(spread([v for v in (under_start(os.path.join(f, "answers")) for f in folders) if v is not None], 1, 2))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def learning_rate(folder):
    with open(os.path.join(folder, "config.yaml")) as file:
        return re.search(r"(?m)^optim:\n(?: .*\n)*?  lr: (\S+)", file.read()).group(1)


def spread(values, scale, digits=1):
    """Mean and range over seeds."""
    if not values:
        return "-"
    mean = f"{scale * sum(values) / len(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ({scale * min(values):.{digits}f} to {scale * max(values):.{digits}f})"


def write_curves(out, runs):
    with open(os.path.join(out, "curves.csv"), "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["method", "seed", "rollouts", "cpu_seconds", *HELD_OUT, "tokens"])
        for method, folders in runs.items():
            for folder in folders:
                for rollouts, seconds, measured in curve(folder):
                    figures = [measured.get(name, "") for name in HELD_OUT + ["tokens"]]
                    table.writerow([method, os.path.basename(folder)[5:], rollouts, f"{seconds:.1f}", *figures])
    with open(os.path.join(out, "curves.svg"), "w") as file:
        file.write(svg(runs))


COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b"]


def svg(runs):
    """Held-out ILA, of sound answers and of all (dashed), against rollouts and processor time; a line for each seed."""
    panels = [("rollouts", lambda point: point[0]), ("processor minutes", lambda point: point[1] / 60)]
    points = {method: [curve(folder) for folder in folders] for method, folders in runs.items()}
    top = max((p[2]["ila"] for curves in points.values() for c in curves for p in c), default=0) or 1
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="900" height="340" font-family="sans-serif" font-size="12">']
    for panel, (label, x_of) in enumerate(panels):
        left, width, bottom, height = 50 + 440 * panel, 370, 290, 250
        right = max((x_of(c[-1]) for curves in points.values() for c in curves), default=0) or 1
        parts.append(f'<path d="M{left} {bottom - height}V{bottom}H{left + width}" fill="none" stroke="#888"/>')
        parts.append(f'<text x="{left + width}" y="{bottom + 30}" text-anchor="end">{label}, to {right:.0f}</text>')
        parts.append(f'<text x="{left}" y="{bottom - height - 8}">held-out ILA, to {100 * top:.1f} %</text>')
        for colour, (method, curves) in zip(COLOURS, points.items()):
            for dash, name in (("4 3", "ila"), ("none", "sound_ila")):
                for c in curves:
                    line = " ".join(
                        f"{left + width * x_of(p) / right:.1f},{bottom - height * p[2][name] / top:.1f}" for p in c if name in p[2]
                    )
                    parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-dasharray="{dash}"/>')
    for i, (colour, method) in enumerate(zip(COLOURS, points)):
        parts.append(f'<text x="{60 + 130 * i}" y="332" fill="{colour}">{method}</text>')
    return "\n".join(parts + ["</svg>"]) + "\n"


def report(args):
    runs = finished(args.out)
    if not runs:
        raise SystemExit(f"{args.out} holds no finished run: `real.py run` first")
    texts = ["Dashed: all answers; full: sound ones alone.\n\n![](curves.svg)\n", held_out_table(runs)]
    for name in ("ifeval", "ifbench", "muldimif"):
        at_start = answers(os.path.join(args.out, "start"), name)
        found = {method: [answers(os.path.join(f, "answers"), name) for f in folders] for method, folders in runs.items()}
        if at_start or any(any(a) for a in found.values()):
            texts.append(benchmark_table(name, at_start, found, args.baseline))
    with open(os.path.join(args.out, "results.md"), "w") as file:
        file.write("\n".join(texts))
    write_curves(args.out, runs)
    print("\n".join(texts[1:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("search", "run", "report"))
    parser.add_argument("--out", default=os.path.join(ROOT, "runs", "real-grid"))
    parser.add_argument("--model", help="folder, .gguf file or Hub name in place of the recipe's")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=list(METHODS))
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[1, 2])
    parser.add_argument("--rollouts", type=int, default=1920, help="responses sampled by each run")
    parser.add_argument("--rates", type=lambda text: text.split(","), default=["1e-5", "2e-5", "4e-5"])
    parser.add_argument("--baseline", default="grpo", help="whom the report's differences are against")
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--ifbench", help="prompts of IFBench")
    parser.add_argument("--muldimif", help="prompts of MulDimIF")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time; more than one only where each gets enough memory")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of every run")
    parser.add_argument("--hir", default=os.path.join(ROOT, "java", "hir"))
    args = parser.parse_args()
    unknown = set(args.methods) - set(METHODS)
    if unknown:
        parser.error(f"no method {', '.join(sorted(unknown))}; known are {', '.join(METHODS)}")
    os.makedirs(args.out, exist_ok=True)
    {"search": search, "run": run, "report": report}[args.command](args)


if __name__ == "__main__":
    main()
