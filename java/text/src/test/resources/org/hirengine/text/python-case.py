"""Writes python-case.jsonl: the results of CPython's str methods on characters and texts with unusual case.

Run with CPython 3.11: python3 python-case.py > python-case.jsonl
Characters newer than Unicode 13 are left out: a Java 17 runtime does not know them.
"""
import json
import random
import unicodedata

OLD = unicodedata.ucd_3_2_0


def methods(s):
    return {
        "text": s,
        "lower": s.lower(),
        "upper": s.upper(),
        "title": s.title(),
        "capitalize": s.capitalize(),
        "swapcase": s.swapcase(),
        "isupper": s.isupper(),
        "islower": s.islower(),
        "istitle": s.istitle(),
        "isalpha": s.isalpha(),
        "isalnum": s.isalnum(),
        "isdecimal": s.isdecimal(),
        "isdigit": s.isdigit(),
        "isspace": s.isspace(),
        "isprintable": s.isprintable(),
        "keepends": s.splitlines(True),
    }


def special(c):
    """Characters whose mappings are longer than one, or differ between upper and title."""
    return len(c.upper()) > 1 or len(c.title()) > 1 or c.upper() != c.title() or len(c.lower()) > 1


chars = [chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000 and unicodedata.name(chr(i), "")]
cases = [c for c in chars if special(c)]
random.seed(7)
pool = (
    cases
    + [c for c in chars if ord(c) < 0x250 or unicodedata.category(c) in ("Lt", "Nl", "No", "Zs", "Zl", "Zp")]
    + list("\n\r\x0b\x0c\x1c\x1d\x1e\x85\t aAbBzZ.'\u03a3\u03c3\u0130\u0131\u00b7\u0345\u2019-_09" * 12)
    + [chr(i) for i in (0x10400, 0x10428, 0x1D7D8, 0x1F100, 0x1F600, 0x200D, 0xFEFF)]
)
pool = [c for c in pool if OLD.name(c, "") or len(c.encode()) < 4 or c in "\U0001f600\U0001d7d8\U00010400\U00010428\U0001f100"]
texts = cases + ["".join(random.choice(pool) for _ in range(random.randint(2, 9))) for _ in range(700)]
for text in dict.fromkeys(texts):
    print(json.dumps(methods(text)))
