"""A Qwen3 decoder in plain PyTorch: the peer of the engine's decoding and training.

Weights lie as the engine's kernels take them (queries, keys and values in one matrix, gates and ups in one).
"""
from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Shape:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int

    @property
    def qkv(self):
        return (self.heads + 2 * self.kv_heads) * self.head_dim

    def layer_parameters(self):
        """Of the matrices of one layer."""
        return self.hidden * (self.qkv + self.heads * self.head_dim + 3 * self.intermediate)

    def parameters(self):
        """Of all matrices, the tied head counted once."""
        return self.layers * self.layer_parameters() + self.vocab * self.hidden

    def kv_bytes(self, element):
        """Of one token in the cache."""
        return 2 * self.layers * self.kv_heads * self.head_dim * element

    def step_bytes(self, rows, context, element):
        """Least traffic of a decode step: each matrix once, and each row's cache."""
        return self.parameters() * element + rows * context * self.kv_bytes(element)

    def step_flops(self, rows, context):
        attention = 4 * self.layers * self.heads * self.head_dim * context
        return rows * (2 * self.parameters() + attention)

    def training_flops(self, tokens, head_tokens, context):
        """Of forward and backward: the head runs on `head_tokens`, attention sees half of `context` on average."""
        attention = 2 * self.layers * self.heads * self.head_dim * context * tokens
        return 3 * (2 * self.layers * self.layer_parameters() * tokens + 2 * self.vocab * self.hidden * head_tokens + attention)

    def step_limit(self, rows, context, element, bandwidth, flops):
        """Seconds that no decode step can beat, given what the host reaches (bytes/s, flops/s)."""
        return max(self.step_bytes(rows, context, element) / bandwidth, self.step_flops(rows, context) / flops)


SHAPES = {
    "demo-2m": Shape(192, 4, 6, 2, 32, 512, 1024),
    "tiny-12m": Shape(384, 6, 6, 2, 64, 1024, 8192),
    "half-0.25b": Shape(896, 12, 14, 2, 64, 2432, 32000),
    "qwen3-0.6b": Shape(1024, 28, 16, 8, 128, 3072, 151936),
    "qwen3-4b": Shape(2560, 36, 32, 8, 128, 9728, 151936),
    "dry": Shape(48, 2, 4, 2, 16, 64, 97),
}
EPSILON = 1e-6


class Model:
    def __init__(self, shape, dtype, device, trainable=False):
        self.shape, self.dtype, self.device = shape, dtype, device
        generator = torch.Generator(device=device).manual_seed(1)

        def matrix(rows, cols):
            values = torch.randn(rows, cols, device=device, dtype=dtype, generator=generator) * 0.02
            return values.requires_grad_(trainable)

        def ones(count):
            return torch.ones(count, device=device, dtype=dtype).requires_grad_(trainable)

        s = shape
        self.embedding, self.final_norm = matrix(s.vocab, s.hidden), ones(s.hidden)
        self.layers = [
            (ones(s.hidden), matrix(s.qkv, s.hidden), ones(s.head_dim), ones(s.head_dim),
             matrix(s.hidden, s.heads * s.head_dim), ones(s.hidden), matrix(2 * s.intermediate, s.hidden),
             matrix(s.hidden, s.intermediate)) for _ in range(s.layers)]

    def parameters(self):
        return [self.embedding, self.final_norm] + [w for layer in self.layers for w in layer]

    def rotary(self, positions):
        """Cosines and sines, float[positions][head_dim / 2]."""
        half = self.shape.head_dim // 2
        rates = 10000.0 ** (-torch.arange(half, device=self.device, dtype=torch.float64) / half)
        angles = torch.arange(positions, device=self.device, dtype=torch.float64)[:, None] * rates
        return angles.cos().float(), angles.sin().float()

    @staticmethod
    def _turn(x, cosines, sines):
        """x [..., tokens, head_dim], tables [tokens, head_dim / 2]."""
        first, second = x.float().chunk(2, -1)
        return torch.cat([first * cosines - second * sines, second * cosines + first * sines], -1).to(x.dtype)

    def _norm(self, x, weight):
        return F.rms_norm(x, (x.shape[-1],), weight, EPSILON)

    def hidden(self, ids, tables, cache=None, position=0):
        """[rows, tokens] -> [rows, tokens, hidden]; a cache [layers][2] of [rows, kv_heads, room, head_dim] is filled."""
        s, (rows, tokens) = self.shape, ids.shape
        cosines, sines = (t[position:position + tokens] for t in tables)
        x = F.embedding(ids, self.embedding)
        for i, (norm, qkv, q_norm, k_norm, output, post, gate_up, down) in enumerate(self.layers):
            heads = F.linear(self._norm(x, norm), qkv).view(rows, tokens, -1, s.head_dim).transpose(1, 2)
            q, k, v = heads.split([s.heads, s.kv_heads, s.kv_heads], 1)
            q = self._turn(self._norm(q, q_norm), cosines, sines)
            k = self._turn(self._norm(k, k_norm), cosines, sines)
            if cache is not None:
                end = position + tokens
                cache[i][0][:, :, position:end] = k
                cache[i][1][:, :, position:end] = v
                k, v = (part[:, :, :end] for part in cache[i])
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=tokens > 1, enable_gqa=True)
            x = x + F.linear(mixed.transpose(1, 2).reshape(rows, tokens, -1), output)
            gate, up = F.linear(self._norm(x, post), gate_up).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, down)
        return self._norm(x, self.final_norm)

    def logits(self, hidden):
        return F.linear(hidden, self.embedding)

    def cache(self, rows, room):
        s = self.shape
        return [[torch.zeros(rows, s.kv_heads, room, s.head_dim, device=self.device, dtype=self.dtype) for _ in "kv"]
                for _ in range(s.layers)]
