"""Writes the *.json beside this file: the results of verl's functions on random and on difficult matrices.

Run with CPython 3.11 and torch 2.13.0: python algos.py VERL
VERL is a checkout of github.com/volcengine/verl at b178a3cd5. Only its core_algos.py, torch_functional.py and
groupwise.py are used; what these import for types and decorators alone is replaced by empty stand-ins. Inputs and
results are float64; the default type stays float32, in which verl counts tokens. Non-finite numbers are the strings
"nan", "inf", "-inf".
"""
import importlib.util
import json
import math
import pathlib
import sys
import types

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
VERL = pathlib.Path(sys.argv[1])



def randn(*shape):
    return torch.randn(*shape, dtype=torch.float64)


class Config(dict):
    __getattr__ = dict.__getitem__


def module(name, **names):
    made = types.ModuleType(name)
    made.__dict__.update(names)
    made.__path__ = []
    sys.modules[name] = made
    return made


def load(name, file):
    spec = importlib.util.spec_from_file_location(name, VERL / file)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


module("omegaconf", DictConfig=type("DictConfig", (dict,), {}))
module("tensordict", TensorDict=object)
for package in ("verl", "verl.trainer", "verl.workers"):
    module(package)
module("verl.utils.device", get_device_name=lambda: "cpu", get_torch_device=lambda: None, is_cuda_available=False)
module("verl.utils")
groupwise = load("verl.utils.groupwise", "verl/utils/groupwise.py")
sys.modules["verl.utils"].__dict__.update(
    as_torch_index=groupwise.as_torch_index, group_mean_std=groupwise.group_mean_std)
module("verl.utils.import_utils", deprecated=lambda *a, **k: lambda f: f)
module("verl.trainer.config", AlgoConfig=type("AlgoConfig", (), {}))
module("verl.workers.config", ActorConfig=type("ActorConfig", (), {}))
functional = load("verl.utils.torch_functional", "verl/utils/torch_functional.py")
sys.modules["verl.utils"].torch_functional = functional
core = load("verl.trainer.ppo.core_algos", "verl/trainer/ppo/core_algos.py")

torch.manual_seed(20)
MODES = ["token-mean", "seq-mean-token-sum", "seq-mean-token-mean", "seq-mean-token-sum-norm"]
ROWS, LENGTH = 6, 7


def mask(kind, rows=ROWS):
    made = torch.ones(rows, LENGTH, dtype=torch.long)
    if kind in ("right", "empty_rows"):
        lengths = torch.randint(1, LENGTH + 1, (rows,))
        made = (torch.arange(LENGTH)[None] < lengths[:, None]).long()
        if kind == "empty_rows":
            made[1] = 0
    if kind == "holes":
        made = (torch.rand(rows, LENGTH) < 0.6).long()
        made[:, 0] = 1
    if kind == "zero":
        made[:] = 0
    if kind == "one":
        made[:] = 0
        made[2, 3] = 1
    return made


def plain(x):
    if isinstance(x, torch.Tensor):
        x = x.detach().tolist()
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, float) and not math.isfinite(x):
        return "nan" if math.isnan(x) else "inf" if x > 0 else "-inf"
    return x


def write(name, cases, source="verl b178a3cd5"):
    lines = ",\n".join(json.dumps(plain(c)) for c in cases)
    (HERE / (name + ".json")).write_text('{"source": ' + json.dumps(source) + ', "cases": [\n' + lines + "\n]}\n")
    print(name, len(cases))


def agg_loss():
    cases = []
    for kind in ("right", "empty_rows", "holes", "full", "zero"):
        for mode in MODES:
            for kwargs in ({}, {"dp_size": 2, "batch_num_tokens": 40, "global_batch_size": 16}):
                if kind == "zero" and kwargs:
                    continue
                m = mask(kind)
                x = randn(ROWS, LENGTH).requires_grad_()
                loss = core.agg_loss(x, m, mode, **kwargs)
                case = {"name": kind + "-" + mode + ("-global" if kwargs else ""), "loss_mat": x, "loss_mask": m,
                        "loss_agg_mode": mode, "kwargs": kwargs, "expected": loss}
                if kind != "zero":
                    loss.backward()
                    case["grad_loss_mat"] = x.grad
                cases.append(case)
    write("agg_loss", cases)


