"""Measures one page of greenbar's PDF against the same page of a reference PDF.

Why not by a viewer's picture alone: at 100 dots per inch poppler puts every letter on a whole dot upwards and a quarter dot sideways, makes
thin lines whole dots, and draws a font that a PDF names without embedding it in whatever the machine has. A page that is 0.05 point off, or
whose reference embeds no font, then looks different in every letter. README.md in this folder has the figures. So positions are compared as
the files state them, and pictures are made of dots 1/400 inch wide, averaged to 100 dots per inch, with the same font files on both sides.
"""
import base64
import json
import os
import subprocess
import zlib

import numpy as np

from marks import File, Reader, Page, apply, inverse, style

DOTS, FINE = 100, 4
NEAR = 1.0
GRID = 4

FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
%s
<cachedir>%s</cachedir>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
</fontconfig>
"""
ALIAS = '<match target="pattern"><test name="family"><string>%s</string></test><edit name="family" mode="assign" binding="same"><string>%s</string></edit></match>'
SAME_METRICS = {"Helvetica": "Liberation Sans", "Times": "Liberation Serif", "Courier": "Liberation Mono"}


def same_fonts(folder):
    """An environment in which the standard fonts that a PDF only names are drawn in the files that greenbar embeds for them."""
    path = os.path.join(folder, "fonts.conf")
    with open(path, "w") as out:
        out.write(FONTS % ("\n".join(ALIAS % pair for pair in SAME_METRICS.items()), os.path.join(folder, "font-cache")))
    return dict(os.environ, FONTCONFIG_FILE=path)


def grey(pdf, page, dots, env=None):
    """Levels of grey, 0 is black."""
    command = ["pdftoppm", "-gray", "-r", str(dots), "-f", str(page), "-l", str(page), pdf]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, env=env)
    _, width, height = done.stdout.split(None, 3)[:3]
    width, height = int(width), int(height)
    return np.frombuffer(done.stdout[-width * height :], np.uint8).reshape(height, width)


def exact(pdf, page, env=None):
    """The page at 100 dots per inch, each dot the average of 16."""
    fine = grey(pdf, page, DOTS * FINE, env).astype(np.float64)
    height, width = (side // FINE for side in fine.shape)
    return fine[: height * FINE, : width * FINE].reshape(height, FINE, width, FINE).mean((1, 3))


def mean7(a):
    c = np.cumsum(np.cumsum(np.pad(a, ((1, 0), (1, 0))), 0), 1)
    return (c[7:, 7:] - c[:-7, 7:] - c[7:, :-7] + c[:-7, :-7]) / 49


def similarity(a, b, precision=np.float64):
    """Structural similarity: window, constants and mean are those of the project's fidelity.py, computed in double precision
    unless asked otherwise.

    That tool sums squares of whole pages in single precision: the variance of white paper comes out as anything from -900 to 1200.
    """
    height, width = min(a.shape[0], b.shape[0]), min(a.shape[1], b.shape[1])
    a, b = a[:height, :width].astype(precision), b[:height, :width].astype(precision)
    ma, mb = mean7(a), mean7(b)
    va, vb, co = mean7(a * a) - ma * ma, mean7(b * b) - mb * mb, mean7(a * b) - ma * mb
    c1, c2 = 6.5025, 58.5225
    return float((((2 * ma * mb + c1) * (2 * co + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2))).mean())


class Pair:
    """The compared pages of two PDFs."""

    def __init__(self, ours, reference, pages, folder, name):
        scratch = lambda side: os.path.join(folder, f"{name}-{side}.pdf")
        self.ours, self.reference = File(ours, pages, scratch("ours")), File(reference, pages, scratch("reference"))
        self.settled = scratch("settled")
        self.pages = pages
        self.marks = [self.ours.page(number) for number in range(len(pages))]
        known = {}
        for font in self.ours.fonts.values():
            known.update(((style(font.name), font.text(code)), width) for code, width in font.widths.items())
        self.readers = [self.read_reference(number, known) for number in range(len(pages))]

    def read_reference(self, number, known):
        page = self.reference.get(self.reference.page_ids[number])
        x0, y0, x1, y1 = self.reference.inherited(page, "/MediaBox")
        reader = Reader(self.reference, Page(x1 - x0, y1 - y0), known)
        content = b"\n".join(self.reference.data(stream) for stream in self.reference.contents[number])
        reader.read(content, self.reference.inherited(page, "/Resources") or {}, (1, 0, 0, -1, -x0, y1))
        reader.content = content
        return reader


def visible(letters):
    return [letter for letter in letters if letter.text.strip()]


def inside(box, x, y):
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def pictured(ours, reference, deviations):
    """Where the stream has a picture and the reference has letters and lines, if the deviations know that."""
    if not any(known["kind"] == "picture" for known in deviations):
        return []
    away = lambda a, b: max(abs(p - q) for p, q in zip(a, b))
    return [box for box in ours.pictures if all(away(box, other) > NEAR for other in reference.pictures)]


def outside(boxes, letters):
    return [letter for letter in letters if not any(inside(box, letter.x, letter.y) for box in boxes)]


class Text:
    """How the letters of a page lie, paired in reading order."""

    def __init__(self, ours, reference, deviations):
        self.hidden = pictured(ours, reference, deviations)
        a, b = visible(ours.letters), outside(self.hidden, visible(reference.letters))
        self.same = "".join(letter.text for letter in a) == "".join(letter.text for letter in b)
        self.runs = self.letters = 0.0
        self.sizes, self.colors, self.pairs = set(), set(), {}
        if not self.same or len(a) != len(b):
            self.same = False
            return
        self.sized = {(known["reference"], known["stream"]) for known in deviations if known["kind"] == "size"}
        before = None
        for mine, other in zip(a, b):
            self.pairs[id(other)] = mine
            away = max(abs(mine.x - other.x), abs(mine.y - other.y))
            if other.run != before:
                self.runs = max(self.runs, away)
            before = other.run
            sizes = (round(other.size, 2), round(mine.size, 2))
            if abs(sizes[0] - sizes[1]) > 0.05:
                self.sizes.add(sizes)
            if sizes not in self.sized:
                self.letters = max(self.letters, away)
            if shade(mine.color) != shade(other.color):
                self.colors.add((shade(other.color), shade(mine.color)))


def shade(color):
    """A colour as red, green and blue, 0 to 255."""
    if len(color) == 4:
        color = [(1 - ink) * (1 - color[3]) for ink in color[:3]]
    return tuple(round(part * 255) for part in (color * 3 if len(color) == 1 else color))


def ink(boxes, size, grow=0.0):
    """A map of what boxes cover, in quarters of a point."""
    covered = np.zeros((int(size[1] * GRID) + 9, int(size[0] * GRID) + 9), bool)
    for x0, y0, x1, y1 in boxes:
        top, bottom = max(0, round((y0 - grow) * GRID)), round((y1 + grow) * GRID) + 1
        left, right = max(0, round((x0 - grow) * GRID)), round((x1 + grow) * GRID) + 1
        covered[top:bottom, left:right] = True
    return covered


def apart(ours, reference, size, hidden):
    """How many dots of a map are covered on one side and more than a point away from everything on the other."""
    ignored = ink(hidden, size, NEAR)
    alone = ink(ours, size) & ~ink(reference, size, NEAR) | ink(reference, size) & ~ink(ours, size, NEAR)
    return int((alone & ~ignored).sum())


def picture_edges(ours, reference, hidden):
    """How far the edges of pictures are apart; infinite where one has no other."""
    left, worst = [box for box in ours if box not in hidden], 0.0
    for box in reference:
        if not left:
            return float("inf")
        away = lambda other: max(abs(p - q) for p, q in zip(box, other))
        best = min(left, key=away)
        left.remove(best)
        worst = max(worst, away(best))
    return float("inf") if left else worst


def settle(pair, texts, deviations):
    """Writes the reference anew with each word that lies within a point of ours where ours is, and each letter of a known other size.

    What the pictures then differ by is not where words lie (that is measured in the files) but how everything looks.
    """
    changed = {}
    sized = {known["reference"]: known["stream"] for known in deviations if known["kind"] == "size"}
    for number, (reader, text) in enumerate(zip(pair.readers, texts)):
        pieces, at = [], 0
        letters = reader.page.letters
        shown = reader.shown + [(None, None, len(letters), None, None)]
        for (_, span, first, state, matrix), following in zip(shown, shown[1:]):
            moved = words(letters[first : following[2]], text, state, matrix, sized)
            pieces += [reader.content[at : span[0]], moved or reader.content[slice(*span)]]
            at = span[1]
        content = b"".join(pieces) + reader.content[at:]
        for index, stream in enumerate(pair.reference.contents[number]):
            changed[stream] = b"" if index else content
    write(pair.reference, changed, pair.settled)


def words(letters, text, state, matrix, sized):
    """The operators that show the words of one run at their new places."""
    out, first, target, ratio = [], None, None, 1.0
    back, font = inverse(state["ctm"]), state["font"]
    size = sized.get(round(letters[0].size, 2), None) if letters else None
    if size is not None:
        ratio = size / letters[0].size
        out.append(f"{state['font_name']} {state['size'] * ratio:.6f} Tf")
    for letter in letters:
        mine = text.pairs.get(id(letter))
        if mine is None:
            first = None
            if letter.text.strip():
                return None
            continue
        if first is None or size is not None:
            first = letter
            near = size is not None or max(abs(mine.x - letter.x), abs(mine.y - letter.y)) <= NEAR
            target = (mine.x, mine.y) if near else (letter.x, letter.y)
        x, y = target[0] + letter.x - first.x, target[1] + letter.y - first.y
        a, b, c, d = matrix[:4]
        u, v = apply(back, x, y)
        code = f"{letter.code:04x}" if font.wide else f"{letter.code:02x}"
        out.append(f"{a:.6f} {b:.6f} {c:.6f} {d:.6f} {u:.4f} {v:.4f} Tm <{code}> Tj")
    if size is not None:
        out.append(f"{state['font_name']} {state['size']:.6f} Tf")
    return ("\n" + "\n".join(out) + "\n").encode()


def write(file, changed, path):
    """The file with other content streams. They are replaced by ones that say how long they are; qpdf mends the rest."""
    update = [{key: file.head[key] for key in file.head}, {}]
    for reference, content in changed.items():
        update[1]["obj:" + reference] = {"stream": {"dict": {}, "data": base64.b64encode(content).decode()}}
    source = path + ".json"
    with open(source, "w") as out:
        json.dump({"qpdf": update}, out)
    subprocess.run(["qpdf", "--warning-exit-0", file.path, f"--update-from-json={source}", path], check=True)
    os.remove(source)


def png(path, pixels):
    """Writes height x width x 3 bytes as PNG."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, width * 3)], 1).tobytes()
    part = lambda kind, data: len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows, 6)) + part(b"IEND", b""))


def difference(path, ours, reference):
    """What both have is grey, what only ours has is red, what only the reference has is blue."""
    height, width = min(ours.shape[0], reference.shape[0]), min(ours.shape[1], reference.shape[1])
    a, b = ours[:height, :width], reference[:height, :width]
    pixels = np.stack([b, np.minimum(a, b), a], 2)
    faint = np.maximum(a, b)[..., None]
    same = np.abs(a - b)[..., None] < 24
    png(path, np.where(same, 160 + faint * 95 / 255, pixels).astype(np.uint8))
