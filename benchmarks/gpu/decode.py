#!/usr/bin/env python3
"""Times the decoder's steps at the shapes of Qwen3 and batches of 1 to 256, and checks its logits against PyTorch's.

  decode.py LIBHIR_KERNELS.SO [--shapes qwen3-0.6b,qwen3-4b] [--batches 1,2,...] [--context 1024]
  decode.py LIBHIR_KERNELS.SO --emulated      a tiny shape on the CPU: its times say nothing

A step's limit is the larger of two times: its least traffic (each matrix once, each row's keys and values) at the speed
of a copy, and its arithmetic at the speed of a large product, both measured in the same process.
"""
import argparse
import ctypes
import sys

import torch

from host import CUDA, EMULATED, Ceilings, Checks, Library, code, f64, i32, i64, seconds, table
from qwen3 import EPSILON, SHAPES, Model

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Decoder:
    """The engine's, on a model's weights; all rows continue one prompt of keys and values."""

    def __init__(self, lib, model, positions):
        s, self.lib, self.model, self.handle = model.shape, lib, model, i64()
        lib.call("hir_decoder_create", *(i64(n) for n in (s.layers, s.hidden, s.intermediate, s.heads, s.kv_heads,
                                                         s.head_dim, s.vocab)), f64(EPSILON), i32(code(model.dtype)),
                 ctypes.byref(self.handle))
        addresses = [model.embedding.data_ptr(), model.final_norm.data_ptr(), model.embedding.data_ptr()]
        for norm, qkv, q_norm, k_norm, output, post, gate_up, down in model.layers:
            addresses += [w.data_ptr() for w in (norm, qkv)] + [0]
            addresses += [w.data_ptr() for w in (q_norm, k_norm, output, post, gate_up, down)]
        lib.check(lib.lib.hir_decoder_weights(self.handle, (i64 * len(addresses))(*addresses)))
        tables = model.rotary(positions)
        lib.check(lib.lib.hir_decoder_rotary(self.handle, *(i64(t.data_ptr()) for t in tables), i64(positions)))
        lib.synchronize()

    def admit(self, cache, length, rows):
        """`cache` as Model fills it for one row."""
        s = self.model.shape
        both = torch.stack([torch.stack([part[0, :, :length].transpose(0, 1) for part in layer], 1) for layer in cache])
        width = s.kv_heads * s.head_dim
        prompt, start = i64(), both.data_ptr()
        self.lib.check(self.lib.lib.hir_decoder_prompt(
            self.handle, i64(start), i64(start + width * both.element_size()), i64(2 * width * length), i64(2 * width),
            i64(length), i32(code(both.dtype)), ctypes.byref(prompt)))
        self.lib.check(self.lib.lib.hir_decoder_admit(self.handle, prompt, i64(0), i64(rows)))
        self.lib.lib.hir_decoder_prompt_free(self.handle, prompt)
        self.lib.synchronize()  # `both` lives until here

    def step(self, tokens, logits):
        self.lib.check(self.lib.lib.hir_decoder_step(self.handle, i64(tokens.data_ptr()), i64(len(tokens)),
                                                     i64(logits.data_ptr()), i64(logits.stride(0))))

    def close(self):
        self.lib.synchronize()
        self.lib.lib.hir_decoder_free(self.handle)