def kl_penalty():
    cases = []
    for size, spread in (("small", 0.05), ("mid", 1.0), ("extreme", 12.0)):
        for kind in ("kl", "k1", "abs", "mse", "k2", "low_var_kl", "k3"):
            p = (-2 + randn(3, 6)).requires_grad_()
            q = p.detach() + spread * randn(3, 6)
            kl = core.kl_penalty(p, q, kind)
            kl.sum().backward()
            cases.append({"name": size + "-" + kind, "logprob": p, "ref_logprob": q, "kl_penalty": kind,
                          "expected": kl, "grad_sum_wrt_logprob": p.grad})
    write("kl_penalty", cases)


def kl_controller():
    cases = []
    for name, config in (("fixed", Config(type="fixed", kl_coef=0.01, horizon=1000, target_kl=0.1)),
                         ("adaptive", Config(type="adaptive", kl_coef=0.01, horizon=2000, target_kl=0.05)),
                         ("adaptive-short", Config(type="adaptive", kl_coef=0.2, horizon=300, target_kl=6.0))):
        controller = core.get_kl_controller(config)
        updates = []
        for kl in (0.0, 0.04, 0.05, 0.07, 5.0, -1.0, 60.0, 0.05):
            controller.update(kl, 256)
            updates.append({"current_kl": kl, "n_steps": 256, "value_after": controller.value})
        cases.append({"name": name, "config": dict(config), "updates": updates})
    write("kl_controller", cases)


def masked_whiten():
    cases = []
    for kind in ("right", "empty_rows", "holes", "one", "zero"):
        for values in ("gauss", "all_equal", "binary", "large-offset"):
            for shift in (True, False):
                x = {"gauss": randn(ROWS, LENGTH) * 3, "all_equal": torch.full((ROWS, LENGTH), 0.3, dtype=torch.float64),
                     "binary": (torch.rand(ROWS, LENGTH) < 0.3).double(),
                     "large-offset": 1e4 + randn(ROWS, LENGTH)}[values]
                m = mask(kind)
                case = {"name": f"{kind}-{values}-shift{shift}", "values": x, "mask": m, "shift_mean": shift}
                try:
                    case["expected"] = functional.masked_whiten(x, m, shift)
                    case["masked_mean"] = functional.masked_mean(x, m)
                    case["masked_var_unbiased"] = functional.masked_var(x, m)
                except ValueError:
                    case["raises"] = "ValueError"
                cases.append(case)
    write("masked_whiten", cases)


def rewards(kind, m, dense=False):
    rows = m.shape[0]
    scores = {"binary": (torch.rand(rows) < 0.5).double(), "gauss": randn(rows),
              "all_equal": torch.full((rows,), 1 / 3, dtype=torch.float64), "extreme": randn(rows) * 1e4}[kind]
    r = randn(rows, LENGTH) * 0.1 if dense else torch.zeros(rows, LENGTH, dtype=torch.float64)
    last = (m * torch.arange(LENGTH)).argmax(1)
    r[torch.arange(rows), last] += scores
    return r * m


def advantages():
    cases = []
    for gamma in (1.0, 0.99, 0.5):
        for kind, values, dense in (("right", "binary", False), ("empty_rows", "gauss", False),
                                    ("right", "all_equal", False), ("full", "extreme", True), ("holes", "gauss", True)):
            m = mask(kind)
            r = rewards(values, m, dense)
            a, ret = core.compute_reinforce_plus_plus_outcome_advantage(
                token_level_rewards=r, response_mask=m, config=Config(gamma=gamma))
            cases.append({"name": f"{kind}-{values}-dense{dense}-g{gamma}", "token_level_rewards": r,
                          "response_mask": m, "gamma": gamma, "expected": {"advantages": a, "returns": ret}})
    write("reinforce_plus_plus", cases)
    index = np.array(["a", "b", "a", "c", "b", "a", "d", "c"], dtype=object)
    shapes = (("right", "binary"), ("right", "gauss"), ("empty_rows", "gauss"), ("right", "all_equal"),
              ("full", "extreme"), ("holes", "binary"))
    for name, function in (("grpo", core.compute_grpo_outcome_advantage),
                           ("rloo", core.compute_rloo_outcome_advantage),
                           ("reinforce_plus_plus_baseline", core.compute_reinforce_plus_plus_baseline_outcome_advantage)):
        cases = []
        for kind, values in shapes:
            for by_std in ((True, False) if name == "grpo" else (True,)):
                m = mask(kind, len(index))
                r = rewards(values, m)
                more = {"norm_adv_by_std_in_grpo": by_std} if name == "grpo" else {}
                a, ret = function(r.clone(), m, index, **more)
                cases.append({"name": f"{kind}-{values}", "token_level_rewards": r, "response_mask": m,
                              "index": index.tolist(), "config": more, "expected": {"advantages": a, "returns": ret}})
        write(name, cases)


