"""The engine's model and decoder through its C interface, on the weights of a qwen3.Model."""
import ctypes

import torch

from host import code, f64, i32, i64
from qwen3 import EPSILON

KEEP_NOTHING, KEEP_EVERYTHING, KEEP_INPUTS = 0, 1, 2


class Sizes(ctypes.Structure):
    """hir_model_shape."""

    _fields_ = [(name, i64) for name in ("layers", "hidden", "intermediate", "heads", "kv_heads", "head_dim", "vocab")]
    _fields_ += [("norm_epsilon", f64), ("dtype", i32)]


def longs(values):
    return values if isinstance(values, ctypes.Array) else (i64 * len(values))(*values)


class NativeModel:
    def __init__(self, lib, model, positions):
        s, self.lib, self.model, self.handle = model.shape, lib, model, i64()
        sizes = Sizes(s.layers, s.hidden, s.intermediate, s.heads, s.kv_heads, s.head_dim, s.vocab, EPSILON, code(model.dtype))
        lib.call("hir_model_create", ctypes.byref(sizes), ctypes.byref(self.handle))
        lib.check(lib.lib.hir_model_weights(self.handle, longs(self.addresses(model.embedding, model.final_norm, model.layers))))
        self.tables = model.rotary(positions)
        lib.check(lib.lib.hir_model_rotary(self.handle, *(i64(t.data_ptr()) for t in self.tables), i64(positions)))
        lib.synchronize()

    @staticmethod
    def addresses(embedding, final_norm, layers):
        """In the order of hir_model_weights; the head is the embedding."""
        found = [embedding.data_ptr(), final_norm.data_ptr(), embedding.data_ptr()]
        for norm, qkv, q_norm, k_norm, output, post, gate_up, down in layers:
            found += [norm.data_ptr(), qkv.data_ptr(), 0]
            found += [w.data_ptr() for w in (q_norm, k_norm, output, post, gate_up, down)]
        return found

    def forward(self, ids, lengths, prefixes, keep):
        """Packed ids on the host; hidden states [tokens, hidden] and the pass's number."""
        s, number = self.model.shape, i64()
        hidden = torch.empty(len(ids), s.hidden, dtype=self.model.dtype, device=self.model.device)
        self.lib.check(self.lib.lib.hir_model_forward(
            self.handle, longs(ids), i64(len(ids)), longs(lengths), longs(prefixes), i64(len(lengths)), i32(keep),
            i64(hidden.data_ptr()), i64(0), ctypes.byref(number)))
        return hidden, number

    def backward(self, number, hidden_gradient, gradients):
        self.lib.check(self.lib.lib.hir_model_backward(self.handle, number, i64(hidden_gradient.data_ptr()), longs(gradients)))

    def logits(self, hidden, logits):
        self.lib.check(self.lib.lib.hir_model_logits(self.handle, i64(hidden.data_ptr()), i64(len(hidden)),
                                                     i64(logits.data_ptr()), i64(logits.stride(0))))

    def logits_backward(self, gradient, hidden, hidden_gradient, head_gradient):
        self.lib.check(self.lib.lib.hir_model_logits_backward(
            self.handle, i64(gradient.data_ptr()), i64(gradient.stride(0)), i64(hidden.data_ptr()), i64(len(hidden)),
            i64(hidden_gradient.data_ptr()), i64(head_gradient.data_ptr())))

    def close(self):
        self.lib.synchronize()
        self.lib.lib.hir_model_free(self.handle)


class Decoder:
    """Rows decoded with a NativeModel."""

    def __init__(self, native):
        self.native, self.lib, self.handle = native, native.lib, i64()
        self.lib.check(self.lib.lib.hir_decoder_create(native.handle, ctypes.byref(self.handle)))

    def admit(self, cache, length, first, rows):
        """Rows that continue one prompt, whose `cache` is as Model fills it for one row."""
        s = self.native.model.shape
        both = torch.stack([torch.stack([part[0, :, :length].transpose(0, 1) for part in layer], 1) for layer in cache])
        width = s.kv_heads * s.head_dim
        prompt, start = i64(), both.data_ptr()
        self.lib.check(self.lib.lib.hir_decoder_prompt(
            self.handle, i64(start), i64(start + width * both.element_size()), i64(2 * width * length), i64(2 * width),
            i64(length), i32(code(both.dtype)), ctypes.byref(prompt)))
        self.lib.check(self.lib.lib.hir_decoder_admit(self.handle, prompt, i64(first), i64(rows)))
        self.lib.lib.hir_decoder_prompt_free(self.handle, prompt)
        self.lib.synchronize()  # `both` lives until here

    def step(self, tokens, logits):
        self.lib.check(self.lib.lib.hir_decoder_step(self.handle, i64(tokens.data_ptr()), i64(len(tokens)),
                                                     i64(logits.data_ptr()), i64(logits.stride(0))))

    def draw(self, tokens, counters, temperature=1.0):
        """Appends tokens (a list; -1 is a row's last draw) and draws the next; it waits."""
        rows = len(tokens)
        drawn, logprobs = (i64 * rows)(), (ctypes.c_float * rows)()
        self.lib.check(self.lib.lib.hir_decoder_draw(
            self.handle, longs(tokens), i64(rows), f64(temperature), i64(0), f64(1), f64(0),
            i64(self.native.model.shape.vocab), i64(42), counters, drawn, logprobs, None))
        return list(drawn), list(logprobs)

    def close(self):
        self.lib.synchronize()
        self.lib.lib.hir_decoder_free(self.handle)