def check(lib, model, checks, rows, length, steps):
    """A prompt, then tokens one by one, beside the whole sequences at once in PyTorch."""
    s, room = model.shape, length + steps + 1
    prompt = torch.randint(s.vocab, (1, length), device=model.device)
    tokens = torch.randint(s.vocab, (rows, steps), device=model.device)
    tables, cache = model.rotary(room), model.cache(1, room)
    with torch.no_grad():
        model.hidden(prompt, tables, cache)
        whole = torch.cat([prompt.expand(rows, -1), tokens], 1)
        wanted = model.logits(model.hidden(whole, tables)[:, length:]).double()
    decoder = Decoder(lib, model, room)
    decoder.admit(cache, length, rows)
    logits, worst = torch.empty(rows, s.vocab, device=model.device), 0.0
    for t in range(steps):
        decoder.step(tokens[:, t].contiguous(), logits)
        lib.synchronize()
        worst = max(worst, ((logits - wanted[:, t]).abs() / (1 + wanted[:, t].abs())).max().item())
    decoder.close()
    checks(f"logits of {rows} rows {str(model.dtype)[6:]}", worst, 5e-2 if model.dtype == torch.bfloat16 else 1e-4)


def measure(lib, name, model, batches, context, ceilings, repeats):
    s, element = model.shape, model.embedding.element_size()
    room = context + 2 * repeats + 8
    tables = model.rotary(room)
    for rows in batches:
        one = model.cache(1, context)
        with torch.no_grad():
            model.hidden(torch.randint(s.vocab, (1, context), device=model.device), tables, one)
        decoder = Decoder(lib, model, room)
        decoder.admit(one, context, rows)
        tokens = torch.randint(s.vocab, (rows,), device=model.device)
        logits = torch.empty(rows, s.vocab, device=model.device)
        took = seconds(lambda: decoder.step(tokens, logits), repeats)
        decoder.close()
        peer = torch_step(model, one, rows, context, tables, tokens, repeats)
        limit = s.step_limit(rows, context, element, ceilings.bandwidth, ceilings.flops)
        yield (name, rows, f"{1e3 * took:.3f}", f"{rows / took:.0f}", f"{1e3 * limit:.3f}", f"{limit / took:.0%}",
               f"{1e3 * peer:.2f}", f"{peer / took:.1f}")


def torch_step(model, one, rows, context, tables, tokens, repeats):
    """One token a row by PyTorch's operators, each row with a cache of its own."""
    cache = [[torch.cat([part[:, :, :context], part.new_zeros(1, *part.shape[1:2], 1, part.shape[3])], 2)
              .repeat(rows, 1, 1, 1) for part in layer] for layer in one]
    with torch.no_grad():
        return seconds(lambda: model.logits(model.hidden(tokens[:, None], tables, cache, context)), repeats)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", help="libhir_kernels.so of the GPU build")
    parser.add_argument("--shapes", default="qwen3-0.6b,qwen3-4b")
    parser.add_argument("--batches", type=lambda text: [int(n) for n in text.split(",")], default=BATCHES)
    parser.add_argument("--context", type=int, default=1024, help="tokens in the cache")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--emulated", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(1)
    if options.emulated:
        options.shapes, options.batches, options.context, options.repeats = "dry", (1, 3), 40, 2
    elif not torch.cuda.is_available():
        sys.exit("decode.py: no CUDA device here; --emulated runs a tiny shape on the CPU")
    unknown = set(options.shapes.split(",")) - set(SHAPES)
    if unknown:
        sys.exit(f"decode.py: unknown shape {', '.join(unknown)}; known: {', '.join(SHAPES)}")
    lib = Library(options.kernels, EMULATED if options.emulated else CUDA)
    checks = Checks()
    for dtype in (torch.float32, torch.bfloat16):
        for rows in (3, 20):  # our own products, and cuBLAS's
            check(lib, Model(SHAPES["dry"], dtype, lib.device), checks, rows, 37, 6)
    ceilings = Ceilings(lib.device, options.emulated)
    print(f"\n{ceilings}; bfloat16, {options.context} tokens in the cache\n")
    rows = []
    for name in options.shapes.split(","):
        model = Model(SHAPES[name], torch.bfloat16, lib.device)
        rows += measure(lib, name, model, options.batches, options.context, ceilings, options.repeats)
        del model
    print(table(("shape", "batch", "ms a step", "tokens/s", "limit ms", "of the limit", "PyTorch ms", "times faster"), rows))
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
