"""What real.py makes of runs: python3 -m unittest discover -s benchmarks/sample-efficiency -p 'test_*.py'"""
import json
import os
import random
import tempfile
import unittest
from types import SimpleNamespace
from unittest import mock

import real


class Intervals(unittest.TestCase):
    def test_the_interval_holds_the_truth_as_often_as_it_says(self):
        rng = random.Random(5)
        held = 0
        for _ in range(60):
            hard = [rng.random() for _ in range(150)]  # some prompts are harder than others, for all seeds
            seeds = [[float(rng.random() < p) for p in hard] for _ in range(5)]
            _, low, high = real.compared(seeds, bootstraps=200)
            held += low <= 0.5 <= high
        self.assertGreaterEqual(held, 52)

    def test_the_same_prompts_make_small_differences_plain(self):
        rng = random.Random(6)
        hard = [float(rng.random() < 0.5) for _ in range(200)]
        better = [1.0 if i % 20 == 0 else value for i, value in enumerate(hard)]
        gain = sum(better) - sum(hard)
        value, low, high = real.compared([better, better], [hard, hard], bootstraps=500)
        self.assertAlmostEqual(gain / 200, value)
        self.assertTrue(0 <= low <= value <= high < 0.08, (low, high))
        alone = real.compared([better, better], bootstraps=500)
        self.assertGreater(alone[2] - alone[1], 2 * (high - low))

    def test_seeds_that_differ_widen_it(self):
        same = real.compared([[1.0, 0.0] * 100] * 2, bootstraps=500)
        differ = real.compared([[1.0] * 200, [0.0] * 200], bootstraps=500)
        self.assertAlmostEqual(same[0], differ[0])
        self.assertEqual((0.0, 1.0), differ[1:])
        self.assertLess(same[2] - same[1], 0.2)

    def test_different_prompts_are_refused(self):
        with self.assertRaises(ValueError):
            real.compared([[1.0, 0.0]], [[1.0]])

    def test_distinct_trigrams(self):
        self.assertEqual(1, real.distinct(["one two three four"]))
        self.assertEqual(0.5, real.distinct(["One two three four.", "one, two three: four"]))
        self.assertEqual(0, real.distinct(["** **", ""]))


def write(folder, name, *rows):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


class Grid(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.out = temporary.name

    def made_up(self, method, seed, passes):
        folder = os.path.join(self.out, method, f"seed-{seed}")
        write(folder, "summary.json", {"before": {"ila": 0.1, "cla": 0.3}, "after": {"ila": 0.4, "cla": 0.6}})
        steps = [{"rollouts": 48 * n, "cpu_seconds": 30.0} for n in (1, 2)]
        steps[1]["eval"] = {"ila": 0.4, "sound_ila": 0.3, "cla": 0.6, "tokens": 55.0}
        write(folder, "metrics.jsonl", *steps)
        with open(os.path.join(folder, "config.yaml"), "w") as file:
            file.write("algorithm: hir\n\noptim:\n  # Learning rate.\n  lr: 2e-05\n")
        self.answers(os.path.join(folder, "answers"), passes)

    def answers(self, folder, passes):
        found = [
            {"strict": [True, i < passes], "loose": [True, True], "response": "a b c d", "finish_reason": "stop" if i else "length"}
            for i in range(10)
        ]
        write(folder, "ifeval.jsonl", *found)
        write(folder, "muldimif.jsonl", *({"verdict": [True], "response": "", "finish_reason": "stop"} for _ in found))
        write(folder, "under-start.jsonl", {"logprobs": [-1.0, -2.0, -3.0]}, {"logprobs": [-6.0]})

    def test_a_report_of_made_up_runs(self):
        self.answers(os.path.join(self.out, "start"), 1)
        for seed in (1, 2):
            self.made_up("grpo", seed, 3)
            self.made_up("hir-achieve", seed, 5)
        os.makedirs(os.path.join(self.out, "rl-ila", "seed-1"))  # not finished
        with mock.patch("builtins.print"):
            real.report(SimpleNamespace(out=self.out, baseline="grpo"))
        with open(os.path.join(self.out, "results.md")) as file:
            results = file.read()
        self.assertRegex(results, r"\| start \| 1 \| 10\.0 \[0\.0, 30\.0\] \| - \|")
        self.assertRegex(results, r"\| hir-achieve \| 2 \| 50\.0 \[.*?\] \| 20\.0 \[0\.0, 50\.0\] \| 100\.0 .*\| 4 \[4, 4\] \| 10\.0 \[")
        self.assertRegex(results, r"\| grpo \| 2 \| 2e-05 \| 96 \| 40\.0 \(40\.0 to 40\.0\) \| 30\.0 .* 55\.0 \(.*-3\.00 \(")
        self.assertIn("| muldimif | seeds |", results)
        self.assertNotIn("rl-ila", results)
        with open(os.path.join(self.out, "curves.csv")) as file:
            curves = file.read().splitlines()
        self.assertIn("hir-achieve,2,96,60.0,0.4,0.3,0.6,,,,,,55.0", curves)
        self.assertEqual(1 + 4 * 2, len(curves))
        with open(os.path.join(self.out, "curves.svg")) as file:
            self.assertEqual(2 * 4 * 2, file.read().count("<polyline"))

    def test_a_run_trains_and_evaluates_what_is_not_there(self):
        calls = []

        def hir(args, folder, *words):
            calls.append(words)
            if words[0] == "train":
                folder = next(word[4:] for word in words if word.startswith("out="))
                write(folder, "summary.json", {"before": None, "after": {"ila": 0.2, "cla": 0.5, "sound_ila": 0.1}})
                for step in (8, 10):
                    os.makedirs(os.path.join(folder, "checkpoints", f"step-{step}"))
            else:
                write(os.path.dirname(words[words.index("--out") + 1]), os.path.basename(words[words.index("--out") + 1]))

        args = SimpleNamespace(out=self.out, model="m.gguf", methods=["hir", "grpo"], seeds=[1, 2], rollouts=96, rates=["1e-5"],
                               max_tokens=64, ifbench=None, muldimif=None, device="cpu", jobs=1, set=["train.group=4"])
        with mock.patch("real.hir", hir), mock.patch("builtins.print"):
            real.search(args)
            real.run(args)
            first = list(calls)
            real.run(args)
        self.assertEqual(first, calls, "nothing is done twice")
        trained = [words for words in calls if words[0] == "train"]
        self.assertEqual(2 + 4, len(trained))
        self.assertIn("train.max_rollouts=24", trained[0])
        for words in trained[2:]:
            self.assertTrue({"optim.lr=1e-5", "train.max_rollouts=96", "model=m.gguf", "--resume"} <= set(words), words)
        evaluated = [words[words.index("--model") + 1] for words in calls if words[0] == "evaluate"]
        self.assertEqual("m.gguf", evaluated[0])
        self.assertTrue(all(model.endswith("step-10") for model in evaluated[1:]))
        self.assertEqual(5, len(evaluated))


if __name__ == "__main__":
    unittest.main()
