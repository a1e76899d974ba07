#!/usr/bin/env python3
"""Decoding at the shapes of Qwen3: its logits against PyTorch's (--check), its steps' times against their limit (--time).

  decode.py LIBHIR_KERNELS.SO --check
  decode.py LIBHIR_KERNELS.SO --time [--shapes qwen3-0.6b,qwen3-4b] [--batches 1,8,64,256] [--context 1024]
  --emulated      a tiny shape on the CPU's emulator: its times say nothing
  --out DIR       writes decode.json there

Every row has a prompt of its own, of another length (the mean is --context), so that no cache holds one row's keys for
another. A step is hir_decoder_draw: tokens in, logits, the draw, tokens out, waited for. Its limit is the larger of two
times: its least traffic (each matrix once, each row's keys and values) at the speed of a copy, and its arithmetic at the
speed of a large product, both measured in the same process.
"""
import ctypes
import sys

import torch

from engine import Decoder, NativeModel
from host import Ceilings, Checks, options, seconds, table
from qwen3 import SHAPES, Model


def check(lib, model, checks, rows, length, steps):
    """A prompt, then tokens one by one, beside the whole sequences at once in PyTorch; then draws beside hir_sample's."""
    s, room = model.shape, length + 2 * steps + 1
    prompt = torch.randint(s.vocab, (1, length), device=model.device)
    tokens = torch.randint(s.vocab, (rows, steps), device=model.device)
    tables, cache = model.rotary(room), model.cache(1, room)
    with torch.no_grad():
        model.hidden(prompt, tables, cache)
        whole = torch.cat([prompt.expand(rows, -1), tokens], 1)
        wanted = model.logits(model.hidden(whole, tables)[:, length:]).double()
    native = NativeModel(lib, model, room)
    decoder, drawing = Decoder(native), Decoder(native)
    for each in (decoder, drawing):
        each.admit(cache, length, 0, rows)
    logits, given = torch.empty(rows, s.vocab, device=model.device), torch.empty(rows, dtype=torch.int64, device=model.device)
    worst, differ, drawn = 0.0, 0, None
    for t in range(steps):
        given.copy_(tokens[:, t])
        decoder.step(given, logits)
        lib.synchronize()
        worst = max(worst, ((logits - wanted[:, t]).abs() / (1 + wanted[:, t].abs())).max().item())
        counters = torch.randint(-2**31, 2**31, (rows, 4), dtype=torch.int32)
        expected, _ = lib.sample(logits, 1.0, 0, 1.0, 0.0, counters.to(model.device))
        lib.synchronize()
        drawn, _ = drawing.draw(tokens[:, t].tolist(), ctypes.cast(counters.data_ptr(), ctypes.POINTER(ctypes.c_int32)))
        differ += sum(a != b for a, b in zip(drawn, expected.tolist()))
    checks(f"logits of {rows} rows {str(model.dtype)[6:]}", worst, 5e-2 if model.dtype == torch.bfloat16 else 1e-4)
    checks(f"draws of {rows} rows {str(model.dtype)[6:]}", differ, 0)
    # A draw that stays on the device is fed back as the same token.
    counters = torch.zeros(rows, 4, dtype=torch.int32)
    where = ctypes.cast(counters.data_ptr(), ctypes.POINTER(ctypes.c_int32))
    one, _ = drawing.draw([-1] * rows, where)
    given.copy_(torch.tensor(drawn))
    decoder.step(given, logits)
    two, _ = lib.sample(logits, 1.0, 0, 1.0, 0.0, counters.to(model.device))
    lib.synchronize()
    checks(f"a draw fed back, {rows} rows {str(model.dtype)[6:]}", sum(a != b for a, b in zip(one, two.tolist())), 0)
    for each in (decoder, drawing, native):
        each.close()


