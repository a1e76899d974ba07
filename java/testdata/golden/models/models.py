"""Writes the tiny models beside this file and what transformers computes with them.

Run with CPython 3.11, torch 2.13.0, transformers 5.18.0 (CPU): python models.py

Weights are random and stored in bfloat16; transformers computes with them in float32 (eager attention). A folder holds
model.safetensors, config.json (the form of transformers 5), config_classic.json (the form of transformers 4),
golden.safetensors and golden_grads.safetensors:
input_ids, attention_mask, position_ids i64 [2,28] (row 1 starts with 9 pads); logits f32 [2,28,512]; hidden_states f32
[layers+1,2,28,32] (embeddings, then each layer's output, the last one after the final norm); logprobs, entropy and
loss_mask f32 [2,27] (entry t scores token t+1); logprobs_t0.7, entropy_t0.7; greedy_ids i64 [2,16]; weights f32 [2,27].
golden_grads.safetensors is the gradient of the sum of the log-probs; golden_weighted_grads.safetensors that of
sum(weights * logprobs at temperature 0.7). The models with sliding windows are smaller (64 tokens, width 16), without
the weighted gradients; their windows are shorter than the rows, and greedy tokens go on beyond them.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

torch.set_num_threads(1)
HERE = pathlib.Path(__file__).parent
ROWS, LENGTH, PADS, GREEDY = 2, 28, 9, 16
MARGIN = 0.02  # between the best two logits of a greedy token, so that rounding cannot change it
COMMON = dict(vocab_size=512, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
              max_position_embeddings=512, bos_token_id=None, eos_token_id=None, pad_token_id=None)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
SMALL = dict(COMMON, vocab_size=64, hidden_size=16, num_attention_heads=2, num_key_value_heads=1, intermediate_size=24)
PLAIN = dict(rope_type="default", rope_theta=1e4)
MODELS = {
    "qwen2-mini": (Qwen2Config(**COMMON, intermediate_size=80, rms_norm_eps=1e-6, tie_word_embeddings=True,
                               rope_parameters=dict(rope_type="default", rope_theta=1e6)), 1e6, None),
    "qwen3-mini": (Qwen3Config(**COMMON, intermediate_size=64, head_dim=16, rms_norm_eps=1e-6,
                               tie_word_embeddings=False,
                               rope_parameters=dict(rope_type="default", rope_theta=1e6)), 1e6, None),
    "llama3-mini": (LlamaConfig(**COMMON, intermediate_size=88, rms_norm_eps=1e-5, tie_word_embeddings=True,
                                rope_parameters=dict(LLAMA3, rope_theta=5e5)), 5e5, LLAMA3),
    "mistral-mini": (MistralConfig(**SMALL, sliding_window=7, rms_norm_eps=1e-5, tie_word_embeddings=False,
                                   rope_parameters=PLAIN), 1e4, None),
    # The first layer sees everything, the second through a window.
    "qwen2-window-mini": (Qwen2Config(**SMALL, use_sliding_window=True, sliding_window=5, max_window_layers=1,
                                      rms_norm_eps=1e-6, tie_word_embeddings=True, rope_parameters=PLAIN), 1e4, None),
}


def scores(logits, ids, mask, temperature):
    logp = torch.log_softmax(logits[:, :-1].double() / temperature, -1)
    keep = (mask[:, :-1] * mask[:, 1:]).double()
    picked = logp.gather(-1, ids[:, 1:, None]).squeeze(-1) * keep
    return picked, -(logp.exp() * logp).sum(-1) * keep, keep


def forward(model, ids, mask, positions):
    return model(input_ids=ids, attention_mask=mask, position_ids=positions, output_hidden_states=True)


def gradients(model):
    return {name: p.grad.contiguous().clone() for name, p in model.named_parameters()}


def greedy(model, row):
    """Continuation of one row without padding, and the smallest gap between its best two logits."""
    gap = float("inf")
    for _ in range(GREEDY):
        last = model(input_ids=row[None]).logits[0, -1]
        best = last.topk(2).values
        gap = min(gap, (best[0] - best[1]).item())
        if gap < MARGIN:
            break
        row = torch.cat([row, last.argmax()[None]])
    return row[-GREEDY:], gap


def write(name, config, theta, scaling):
    config._attn_implementation = "eager"
    for seed in range(100):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config).float().eval()
        with torch.no_grad():
            for key, p in model.named_parameters():
                p.normal_(1 if "norm" in key else 0, 0.5 if "norm" in key or "bias" in key else 0.25)
                p.copy_(p.bfloat16().float())
        ids = torch.randint(0, config.vocab_size, (ROWS, LENGTH))
        mask = torch.ones(ROWS, LENGTH, dtype=torch.long)
        mask[1, :PADS] = 0
        ids[1, :PADS] = 0
        with torch.no_grad():
            continued = [greedy(model, ids[r, mask[r] == 1]) for r in range(ROWS)]
        if min(gap for _, gap in continued) >= MARGIN:
            break
    else:
        raise SystemExit("no seed gives safe greedy tokens: " + name)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    weights = torch.randn(ROWS, LENGTH - 1) * mask[:, :-1] * mask[:, 1:]
    out = forward(model, ids, mask, positions)
    logp, entropy, keep = scores(out.logits, ids, mask, 1.0)
    logp.sum().backward()
    grads = gradients(model)
    model.zero_grad()
    cool, cool_entropy, _ = scores(forward(model, ids, mask, positions).logits, ids, mask, 0.7)
    (weights.double() * cool).sum().backward()
    weighted = gradients(model)
    real = mask[:, :, None]
    golden = {
        "input_ids": ids, "attention_mask": mask, "position_ids": positions,
        "logits": out.logits.detach() * real,
        "hidden_states": torch.stack(out.hidden_states).detach() * real,
        "logprobs": logp, "entropy": entropy, "loss_mask": keep, "weights": weights,
        "logprobs_t0.7": cool, "entropy_t0.7": cool_entropy,
        "greedy_ids": torch.stack([row for row, _ in continued]),
    }
    golden = {k: (v if v.dtype == torch.long else v.detach().float()).contiguous() for k, v in golden.items()}
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    tied = config.tie_word_embeddings
    state = {k: v.bfloat16().contiguous() for k, v in model.state_dict().items() if not (tied and k == "lm_head.weight")}
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    save_file(golden, folder / "golden.safetensors")
    save_file(grads, folder / "golden_grads.safetensors")
    if config.vocab_size == COMMON["vocab_size"]:
        save_file(weighted, folder / "golden_weighted_grads.safetensors")
    rotary = model.model.rotary_emb.inv_freq
    if scaling:
        save_file({"inv_freq": rotary.float().contiguous().clone()}, folder / "golden_rope.safetensors")
    facts = {
        "seed": seed,
        "loss": logp.sum().item(),
        "grad_norm": torch.sqrt(sum((g.double() ** 2).sum() for g in grads.values())).item(),
        "greedy_min_top1_margin": min(gap for _, gap in continued),
    }
    (folder / "golden.json").write_text(json.dumps(facts, indent=2) + "\n")
    config.dtype = "bfloat16"
    new = config.to_dict()
    new.update(architectures=[type(model).__name__], dtype="bfloat16")
    new = {k: v for k, v in new.items() if k not in ("_name_or_path", "_attn_implementation")}
    (folder / "config.json").write_text(json.dumps(new, indent=2, sort_keys=True) + "\n")
    old = {k: v for k, v in new.items() if k not in ("rope_parameters", "dtype", "layer_types")}
    old.update(rope_theta=theta, rope_scaling=scaling, torch_dtype="bfloat16", transformers_version="4.51.0")
    (folder / "config_classic.json").write_text(json.dumps(old, indent=2, sort_keys=True) + "\n")
    print(name, facts)


for name, (config, theta, scaling) in MODELS.items():
    write(name, config, theta, scaling)
