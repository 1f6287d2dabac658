#!/usr/bin/env python3
"""Makes the code page tables beside this file from what the system's iconv knows.

usage: python3 generate.py        (by hand, on a glibc system; the output is committed)

single-byte.bin  one record of 528 bytes for each page: name (16 bytes, NUL padded), then 256 code points as u16 little endian;
                 0xFFFF where the byte has no meaning. Single-byte halves of mixed pages are named `ibm-1388/s`.
double-byte.bin  the double-byte halves of mixed host pages, deflated (zlib). Inside, one record for each: name (16 bytes), then
                 the cell 4040 and the 190 x 190 cells 41..FE as u16 little endian: 0 where nothing is assigned, 0xD800 + n where
                 the cell is entry n of the list that follows: u16 count, then count x (u32, u32): two code points, second may be 0.

Two corrections to glibc are made, where its tables contradict IBM's registration (and glibc's own euro variants of the same pages):
278 has `\\` at 71 and E with acute at E0; 871 has capital thorn at 4A and small thorn at C0.
"""
import ctypes, os, struct, sys, zlib

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = [37, 256, 273, 274, 275, 277, 278, 280, 281, 284, 285, 290, 297, 420, 423, 424, 500, 870, 871, 875, 880, 905, 918, 1025, 1026, 1047, 1097,
        1112, 1122, 1123, 1130, 1132, 1137, *range(1140, 1150), *range(1153, 1159), 1160, 1164, 1166]
WORKSTATION = [(f'iso-8859-{n}', f'ISO-8859-{n}') for n in (1, 2, 3, 4, 5, 7, 9, 13, 15)] \
    + [(f'windows-{n}', f'CP{n}') for n in (1250, 1251, 1252, 1253, 1254, 1257)] + [(f'ibm-{n}', f'IBM{n}') for n in (437, 850, 852, 855, 857, 858, 865, 866)] \
    + [('koi8-r', 'KOI8-R'), ('koi8-u', 'KOI8-U')]
MIXED = [930, 933, 935, 937, 939, 1364, 1371, 1388, 1390, 1399]
SHARED = {939: 930, 1399: 1390}                     # the same double-byte half under two single-byte halves
CORRECTED = {'ibm-278': {0x71: 0x5C, 0xE0: 0xC9}, 'ibm-871': {0x4A: 0xDE, 0xC0: 0xFE}}

libc = ctypes.CDLL(None, use_errno=True)
libc.iconv_open.restype = ctypes.c_void_p
libc.iconv_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
libc.iconv.restype = ctypes.c_size_t
libc.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4


class Iconv:
    def __init__(self, page):
        self.cd = libc.iconv_open(b'UTF-32LE', page.encode())
        if self.cd in (None, ctypes.c_void_p(-1).value):
            raise LookupError(page)

    def __call__(self, data):
        """The code points of `data`, or None when iconv refuses any of it."""
        libc.iconv(self.cd, None, None, None, None)
        src = ctypes.create_string_buffer(data, len(data)); dst = ctypes.create_string_buffer(64)
        s, sl = ctypes.c_void_p(ctypes.addressof(src)), ctypes.c_size_t(len(data))
        d, dl = ctypes.c_void_p(ctypes.addressof(dst)), ctypes.c_size_t(64)
        r = libc.iconv(self.cd, ctypes.byref(s), ctypes.byref(sl), ctypes.byref(d), ctypes.byref(dl))
        if r == ctypes.c_size_t(-1).value or sl.value:
            return None
        libc.iconv(self.cd, None, None, ctypes.byref(d), ctypes.byref(dl))      # some pages hold a character back
        return list(struct.unpack(f'<{(64 - dl.value) // 4}I', dst.raw[:64 - dl.value]))


def single(name, page, skip=()):
    conv = Iconv(page)
    cells = []
    for b in range(256):
        got = None if b in skip else conv(bytes([b]))
        cells.append(got[0] if got and len(got) == 1 and got[0] < 0xFFFF else 0xFFFF)
    for b, c in CORRECTED.get(name, {}).items():
        cells[b] = c
    return name.encode().ljust(16, b'\0') + struct.pack('<256H', *cells)


def double(ccsid):
    conv = Iconv(f'IBM{ccsid}')
    extra, cells = [], []
    for hi, lo in [(0x40, 0x40)] + [(h, l) for h in range(0x41, 0xFF) for l in range(0x41, 0xFF)]:
        got = conv(bytes([0x0E, hi, lo, 0x0F]))
        if not got or len(got) > 2:
            cells.append(0)
        elif len(got) == 1 and got[0] < 0x10000:
            cells.append(got[0])
        else:
            cells.append(0xD800 + len(extra)); extra.append((got + [0])[:2])
    assert len(extra) < 0x800
    return f'ibm-{ccsid}'.encode().ljust(16, b'\0') + struct.pack(f'<{len(cells)}H', *cells) \
        + struct.pack('<H', len(extra)) + b''.join(struct.pack('<II', *e) for e in extra)


out = [single(f'ibm-{n:03}', f'IBM{n:03}') for n in HOST] + [single(n, p) for n, p in WORKSTATION]
out += [single(f'ibm-{n}/s', f'IBM{n}', skip=(0x0E, 0x0F)) for n in MIXED]
with open(os.path.join(HERE, 'single-byte.bin'), 'wb') as f:
    f.write(b''.join(out))
raw = b''.join(double(n) for n in MIXED if n not in SHARED)
with open(os.path.join(HERE, 'double-byte.bin'), 'wb') as f:
    f.write(zlib.compress(raw, 9))
print(len(out), 'single-byte tables;', len(raw), 'bytes of double-byte tables', file=sys.stderr)
