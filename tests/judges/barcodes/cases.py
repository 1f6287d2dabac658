"""The symbols that the judges read: an AFP page for each, and what a reader must say.

Each case: name, bar code type, modifier, data as a BSA has it behind the position (text cases are turned into EBCDIC), what
independent readers must find, how zxing-cpp calls the symbology, and how zbar does (None: it does not read it).
"""
import struct

E = lambda text: text.encode("cp500")


def dm(data, rows=0, columns=0, control=0x40, seq=0, total=0, special=0):
    return bytes([control]) + struct.pack(">HH", columns, rows) + bytes([seq, total, 1, 1, special]) + data


def qr(data, conversion=0, version=0, level=1, control=0x40, special=0, indicator=0):
    return bytes([control, conversion, version, level, 0, 0, 0, special, indicator]) + data


def pdf(data, columns=0xFF, rows=0xFF, level=2, control=0x40, macro=b""):
    return bytes([control, columns, rows, level]) + struct.pack(">H", len(macro)) + macro + data


def maxi(data, mode=4, control=0x40):
    return bytes([control, mode, 0, 0, 0]) + data


def aztec(data, layers=0xFF, checks=0xFF, control=0x40, special=0, indicator=0, seq=0, total=0):
    return bytes([control, 0, layers, checks, special, indicator, seq, total, 0, 0]) + data


def package(banner, data):
    words = banner.encode("utf-16-be")
    return bytes([0, 0, 0, len(words)]) + words + data


LONG = ("Pay to the order of Example Ltd the sum of 1,234.56 (reference 2024/0007). " * 3).strip()
MIXED = b"AbC 123 \xe9\xfc\x00\x01\xff{}~ 12345678901234567890 end."

