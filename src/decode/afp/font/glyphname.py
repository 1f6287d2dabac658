#!/usr/bin/env python3
"""Makes glyphname.txt beside this file from the Adobe Glyph List for New Fonts, as the fontTools package carries it.

usage: python3 glyphname.py        (by hand, with fontTools installed; the output is committed)

Left out is what glyphname.rs derives: single letters, letters with an accent, and the names that are GCGIDs (SF...).
"""
import os, re, unicodedata
from fontTools import agl
from fontTools.encodings.StandardEncoding import StandardEncoding

ACCENTS = dict(acute=0x301, grave=0x300, circumflex=0x302, dieresis=0x308, tilde=0x303, caron=0x30C, breve=0x306,
               hungarumlaut=0x30B, ring=0x30A, dotaccent=0x307, macron=0x304, cedilla=0x327, ogonek=0x328)
HEAD = '''# PostScript glyph names and the Unicode characters they mean (Adobe Glyph List for New Fonts), without single letters and
# without letters with accents: `glyphname.rs` derives those. The first block is StandardEncoding: code=name.
'''


def derived(name):
    if len(name) == 1:
        return name
    mark = ACCENTS.get(name[1:])
    return unicodedata.normalize('NFC', name[0] + chr(mark)) if mark else None


def block(items):
    lines = ['']
    for item in items:
        if len(lines[-1]) + 1 + len(item) > 118:
            lines.append('')
        lines[-1] += (' ' if lines[-1] else '') + item
    return '\n'.join(lines) + '\n'


wanted = {n for n in agl.AGL2UV if n in set(agl.UV2AGL.values()) or n in StandardEncoding}
names = [f'{n}={agl.AGL2UV[n]:04X}' for n in sorted(wanted)
         if not 0xE000 <= agl.AGL2UV[n] < 0xF900 and derived(n) != chr(agl.AGL2UV[n]) and not re.fullmatch(r'SF\d+', n)]
standard = [f'{code:02X}={n}' for code, n in enumerate(StandardEncoding) if n != '.notdef' and len(n) > 1]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'glyphname.txt'), 'w') as out:
    out.write(HEAD + block(standard) + '\n' + block(names))