def policy_loss():
    cases = []
    configs = {"default": {}, "dapo": {"clip_ratio_high": 0.28, "clip_ratio_c": 10.0}, "tight": {"clip_ratio_c": 1.2}}
    for ratio, spread in (("on_policy", 0), ("near", 0.2), ("far", 2.0), ("extreme", 30.0)):
        for kind in ("right", "empty_rows", "holes"):
            for label, change in configs.items():
                for mode in (MODES if label == "default" else MODES[:1]):
                    config = Config(clip_ratio=0.2, clip_ratio_low=0.2, clip_ratio_high=0.2, clip_ratio_c=3.0,
                                    global_batch_info={})
                    config.update(change)
                    m = mask(kind)
                    old = -2 + randn(ROWS, LENGTH)
                    p = (old + spread * randn(ROWS, LENGTH)).requires_grad_()
                    adv = randn(ROWS, LENGTH)
                    loss, metrics = core.compute_policy_loss_vanilla(old, p, adv, m, mode, config)
                    loss.backward()
                    cases.append({"name": f"{ratio}-{kind}-{label}-{mode}", "config": dict(config),
                                  "loss_agg_mode": mode, "old_log_prob": old, "log_prob": p, "advantages": adv,
                                  "response_mask": m, "expected": {
                                      "pg_loss": loss, "pg_clipfrac": metrics["actor/pg_clipfrac"],
                                      "ppo_kl": metrics["actor/ppo_kl"],
                                      "pg_clipfrac_lower": metrics["actor/pg_clipfrac_lower"],
                                      "grad_log_prob": p.grad}})
    write("policy_loss_vanilla", cases)


def logits():
    cases = []
    for name, make in (("normal", lambda: randn(2, 3, 32)), ("peaked", lambda: randn(2, 3, 32) * 20),
                       ("uniform", lambda: torch.zeros(2, 3, 32, dtype=torch.float64)), ("large_offset", lambda: 500 + randn(2, 3, 32)),
                       ("huge", lambda: randn(2, 3, 32) * 1e4)):
        x = make().float().double()
        labels = torch.randint(0, 32, (2, 3))
        case = {"name": name, "logits": x, "labels": labels}
        for suffix, t in (("", 1.0), ("_temperature_0.7", 0.7)):
            case["logprobs" + suffix] = torch.log_softmax(x / t, -1).gather(-1, labels[..., None]).squeeze(-1)
            case["entropy" + suffix] = functional.entropy_from_logits(x / t)
        cases.append(case)
    write("logits", cases, "torch 2.13.0 log_softmax; verl b178a3cd5 entropy_from_logits")


def adamw():
    cases = []
    for name, lr, betas, eps, decay, clip, scale in (
            ("usual", 1e-2, (0.9, 0.999), 1e-8, 0.01, 1.0, 0.5), ("clipped", 3e-3, (0.9, 0.95), 1e-8, 0.1, 0.1, 4.0),
            ("no_decay", 1e-2, (0.8, 0.99), 1e-6, 0.0, 1.0, 1e-3), ("zeros", 1e-2, (0.9, 0.999), 1e-8, 0.5, 1.0, 0.0)):
        params = [torch.nn.Parameter(torch.randn(2, 3)), torch.nn.Parameter(torch.randn(5))]
        case = {"name": name, "config": {"lr": lr, "betas": betas, "eps": eps, "weight_decay": decay},
                "clip_grad_norm": clip, "params": [p.detach().clone() for p in params], "steps": []}
        optimizer = torch.optim.AdamW(params, lr=lr, betas=betas, eps=eps, weight_decay=decay)
        for _ in range(6):
            for p in params:
                p.grad = torch.randn_like(p) * scale
            step = {"grads": [p.grad.clone() for p in params]}
            step["grad_norm"] = torch.nn.utils.clip_grad_norm_(params, clip)
            optimizer.step()
            step["params_after"] = [p.detach().clone() for p in params]
            case["steps"].append(step)
        cases.append(case)
    write("adamw", cases, "torch 2.13.0 AdamW and clip_grad_norm_, float32")


agg_loss()
kl_penalty()
kl_controller()
masked_whiten()
advantages()
policy_loss()
logits()
adamw()
