"""Small AFP streams that ask for much: pictures, overlays in one another, repeated text, many pages."""
import struct
import zlib
from collections import namedtuple

# `limits`: what GREENBAR_LIMITS says. `says`: parts of what must be said of it.
Bomb = namedtuple("Bomb", "name data limits says")

TOO_LARGE = ("afp-image-too-large", "at byte", "X'D3A8")


def field(kind, data=b""):
    return b"\x5a" + struct.pack(">H", 8 + len(data)) + bytes.fromhex(kind) + b"\0\0\0" + data


def name(text):
    return text.encode("cp500").ljust(8, b"\x40")


def between(kind, title, content, more=b""):
    """Begin, content, End."""
    return field("D3A8" + kind, name(title) + more) + content + field("D3A9" + kind, name(title))


def parts(kind, data):
    """Data in fields of at most 30,000 bytes."""
    return b"".join(field(kind, data[at : at + 30_000]) for at in range(0, len(data), 30_000))


SIZE = field("D3A6AF", bytes.fromhex("0000384038 40002FD0003DE0000000".replace(" ", "")))
ENVIRONMENT = between("C9", "A", SIZE)
AREA = between("C7", "O", field("D3A66B", bytes.fromhex("034301084B00003840384009 4C02001000001000".replace(" ", "")))
               + field("D3AC6B", bytes.fromhex("0117000000000000000 02D000000000000000000002D0001".replace(" ", ""))))


def document(*pages):
    return between("A8", "D", b"".join(between("AF", "P", ENVIRONMENT + page) for page in pages), b"\0\0")


def overlays(*contents):
    each = (between("CE", f"OV{n}", between("DF", f"OV{n}", ENVIRONMENT + content), b"\0\0" + bytes.fromhex("0A21FC00000000000000"))
            for n, content in enumerate(contents))
    return between("C6", "R", b"".join(each))


def include(number):
    return field("D3AFD8", name(f"OV{number}") + bytes(8))


def container(data):
    return between("92", "C", AREA + parts("D3EE92", data))


def png(width, height):
    """A black picture of three colours."""
    row, squeeze = bytes(width * 3 + 1), zlib.compressobj(9)
    data = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def announcing(picture, width, height):
    """The same data behind another size."""
    head = b"IHDR" + struct.pack(">II", width, height) + picture[24:29]
    return picture[:12] + head + struct.pack(">I", zlib.crc32(head)) + picture[33:]


def image(width, height, compression, data, bits):
    """An IO image."""
    segment = b"\x70\0\x91\x01\xff\x94\x09\0" + struct.pack(">HHHH", 2400, 2400, width, height)
    segment += b"\x95\x02" + bytes([compression, 1]) + b"\x96\x01" + bytes([bits])
    segment += b"\x9b\x08\0\x01\0\0\0\x08\x08\x08" if bits == 24 else b""
    for at in range(0, len(data), 20_000):
        piece = data[at : at + 20_000]
        segment += b"\xfe\x92" + struct.pack(">H", len(piece)) + piece
    descriptor = b"\0" + struct.pack(">HHHH", 2400, 2400, width, height) + b"\xf7\x02\x01\x0b"
    return between("FB", "I", AREA + field("D3A6FB", descriptor) + parts("D3EEFB", segment + b"\x93\0\x71\0"))


def jpeg_head(width, height):
    """A JPEG that announces its size and breaks off."""
    frame = b"\x08" + struct.pack(">HH", height, width) + b"\x03\x01\x22\0\x02\x11\0\x03\x11\0"
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xda\0\x02"


def white_fax(rows, number):
    """Group 4: one bit for each row that is as the one before; the number makes it another picture."""
    return b"\xff" * (rows // 8) + bytes([number])


def text(*sequences):
    return between("9B", "T", field("D3EE9B", b"\x2b\xd3" + b"".join(sequences)))


def all_bombs():
    big = [png(6400, 6400 - number) for number in range(4)]
    repeated = b"\x07\xef\x7f\xf0\xc1\xc2\xc3"  # RPS: 32,752 bytes of it, chained
    fax = lambda number: image(60_000, 60_000, 0x82, white_fax(60_000, number), 1)
    nested = overlays(*(include(number + 1) for number in range(40)))
    return [
        Bomb("one large picture", document(container(big[0])), "", ()),
        Bomb("large pictures on a page", document(b"".join(map(container, big))), "", TOO_LARGE),
        Bomb("pages of a large picture each", document(*map(container, big)), "", ()),
        Bomb("overlays of a large picture", overlays(*map(container, big)) + document(*(include(number) for number in range(4))), "", ()),
        Bomb("overlays of large pictures on one page", overlays(*map(container, big)) + document(b"".join(include(number) for number in range(4))), "", TOO_LARGE),
        Bomb("a picture larger than allowed", document(container(announcing(big[0], 16_000, 16_000))), "", TOO_LARGE),
        Bomb("a JPEG larger than allowed", document(container(jpeg_head(60_000, 60_000))), "", TOO_LARGE),
        Bomb("fax pictures on a page", document(b"".join(map(fax, range(4)))), "", TOO_LARGE),
        Bomb("LZW that says little and is large", document(image(60_000, 60_000, 0x0D, b"\x80\x00" * 4000, 24)), "", ()),
        Bomb("text that repeats itself", document(text(*[repeated] * 4000)), "", ()),
        Bomb("overlays inside one another", nested + document(include(0)), "", ("afp-nesting", "X'D3AFD8'")),
        Bomb("an overlay inside itself", overlays(include(0)) + document(include(0)), "", ("afp-nesting", "X'D3AFD8'")),
        Bomb("limit nesting", nested + document(include(0)), "nesting=2", ("afp-nesting",)),
        Bomb("limit image_samples", document(container(png(200, 200))), "image_samples=100000", TOO_LARGE),
        Bomb("limit page_samples", document(container(png(200, 200)) + container(png(201, 201))), "page_samples=200000", TOO_LARGE),
        Bomb("limit page_elements", document(text(*[b"\x04\xc7\0\x10\x03\xdb\xc1"] * 400)), "page_elements=10", ("-limit", "X'D3")),
        Bomb("limit pages", document(*[b""] * 50), "pages=10", ("10 pages",)),
        Bomb("limit resource_bytes", overlays(container(png(900, 900))) + document(include(0)), "resource_bytes=1000", ("afp-limit",)),
        Bomb("limit object_bytes", document(container(png(900, 900))), "object_bytes=1000", ("1000 bytes",)),
    ]
