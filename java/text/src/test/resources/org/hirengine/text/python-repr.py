"""Writes python-repr.jsonl: CPython's repr of crafted and random strings and floats."""
import json
import random
import struct

random.seed(3)

texts = ["", "a", "it's", 'say "x"', 'it\'s "x"', "\n\r\t\\", "\0\x07\x1b\x7f\x85\xa0\xad",
         "\xe9\u0300\u200b\u2028\ufeff\u3000", "\U0001f600\U000e0001\ue000\ud800x", "\u0378\uffff"]
for _ in range(60):
    texts.append("".join(
        chr(random.choice([random.randrange(0x100), random.randrange(0x3000), random.choice(b"'\"\\ ab"),
                           random.randrange(0xE000, 0x10000), random.randrange(0x1F600, 0x1F650)]))
        for _ in range(random.randrange(8))))

floats = [0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, 1e16, 1e15, 123456789012345680.0, 9999999999999998.0, 1e-4, 1e-5,
          1.5e-7, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 1e22, 1e23, 2.0 ** 53, 4.35, 2.675, 1e100,
          float("inf"), float("-inf"), float("nan")]
for _ in range(100):
    floats.append(struct.unpack("d", struct.pack("Q", random.getrandbits(64)))[0])
    floats.append(round(random.uniform(-1000, 1000), random.randrange(6)))

with open("python-repr.jsonl", "w") as out:
    for text in texts:
        print(json.dumps({"text": text, "repr": repr(text)}), file=out)
    for number in floats:
        bits = "%016x" % struct.unpack("Q", struct.pack("d", number))[0]
        print(json.dumps({"bits": bits, "repr": repr(number)}), file=out)