CASES = [
    ("code39", 0x01, 1, E("GREENBAR-39 $/+%."), "GREENBAR-39 $/+%.", "Code39", "CODE-39"),
    ("code39-check", 0x01, 2, E("ABC123"), "ABC123$", "Code39", "CODE-39"),
    ("upca", 0x03, 0, E("01234567890"), "0012345678905", "EAN13|UPCA", "UPC-A|EAN-13"),
    ("upce", 0x05, 0, E("1230000045"), "0012300000451", "UPCE", None),
    ("upca-2", 0x06, 1, E("0123456789012"), "001234567890512", "EAN13|UPCA", None),
    ("upca-5", 0x07, 1, E("0123456789012345"), "001234567890512345", "EAN13|UPCA", None),
    ("ean8", 0x08, 0, E("9638507"), "96385074", "EAN8", "EAN-8"),
    ("ean13", 0x09, 0, E("400638133393"), "4006381333931", "EAN13", "EAN-13"),
    ("ean13-2", 0x16, 1, E("40063813339305"), "400638133393105", "EAN13", None),
    ("ean13-5", 0x17, 1, E("97801432107851299"), "978014321078851299", "EAN13", None),
    ("itf", 0x0C, 1, E("123456"), "123456", "ITF", "I2/5"),
    ("itf-odd-check", 0x0C, 2, E("1234567"), "12345670", "ITF", "I2/5"),
    ("itf14", 0x0C, 4, E("1540014128876"), "15400141288763", "ITF|ITF14", "I2/5"),
    ("codabar", 0x0D, 1, E("A12345-$:/.+B"), "A12345-$:/.+B", "Codabar", "Codabar"),
    ("code128-b", 0x11, 2, E("Greenbar 128!"), "Greenbar 128!", "Code128", "CODE-128"),
    ("code128-c", 0x11, 2, E("0123456789"), "0123456789", "Code128", "CODE-128"),
    ("code128-mix", 0x11, 2, E("AB\t12345678cd\x07EF123"), b"AB\t12345678cd\x07EF123", "Code128", None),
    ("gs1-128", 0x11, 3, b"\x8f" + E("0104012345678901") + E("10AB12"), "010401234567890110AB12", "Code128", "CODE-128"),
    ("gs1-128-parentheses", 0x11, 4, b"\x8f" + E("010401234567890110AB12"), "010401234567890110AB12", "Code128", "CODE-128"),
    ("im-container", 0x11, 5, b"\x8f" + E("99M123456-----ABC1234"), "99M123456-----ABC1234", "Code128", "CODE-128"),
    ("im-package", 0x11, 6, package("USPS TRACKING # eVS", b"\x8f" + E("9374890100000003985039")), "9374890100000003985039", "Code128", "CODE-128"),
    ("code93", 0x21, 0, E("Code 93 / mixed!"), "Code 93 / mixed!", "Code93", None),
    ("databar", 0x24, 0, E("0950110153000"), "0109501101530003", "DataBar", "DataBar"),
    ("databar-truncated", 0x24, 1, E("20012345678909"), "0120012345678909", "DataBar", None),
    ("databar-stacked", 0x24, 2, E("20012345678909"), "0120012345678909", "DataBar", None),
    ("databar-stacked-omni", 0x24, 3, E("01234567890128"), "0101234567890128", "DataBar", None),
    ("databar-limited", 0x24, 4, E("15012345678907"), "0115012345678907", "DataBarLimited", None),
    ("databar-expanded", 0x24, 0x11, E("0198898765432106320201234515991231"), "0198898765432106320201234515991231", "DataBarExpanded", "DataBar-Exp"),
    ("databar-expanded-2", 0x24, 0x12, E("0198898765432106320201234515991231"), "0198898765432106320201234515991231", "DataBarExpanded", None),
    ("databar-expanded-4", 0x24, 0x13, E("10Ab-12"), "10Ab-12", "DataBarExpanded", None),
    ("databar-expanded-6", 0x24, 0x14, E("01123456789012312012") + E("21AbCdefghijklm"), "0112345678901231201221AbCdefghijklm", "DataBarExpanded", None),
    ("data-matrix", 0x1C, 0, dm(b"Greenbar 123456"), "Greenbar 123456", "DataMatrix", None),
    ("data-matrix-ebcdic", 0x1C, 0, dm(E("EBCDIC data 1"), control=0xC0), "EBCDIC data 1", "DataMatrix", None),
    ("data-matrix-upper", 0x1C, 0, dm(b"UPPER CASE IS SHORTER IN C FORTY ENCODATION, 42"), "UPPER CASE IS SHORTER IN C FORTY ENCODATION, 42", "DataMatrix", None),
    ("data-matrix-rect", 0x1C, 0, dm(b"RECT 12345", rows=12, columns=36), "RECT 12345", "DataMatrix", None),
    ("data-matrix-extended", 0x1C, 1, dm(b"DMRE 12345", rows=8, columns=64), "DMRE 12345", "DataMatrix", None),
    ("data-matrix-grown", 0x1C, 0, dm(b"this does not fit into eight by eighteen", rows=8, columns=18), "this does not fit into eight by eighteen", "DataMatrix", None),
    ("data-matrix-long", 0x1C, 0, dm(LONG.encode() * 4), LONG * 4, "DataMatrix", None),
    ("data-matrix-bytes", 0x1C, 0, dm(MIXED), MIXED, "DataMatrix", None),
    ("data-matrix-gs1", 0x1C, 0, dm(b"010401234567890110AB12", special=0x80), "010401234567890110AB12", "DataMatrix", None),
    ("maxicode-4", 0x1D, 0, maxi(b"Greenbar MaxiCode 123456789 abc"), "Greenbar MaxiCode 123456789 abc", "MaxiCode", None),
    ("maxicode-5", 0x1D, 0, maxi(b"MODE FIVE; lower", 5), "MODE FIVE; lower", "MaxiCode", None),
    ("maxicode-bytes", 0x1D, 0, maxi(bytes(range(0x20, 0x60)) + b"\xc4\xe4\xe9\x80"), bytes(range(0x20, 0x60)) + b"\xc4\xe4\xe9\x80", "MaxiCode", None),
    ("maxicode-2", 0x1D, 0, maxi(b"[)>\x1e01\x1d96152382802\x1d840\x1d001\x1d1Z00004951\x1dUPSN\x1e\x04", 2), b"[)>\x1e01\x1d96152382802\x1d840\x1d001\x1d1Z00004951\x1dUPSN\x1e\x04", "MaxiCode", None),
    ("maxicode-3", 0x1D, 0, maxi(b"[)>\x1e01\x1d96B1050 \x1d056\x1d999\x1d1Z00004951\x1dUPSN\x1e\x04", 3), b"[)>\x1e01\x1d96B1050 \x1d056\x1d999\x1d1Z00004951\x1dUPSN\x1e\x04", "MaxiCode", None),
    ("pdf417", 0x1E, 0, pdf(LONG.encode()), LONG, "PDF417", None),
    ("pdf417-columns", 0x1E, 0, pdf(b"columns 4, level 5", columns=4, level=5), "columns 4, level 5", "PDF417", None),
    ("pdf417-bytes", 0x1E, 0, pdf(MIXED), MIXED, "PDF417", None),
    ("pdf417-eci", 0x1E, 0, pdf(b"\\927\\026" + "Žluť".encode(), control=0), "Žluť", "PDF417", None),
    ("pdf417-macro", 0x1E, 0, pdf(b"first of two", macro=b"\\9281\\017\\053"), "first of two", "PDF417", None),
    ("pdf417-truncated", 0x1E, 1, pdf(b"Truncated PDF417 'x' 1234567890123456"), "Truncated PDF417 'x' 1234567890123456", "PDF417|CompactPDF417", None),
    ("qr", 0x20, 2, qr(b"https://example.com/pay?id=4711"), "https://example.com/pay?id=4711", "QRCode", "QR-Code"),
    ("qr-ebcdic", 0x20, 2, qr(E("EBCDIC 4711"), conversion=1, control=0xC0), "EBCDIC 4711", "QRCode", "QR-Code"),
    ("qr-digits", 0x20, 2, qr(b"12345678901", level=3), "12345678901", "QRCode", "QR-Code"),
    ("qr-long", 0x20, 2, qr(LONG.encode() * 3, level=0), LONG * 3, "QRCode", "QR-Code"),
    ("qr-version", 0x20, 2, qr(b"VERSION 10", version=10, level=2), "VERSION 10", "QRCode", "QR-Code"),
    ("qr-eci", 0x20, 2, qr(b"\\000026" + "Žluť".encode(), control=0), "Žluť", "QRCode", None),
    ("aztec", 0x26, 3, aztec(b"Greenbar Aztec 123,45"), "Greenbar Aztec 123,45", "Aztec", None),
    ("aztec-full", 0x26, 0, aztec(b"FULL RANGE"), "FULL RANGE", "Aztec", None),
    ("aztec-compact", 0x26, 1, aztec(b"AFP Consortium"), "AFP Consortium", "Aztec", None),
    ("aztec-long", 0x26, 3, aztec(LONG.encode() * 4), LONG * 4, "Aztec", None),
    ("aztec-bytes", 0x26, 3, aztec(MIXED), MIXED, "Aztec", None),
    ("aztec-gs1", 0x26, 3, aztec(b"010401234567890110AB12", special=0x80), "010401234567890110AB12", "Aztec", None),
    ("aztec-rune", 0x26, 2, aztec(b"\x7b", layers=0), "123", "Aztec", None),
]


