"""What a PDF page draws: letters with their baselines, rules and fills as boxes, pictures as boxes.

Read from the drawing operators themselves (qpdf gives them as JSON), not from what a viewer makes of them, so that a position is the
one in the file to the last digit. Lengths are points from the top left corner of the page, y downwards.
Enough of PDF for greenbar's files and Apache FOP's: no inline images, shadings, patterns or Type 3 fonts; clips are not looked at.
"""
import base64
import json
import re
import subprocess

TOKEN = re.compile(
    rb"\s+|%[^\r\n]*|(?P<string>\((?:[^()\\]|\\[\s\S]|\((?:[^()\\]|\\[\s\S])*\))*\))|(?P<open><<|\[)|(?P<close>>>|\])|(?P<hex><[0-9A-Fa-f\s]*>)"
    rb"|(?P<name>/[^\s()<>\[\]{}/%]*)|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?=[\s()<>\[\]{}/%]|$))|(?P<word>[^\s()<>\[\]{}/%]+)"
)
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class Letter:
    """A letter: its text, where its origin lies, its size, its colour, and the number of the operator that showed it."""

    __slots__ = ("text", "x", "y", "size", "color", "run", "code")

    def __init__(self, text, x, y, size, color, run, code):
        self.text, self.x, self.y, self.size, self.color, self.run, self.code = text, x, y, size, color, run, code


