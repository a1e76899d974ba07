"""What of this folder can be checked without a GPU: python3 -m unittest discover -s benchmarks/gpu -p 'test_*.py'"""
import struct
import unittest

import keep_arch
from host import table
from qwen3 import SHAPES


class Shapes(unittest.TestCase):
    def test_parameters_are_the_published_ones(self):
        # Published counts, less the norms: layers * (2 hidden + 2 head_dim) + hidden.
        self.assertEqual(596_049_920 - 28 * (2 * 1024 + 2 * 128) - 1024, SHAPES["qwen3-0.6b"].parameters())
        self.assertEqual(4_022_468_096 - 36 * (2 * 2560 + 2 * 128) - 2560, SHAPES["qwen3-4b"].parameters())

    def test_cache_of_a_token(self):
        self.assertEqual(2 * 28 * 8 * 128 * 2, SHAPES["qwen3-0.6b"].kv_bytes(2))

    def test_few_rows_are_bound_by_memory_and_many_by_arithmetic(self):
        s = SHAPES["qwen3-0.6b"]
        self.assertAlmostEqual(s.step_bytes(1, 0, 2) / 4e12, s.step_limit(1, 0, 2, 4e12, 8e14))
        self.assertAlmostEqual(s.step_flops(4096, 0) / 8e14, s.step_limit(4096, 0, 2, 4e12, 8e14))
        self.assertGreater(s.step_limit(256, 4096, 2, 4e12, 8e14), s.step_limit(256, 1024, 2, 4e12, 8e14))

    def test_training_is_six_flops_a_parameter_and_token(self):
        s = SHAPES["qwen3-4b"]
        self.assertAlmostEqual(1, s.training_flops(1000, 1000, 0) / (6 * s.parameters() * 1000))


class Tables(unittest.TestCase):
    def test_markdown(self):
        self.assertEqual("| a | b |\n|---|---|\n| 1 | - |\n| x | 2.5 |", table(("a", "b"), [(1, None), ("x", 2.5)]))


class Architectures(unittest.TestCase):
    @staticmethod
    def container(*codes):
        body = b"".join(keep_arch.ENTRY.pack(2, 0, 40, len(code), arch) + bytes(8) + code for arch, code in codes)
        return keep_arch.CONTAINER.pack(keep_arch.MARK, 1, 16, len(body)) + body

    def test_one_architecture_is_kept(self):
        first = self.container((80, b"a" * 30), (90, b"b" * 50), (100, b"c" * 70))
        older = self.container((75, b"d" * 10), (86, b"e" * 20), (120, b"f" * 5))
        loose = struct.pack("<I", keep_arch.MARK) + b"no container"
        data = bytearray(b"head" + first + loose + older + b"tail")
        size = len(data)
        self.assertEqual((70, 30 + 70 + 10 + 5), keep_arch.blank(data, 90))
        self.assertEqual(size, len(data))
        self.assertEqual((b"b" * 50 in data, b"e" * 20 in data, b"a" * 30 in data), (True, True, False))


if __name__ == "__main__":
    unittest.main()
