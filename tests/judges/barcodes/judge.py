"""Reads the pictures of the pages of `cases.py` and says which are not what they should be."""
import subprocess
import sys

import zxingcpp
from PIL import Image

from cases import CASES


def zxing(picture, want):
    """Whether zxing-cpp finds a symbol that says what is wanted."""
    found = zxingcpp.read_barcodes(Image.open(picture), ean_add_on_symbol=zxingcpp.EanAddOnSymbol.Read)
    if isinstance(want, bytes):
        return any(symbol.bytes == want for symbol in found)
    return any(want in (symbol.text, symbol.bytes.decode("latin-1")) for symbol in found)


def zbar(picture, want):
    """Whether zbar finds it."""
    out = subprocess.run(["zbarimg", "-q", "--raw", picture], capture_output=True, text=True).stdout
    return want in out or want.lstrip("0") in out


def main(pictures):
    if len(pictures) != len(CASES):
        sys.exit(f"{len(pictures)} pages for {len(CASES)} cases")
    bad = 0
    for picture, (name, _, _, _, want, _, zbar_name) in zip(sorted(pictures), CASES):
        judges = [("zxing-cpp", zxing(picture, want))]
        if zbar_name:
            judges.append(("zbar", zbar(picture, want)))
        for judge, fine in judges:
            if not fine:
                bad += 1
                print(f"{name}: {judge} does not read what was encoded")
    print(f"bar codes: {len(CASES)} symbols read by independent readers, {bad} bad")
    sys.exit(bad > 0)


main(sys.argv[1:])
