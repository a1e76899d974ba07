"""Writes sampling.json: the supports and probabilities that transformers' logits warpers leave of a row of logits.

Run with CPython 3.11, torch 2.13.0, transformers 5.18.0: python sampling.py
The warpers run in float64 in this order: temperature, top_k, top_p, min_p. Where has_tied_logits, which of tied tokens a
cut keeps is the sort's affair. A cut that lies nearer than 3e-4 to a cumulative sum is left out: float32 could flip it.
"""
import json
import pathlib

import torch
from transformers import MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

HERE = pathlib.Path(__file__).parent
torch.manual_seed(8)
N = 40
ROWS = {
    "normal": torch.randn(N) * 2,
    "peaked": torch.cat([torch.tensor([12.0, 11.5]), torch.randn(N - 2)]),
    "flat": torch.randn(N) * 0.02,
    "zipf": -1.2 * torch.log(1.0 + torch.randperm(N).float()),
    "ties": torch.round(torch.randn(N) * 2) / 2,
    "neg_inf": torch.where(torch.rand(N) < 0.4, -torch.inf, torch.randn(N)),
    "large_offset": torch.randn(N) - 700,
    "three": torch.tensor([0.5, -0.25, 1.0]),
}
CONFIGS = [
    {}, {"temperature": 0.6}, {"temperature": 1.7}, {"top_k": 1}, {"top_k": 7}, {"top_k": 500}, {"top_p": 0.2},
    {"top_p": 0.75}, {"top_p": 0.97}, {"min_p": 0.03}, {"min_p": 0.4}, {"temperature": 0.8, "top_k": 12, "top_p": 0.9},
    {"temperature": 1.2, "top_k": 9, "top_p": 0.85, "min_p": 0.08}, {"temperature": 0.2, "top_p": 0.95},
]


def margin(row, config):
    if "top_p" not in config:
        return None
    x = row / config.get("temperature", 1.0)
    if "top_k" in config:
        x = TopKLogitsWarper(min(config["top_k"], len(x)))(None, x[None])[0]
    sums = torch.softmax(x, -1).sort(descending=True).values.cumsum(-1)
    return (sums - config["top_p"]).abs().min().item()


cases = []
for name, row in ROWS.items():
    row = row.double()
    for config in CONFIGS:
        gap = margin(row, config)
        if gap is not None and gap < 3e-4:
            continue
        x = row[None]
        if "temperature" in config:
            x = TemperatureLogitsWarper(config["temperature"])(None, x)
        if "top_k" in config:
            x = TopKLogitsWarper(min(config["top_k"], len(row)))(None, x)
        if "top_p" in config:
            x = TopPLogitsWarper(config["top_p"])(None, x)
        if "min_p" in config:
            x = MinPLogitsWarper(config["min_p"])(None, x)
        p = torch.softmax(x[0], -1)
        support = (p > 0).nonzero().flatten().tolist()
        finite = row[row.isfinite()]
        cases.append({"row": name, "config": config, "support": support, "probs": p[support].tolist(),
                      "has_tied_logits": len(finite.unique()) < len(finite), "top_p_margin": gap,
                      "argmax": row.argmax().item()})
rows = {k: [v if v > -float("inf") else "-inf" for v in r.double().tolist()] for k, r in ROWS.items()}
text = ",\n".join(json.dumps(c) for c in cases)
(HERE / "sampling.json").write_text(
    '{"source": "transformers 5.18.0 logits warpers, float64", "rows": ' + json.dumps(rows) + ', "cases": [\n' + text
    + "\n]}\n")
print(len(cases))
