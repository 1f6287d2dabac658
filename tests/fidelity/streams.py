"""Streams without a reference: what a page of the stream would mark, and what of the result nobody was told.

The fields are walked by a few lines of their own, so that greenbar's decoder does not judge itself.
"""
import re
import subprocess

BEGIN_PAGE, END_PAGE = b"\xd3\xa8\xaf", b"\xd3\xa9\xaf"
TEXT = b"\xd3\xee\x9b"
# Image, graphics, bar code and container data on a page, and includes of objects, overlays and page segments.
DRAWN = {bytes.fromhex("D3" + kind) for kind in ("EEFB", "EE7B", "EEBB", "EEEB", "EE92", "AFC3", "AFD8", "AF5F")}
BLANKS = {0x00, 0x40, 0x41}


def fields(data):
    at = 0
    while at + 9 <= len(data):
        if data[at] != 0x5A:
            at += 1
            continue
        length = int.from_bytes(data[at + 1 : at + 3], "big")
        yield data[at + 3 : at + 6], data[at + 9 : at + 1 + length]
        at += max(1 + length, 9)


def marks_text(data):
    """Whether presentation text data prints anything: a character that is no blank, or a rule with a length."""
    at, chained = 0, False
    while at < len(data):
        if not chained:
            if data[at : at + 2] != b"\x2b\xd3":
                if data[at] not in BLANKS:
                    return True
                at += 1
                continue
            at += 2
        if at + 2 > len(data) or data[at] < 2:
            return False
        length, kind = data[at], data[at + 1]
        body, at, chained = data[at + 2 : at + length], at + length, bool(kind & 1)
        if kind & 0xFE == 0xDA and set(body) - BLANKS:
            return True
        if kind & 0xFE == 0xEE and set(body[2:]) - BLANKS:
            return True
        if kind & 0xFE in (0xE4, 0xE6) and any(body[:2]):
            return True
    return False


def marked_pages(path):
    """For each page of the stream whether it has marks."""
    pages, inside = [], False
    with open(path, "rb") as stream:
        data = stream.read()
    for kind, body in fields(data):
        if kind == BEGIN_PAGE:
            pages.append(False)
            inside = True
        elif kind == END_PAGE:
            inside = False
        elif inside and pages:
            pages[-1] = pages[-1] or kind in DRAWN or (kind == TEXT and marks_text(body))
    return pages


def blank(pdf, page):
    done = subprocess.run(["pdftoppm", "-gray", "-r", "40", "-f", str(page), "-l", str(page), pdf], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    _, width, height = done.stdout.split(None, 3)[:3]
    return set(done.stdout[-int(width) * int(height) :]) <= {255}


def unsaid(pdf, notes):
    """Fonts of the machine that the PDF has and no note names, and missing characters that no note mentions."""
    listed = subprocess.run(["pdffonts", pdf], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode().splitlines()[2:]
    fonts = {line.split()[0].split("+")[-1] for line in listed}
    machine = {font for font in fonts if re.match(r"Liberation|Noto|DejaVu|WenQuanYi", font)}
    said = " ".join(notes)
    found = [f"{font} stands in for a font and no note says so" for font in sorted(machine) if font.split("-")[0] not in said]
    text = subprocess.run(["pdftotext", pdf, "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode("utf-8", "replace")
    if "\ufffd" in text and "private" not in said:
        found.append("characters without a meaning, and no note says so")
    return found
