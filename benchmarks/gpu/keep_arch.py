#!/usr/bin/env python3
"""Blanks the GPU code of all architectures but one inside a CUDA library, in place: keep_arch.py LIBRARY 90

Nothing moves, the tables that say where code lies stay true: blanked code only compresses to nothing. A fat binary
without code for the architecture keeps that of the nearest older one.
"""
import mmap
import struct
import sys

CONTAINER = struct.Struct("<IHHQ")  # mark, version, bytes of this header, bytes of all entries behind it
MARK = 0xBA55ED50
ENTRY = struct.Struct("<HHIQ12xI")  # kind (PTX, machine code), version, bytes of this header, bytes of code; architecture
KINDS = (1, 2)


def entries(data, start, end):
    """(architecture, first byte, last byte) of the code of each entry."""
    at = start
    while at + ENTRY.size <= end:
        kind, _, header, size, arch = ENTRY.unpack_from(data, at)
        if kind not in KINDS or header < ENTRY.size or at + header + size > end:
            return
        yield arch, at + header, at + header + size
        at += header + size


def containers(data):
    at = data.find(struct.pack("<I", MARK))
    while at >= 0:
        _, version, header, size = CONTAINER.unpack_from(data, at) if at + CONTAINER.size <= len(data) else (0, 0, 0, 0)
        real = version == 1 and header == CONTAINER.size and at + header + size <= len(data)
        if real:
            yield list(entries(data, at + header, at + header + size))
        at = data.find(struct.pack("<I", MARK), at + (header + size if real else 4))


def blank(data, wanted):
    """Bytes kept and blanked."""
    kept = blanked = 0
    for found in containers(data):
        keep = max((arch for arch, _, _ in found if arch <= wanted), default=None)
        for arch, first, end in found:
            if arch == keep:
                kept += end - first
            else:
                data[first:end] = bytes(end - first)
                blanked += end - first
    return kept, blanked


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        kept, blanked = blank(data, int(sys.argv[2]))
    print(f"{sys.argv[1]}: {kept / 1e6:.0f} MB of GPU code kept, {blanked / 1e6:.0f} MB blanked")
    if not kept:
        sys.exit("keep_arch.py: no GPU code was found")


if __name__ == "__main__":
    main()