def bdd(kind, modifier, color=0xFFFF, module=0xFF, height=0xFFFF):
    return struct.pack(">BBHHHHHBBBHBHBH", 0, 0, 14400, 14400, 0xFFFF, 0xFFFF, 0, kind, modifier, 0xFF, color, module, height, 1, 0xFFFF)


def bda(data, flags=0, x=2000, y=2000):
    return struct.pack(">BHH", flags, x, y) + data


def field(sf, data=b""):
    return b"\x5a" + struct.pack(">H", len(data) + 8) + bytes.fromhex(sf) + b"\0\0\0" + data


def page(kind, modifier, data):
    """One page of 8 x 8 inches with the symbol; MO:DCA units are 1440 in an inch."""
    name = E("BARCODE1")
    size = struct.pack(">I", 11520)[1:]
    zero = b"\0\0\0"
    pgd = b"\0\0" + struct.pack(">HH", 14400, 14400) + size + size + zero
    obd = bytes([3, 0x43, 1]) + bytes([8, 0x4B, 0, 0]) + struct.pack(">HH", 14400, 14400) + bytes([9, 0x4C, 2]) + size + size
    obp = b"\x01\x17" + zero + zero + b"\0\0\x2d\0\0" + zero + zero + b"\0\0\x2d\0\x01"
    return b"".join([
        field("D3A8AF", name), field("D3A8C9", name), field("D3A6AF", pgd), field("D3A9C9", name),
        field("D3A8EB", name), field("D3A8C7", name), field("D3A66B", obd), field("D3AC6B", obp),
        field("D3A6EB", bdd(kind, modifier)), field("D3A9C7", name),
        field("D3EEEB", bda(data)), field("D3A9EB", name), field("D3A9AF", name),
    ])


def document():
    name = E("BARCODES")
    return field("D3A8A8", name) + b"".join(page(c[1], c[2], c[3]) for c in CASES) + field("D3A9A8", name)