class Page:
    """Everything that one page draws."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.letters, self.boxes, self.pictures = [], [], []


def multiply(a, b):
    """First a, then b."""
    return (
        a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2], a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4], a[4] * b[1] + a[5] * b[3] + b[5],
    )


def apply(m, x, y):
    return m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]


def inverse(m):
    d = m[0] * m[3] - m[1] * m[2]
    a, b, c, e = m[3] / d, -m[1] / d, -m[2] / d, m[0] / d
    return a, b, c, e, -(m[4] * a + m[5] * c), -(m[4] * b + m[5] * e)


class File:
    """The objects of some pages of a PDF."""

    def __init__(self, path, pages, scratch):
        """Takes `pages` (numbers from 1) into the file `scratch`, which can then be drawn by page number from 1."""
        listed = ",".join(str(page) for page in pages)
        subprocess.run(["qpdf", "--warning-exit-0", "--empty", "--pages", path, listed, "--", scratch], check=True, stderr=subprocess.DEVNULL)
        self.path = scratch
        read = ["qpdf", "--warning-exit-0", "--json=2", "--json-stream-data=inline", "--decode-level=generalized", scratch]
        found = json.loads(subprocess.run(read, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
        self.head, self.objects = found["qpdf"]
        self.page_ids = [page["object"] for page in found["pages"]]
        self.contents = [page["contents"] for page in found["pages"]]
        self.fonts = {}

    def get(self, value):
        """What a reference leads to; anything else as it is."""
        while isinstance(value, str) and re.fullmatch(r"\d+ \d+ R", value):
            found = self.objects.get("obj:" + value, {"value": None})
            value = found["stream"]["dict"] if "stream" in found else found["value"]
        return value

    def data(self, reference):
        return base64.b64decode(self.objects["obj:" + reference]["stream"]["data"])

    def inherited(self, page, key):
        while page is not None:
            if key in page:
                return self.get(page[key])
            page = self.get(page.get("/Parent"))
        return None

    def font(self, reference):
        if reference not in self.fonts:
            self.fonts[reference] = Font(self, self.get(reference))
        return self.fonts[reference]

    def page(self, number, widths=None):
        """The marks of page `number` (from 0). `widths`: see Font.width."""
        page = self.get(self.page_ids[number])
        x0, y0, x1, y1 = self.inherited(page, "/MediaBox")
        found = Page(x1 - x0, y1 - y0)
        content = b"\n".join(self.data(reference) for reference in self.contents[number])
        Reader(self, found, widths or {}).read(content, self.inherited(page, "/Resources") or {}, (1, 0, 0, -1, -x0, y1))
        return found


class Font:
    """Codes of a font: how many bytes, which text, how wide."""

    def __init__(self, file, font):
        self.name = font["/BaseFont"].split("+")[-1].lstrip("/")
        self.wide = font["/Subtype"] == "/Type0"
        self.unicode = to_unicode(file.data(font["/ToUnicode"])) if "/ToUnicode" in font else {}
        self.widths, self.default = {}, None
        if self.wide:
            inner = file.get(file.get(font["/DescendantFonts"])[0])
            self.default = inner.get("/DW", 1000)
            self.cid_widths([file.get(value) for value in file.get(inner.get("/W", []))])
        elif "/Widths" in font:
            self.widths = dict(enumerate(file.get(font["/Widths"]), font["/FirstChar"]))

    def cid_widths(self, listed):
        while listed:
            if isinstance(listed[1], list):
                self.widths.update(enumerate(listed[1], listed[0]))
                listed = listed[2:]
            else:
                self.widths.update((code, listed[2]) for code in range(listed[0], listed[1] + 1))
                listed = listed[3:]

    def codes(self, string):
        return [int.from_bytes(string[i : i + 2], "big") for i in range(0, len(string), 2)] if self.wide else list(string)

    def text(self, code):
        return self.unicode.get(code) or (bytes([code]).decode("cp1252", "replace") if code < 256 else "\ufffd")

    def width(self, code, known):
        """In thousandths of an em. The standard fonts carry none in the file: they are looked up in `known` by style and text."""
        width = self.widths.get(code, self.default)
        return width if width is not None else known.get((style(self.name), self.text(code)), 500)


def style(name):
    """What tells the standard fonts and those of the same metrics apart."""
    mono = "Courier" in name or "Mono" in name
    serif = "Times" in name or "Serif" in name
    slanted = "Italic" in name or "Oblique" in name
    return ("mono" if mono else "serif" if serif else "sans", "Bold" in name, slanted)


def to_unicode(cmap):
    found = {}
    hexes = lambda text: [bytes.fromhex(part.decode()) for part in re.findall(rb"<([0-9A-Fa-f]*)>", text)]
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.S):
        parts = hexes(block)
        for code, text in zip(parts[::2], parts[1::2]):
            found[int.from_bytes(code, "big")] = text.decode("utf-16-be", "replace")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", cmap, re.S):
        for low, high, to in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(<[0-9A-Fa-f]+>|\[[^\]]*\])", block):
            first, last, to = int(low, 16), int(high, 16), hexes(to)
            for code in range(first, last + 1):
                last_unit = int.from_bytes(to[0][-2:], "big") + code - first
                raw = to[code - first] if len(to) > 1 else to[0][:-2] + last_unit.to_bytes(2, "big")
                found[code] = raw.decode("utf-16-be", "replace")
    return found


def literal(token):
    """The bytes of a string in parentheses."""
    def one(match):
        escape = match[1]
        if escape[:1].isdigit():
            return bytes([int(escape, 8) & 255])
        return b"" if escape in (b"\n", b"\r\n", b"\r") else ESCAPES.get(escape, escape)
    return re.sub(rb"\\([0-7]{1,3}|\r\n|[\s\S])", one, token[1:-1])


def operators(content):
    """(operator, operands, from, to): from is where the first operand starts. Arrays are lists, names are strings."""
    stack, nested, start = [], [], None
    for match in TOKEN.finditer(content):
        kind = match.lastgroup
        if kind is None:
            continue
        if start is None:
            start = match.start()
        token = match[0]
        if kind == "open":
            nested.append(stack)
            stack = []
        elif kind == "close":
            inner, stack = stack, nested.pop()
            stack.append(inner)
        elif kind == "string":
            stack.append(literal(token))
        elif kind == "hex":
            digits = re.sub(rb"\s", b"", token[1:-1]).decode()
            stack.append(bytes.fromhex(digits + "0" * (len(digits) % 2)))
        elif kind == "number":
            stack.append(float(token))
        elif kind == "name":
            stack.append(token.decode("latin-1"))
        elif not nested:
            yield token.decode("latin-1"), stack, start, match.end()
            stack, start = [], None


class Reader:
    """Follows the operators of one page."""

    def __init__(self, file, page, widths):
        self.file, self.page, self.widths = file, page, widths
        self.runs, self.shown = 0, []

    def read(self, content, resources, ctm, depth=0):
        state = dict(ctm=ctm, font=None, font_name="", size=0.0, tc=0.0, tw=0.0, tz=1.0, tl=0.0, w=1.0, dash=[], fill=(0.0,))
        saved, path = [], []
        tm = line = (1, 0, 0, 1, 0, 0)
        for operator, args, start, end in operators(content):
            if operator == "q":
                saved.append(dict(state))
            elif operator == "Q":
                state = saved.pop() if saved else state
            elif operator == "cm":
                state["ctm"] = multiply(args, state["ctm"])
            elif operator == "w":
                state["w"] = args[0]
            elif operator == "d":
                state["dash"] = args[0]
            elif operator in ("g", "rg", "k", "sc", "scn"):
                state["fill"] = tuple(args)
            elif operator == "BT":
                tm = line = (1, 0, 0, 1, 0, 0)
            elif operator == "Tf":
                fonts = self.file.get(resources.get("/Font", {}))
                state.update(font=self.file.font(fonts[args[0]]), font_name=args[0], size=args[1])
            elif operator in ("Tc", "Tw", "TL"):
                state[operator.lower()] = args[0]
            elif operator == "Tz":
                state["tz"] = args[0] / 100
            elif operator in ("Td", "TD"):
                state["tl"] = -args[1] if operator == "TD" else state["tl"]
                tm = line = multiply((1, 0, 0, 1, args[0], args[1]), line)
            elif operator == "Tm":
                tm = line = tuple(args)
            elif operator in ("T*", "'"):
                tm = line = multiply((1, 0, 0, 1, 0, -state["tl"]), line)
            if operator in ("Tj", "TJ", "'"):
                parts = args[0] if operator == "TJ" else args
                tm = self.show(parts, state, tm, (start, end))
            elif operator in ("m", "l", "c", "v", "y", "h", "re"):
                self.step(path, operator, args, state["ctm"])
            elif operator in ("f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "n"):
                self.paint(path, operator, state)
                path.clear()
            elif operator == "Do":
                self.invoke(args[0], resources, state["ctm"], depth)

    def show(self, parts, state, tm, span):
        font, size, ctm = state["font"], state["size"], state["ctm"]
        self.shown.append((self.runs, span, len(self.page.letters), dict(state), tm))
        for part in parts:
            if isinstance(part, float):
                tm = multiply((1, 0, 0, 1, -part / 1000 * size * state["tz"], 0), tm)
                continue
            for code in font.codes(part):
                whole = multiply(tm, ctm)
                x, y = apply(whole, 0, 0)
                scale = abs(whole[0] * whole[3] - whole[1] * whole[2]) ** 0.5
                text = font.text(code)
                self.page.letters.append(Letter(text, x, y, size * scale, state["fill"], self.runs, code))
                blank = state["tw"] if not font.wide and code == 32 else 0.0
                advance = (font.width(code, self.widths) / 1000 * size + state["tc"] + blank) * state["tz"]
                tm = multiply((1, 0, 0, 1, advance, 0), tm)
        self.runs += 1
        return tm

    @staticmethod
    def step(path, operator, args, ctm):
        if operator == "re":
            x, y, w, h = args
            path.append([apply(ctm, *corner) for corner in ((x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y))])
        elif operator == "m":
            path.append([apply(ctm, *args)])
        elif operator == "h" and path:
            path[-1].append(path[-1][0])
        elif path:
            path[-1].extend(apply(ctm, *args[i : i + 2]) for i in range(0, len(args), 2))

    def paint(self, path, operator, state):
        if operator != "n" and operator not in ("S", "s"):
            self.page.boxes.extend(bounds(points) for points in path if len(points) > 2)
        if operator in ("S", "s", "B", "B*", "b", "b*"):
            m = state["ctm"]
            scale = abs(m[0] * m[3] - m[1] * m[2]) ** 0.5
            half, dash = state["w"] * scale / 2, [length * scale for length in state["dash"]]
            for points in path:
                for a, b in zip(points, points[1:]):
                    self.page.boxes.extend(stroke(a, b, half, dash))

    def invoke(self, name, resources, ctm, depth):
        reference = self.file.get(resources.get("/XObject", {}))[name]
        found = self.file.get(reference)
        if found["/Subtype"] == "/Image":
            self.page.pictures.append(bounds([apply(ctm, x, y) for x, y in ((0, 0), (1, 1))]))
        elif depth < 8:
            matrix = tuple(found.get("/Matrix", (1, 0, 0, 1, 0, 0)))
            inner = self.file.get(found.get("/Resources", resources))
            self.read(self.file.data(reference), inner, multiply(matrix, ctm), depth + 1)


def bounds(points):
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def stroke(a, b, half, dash):
    """The boxes of a straight line, one for each dash."""
    length = ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5
    if length == 0:
        return
    along = ((b[0] - a[0]) / length, (b[1] - a[1]) / length)
    grow = (half * abs(along[1]), half * abs(along[0]))
    at, number = 0.0, 0
    while at < length:
        step = dash[number % len(dash)] if dash and sum(dash) > 0 else length
        if number % 2 == 0:
            ends = [(a[0] + along[0] * t, a[1] + along[1] * t) for t in (at, min(at + step, length))]
            x0, y0, x1, y1 = bounds(ends)
            yield x0 - grow[0], y0 - grow[1], x1 + grow[0], y1 + grow[1]
        at, number = at + step, number + 1