class Rows:
    """Rows that decode on from prompts of their own, of another length each; `context` is the mean."""

    def __init__(self, lib, model, count, context, steps):
        s, random = model.shape, torch.Generator().manual_seed(3)
        self.lengths = torch.randint(context // 2, context + context // 2 + 1, (count,), generator=random).tolist()
        self.native = NativeModel(lib, model, max(self.lengths) + steps)
        self.decoder = Decoder(self.native)
        self.count, self.counters = count, (ctypes.c_int32 * (4 * count))(*range(4 * count))
        # Any keys and values take the same time; every row gets pages of its own.
        longest = max(self.lengths)
        cache = [[torch.randn(1, s.kv_heads, longest, s.head_dim, device=model.device, dtype=model.dtype) for _ in "kv"]
                 for _ in range(s.layers)]
        for row, length in enumerate(self.lengths):
            self.decoder.admit(cache, length, row, 1)
        self.decoder.draw([1] * count, self.counters)

    def draw(self):
        return self.decoder.draw([-1] * self.count, self.counters)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.decoder.close()
        self.native.close()


def measure(lib, name, model, batches, context, ceilings, repeats, alone):
    s, element = model.shape, model.embedding.element_size()
    for count in batches:
        with Rows(lib, model, count, context, 2 * repeats + 16) as rows:
            took = seconds(rows.draw, repeats)
            lengths = rows.lengths
        mean = sum(lengths) / count
        peer = theirs = None
        if not alone:
            peer = torch_step(model, count, max(lengths), repeats)
            theirs = transformers_step(s, model.dtype, model.device, count, round(mean), repeats)
        limit = s.step_limit(count, mean, element, ceilings.bandwidth, ceilings.flops)
        yield (name, count, f"{mean:.0f}", f"{1e3 * took:.3f}", f"{count / took:.0f}", f"{1e3 * limit:.3f}",
               f"{limit / took:.0%}", peer and f"{1e3 * peer:.2f}", peer and f"{peer / took:.1f}",
               theirs and f"{1e3 * theirs:.2f}", theirs and f"{theirs / took:.1f}")


def too_large(shape, rows, context, element):
    """Whether a second cache beside the models would be too much for a card of 80 GB."""
    return rows * (context + 1) * shape.kv_bytes(element) > 40 << 30


def torch_step(model, rows, context, repeats):
    """One token per row by PyTorch's operators, each row with its own cache, padded to the longest."""
    s = model.shape
    if too_large(s, rows, context, model.embedding.element_size()):
        return None
    cache, tables = model.cache(rows, context + 1), model.rotary(context + 1)
    tokens = torch.randint(s.vocab, (rows, 1), device=model.device)
    with torch.no_grad():
        return seconds(lambda: model.logits(model.hidden(tokens, tables, cache, context)), repeats)


def transformers_step(shape, dtype, device, rows, context, repeats):
    """One token per row by transformers' Qwen3 with its usual cache, all rows of one length; None where it is not installed."""
    try:
        from transformers import AutoModelForCausalLM, DynamicCache, Qwen3Config
    except ImportError:
        return None
    if too_large(shape, rows, context, 2):
        return None
    config = Qwen3Config(
        vocab_size=shape.vocab, hidden_size=shape.hidden, intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim, tie_word_embeddings=True, max_position_embeddings=40960)
    with torch.device(device), torch.no_grad():
        model = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
        cache = DynamicCache()
        for layer in range(shape.layers):
            keys = torch.randn(rows, shape.kv_heads, context, shape.head_dim, dtype=dtype)
            cache.update(keys, keys.clone(), layer)
        tokens = torch.randint(shape.vocab, (rows, 1))

        def step():
            model(input_ids=tokens, past_key_values=cache, use_cache=True)

        return seconds(step, min(repeats, 10), 2)


def arguments(parser):
    parser.add_argument("--shapes", default="qwen3-0.6b,qwen3-4b")
    parser.add_argument("--batches", type=lambda text: [int(n) for n in text.split(",")], default=[1, 8, 64, 256])
    parser.add_argument("--context", type=int, default=1024, help="mean tokens in the cache")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--repeats", type=int, default=20)


def main():
    o, lib, results = options(__doc__, arguments)
    if o.emulated:
        o.shapes, o.batches, o.context, o.repeats = "dry", [1, 3], 40, 2
    unknown = set(o.shapes.split(",")) - set(SHAPES)
    if unknown:
        sys.exit(f"decode.py: unknown shape {', '.join(unknown)}; known: {', '.join(SHAPES)}")
    checks = Checks(results)
    if o.check:
        for dtype in (torch.float32, torch.bfloat16):
            for rows in (3,) if o.emulated else (3, 20):  # our own products, and cuBLASLt's
                check(lib, Model(SHAPES["dry"], dtype, lib.device), checks, rows, 37, 4)
        checks.done("decode.py")
    if o.time:
        ceilings = Ceilings(lib.device, o.emulated)
        rows = []
        for name in o.shapes.split(","):
            model = Model(SHAPES[name], torch.bfloat16, lib.device)
            rows += measure(lib, name, model, o.batches, o.context, ceilings, o.repeats, o.alone)
            del model
        results.table(f"{ceilings}; bfloat16, a prompt a row",
                      ("shape", "rows", "tokens in cache", "ms a step", "tokens/s", "limit ms", "of the limit", "PyTorch ms",
                       "times faster", "transformers ms", "times faster"), rows)
    return results.write("decode")


if __name__ == "__main__":
    sys.exit(main())
