#!/usr/bin/env python3
"""Decodes block rows as docs/formats/block.md describes them; written from that page, not from the program.

usage: decode.py FOLDER OUT

FOLDER has the contents of the block rows of one load as files 0, 1, 2 ... (behind the head of each row: version and
check). OUT gets their bytes, joined. Blocks that need a trained dictionary are not read here. Needs the package zstandard.
"""
import os
import sys

import zstandard

STORED, PLAIN, WITH_DICTIONARY, WITH_FIRST, COLUMNS, COLUMNS_WITH_FIRST = range(6)
TEXT, SAME, PARTS, NUMBER = range(4)
KEPT = 255


class Bytes:
    """What is left to read."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        if length > len(self.data) - self.at:
            raise ValueError("cut short")
        self.at += length
        return self.data[self.at - length:self.at]

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def until(self, terminator):
        end = self.data.index(terminator, self.at)
        value = self.take(end - self.at)
        self.at += 1
        return value

    def rest(self):
        return self.take(len(self.data) - self.at)


class Code:
    """The characters that the form knows: blank, zero, minus, comma, point."""

    def __init__(self, ebcdic):
        self.blank, self.zero, self.minus, self.comma, self.point = b"\x40\xf0\x60\x6b\x4b" if ebcdic else b" 0-,."

    def digit(self, byte):
        return byte - self.zero if 0 <= byte - self.zero < 10 else None


def decompress(frame, length, context):
    prefix = zstandard.ZstdCompressionDict(context, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if context else None
    data = zstandard.ZstdDecompressor(dict_data=prefix).decompress(frame, max_output_size=length)
    if len(data) != length:
        raise ValueError("a frame holds something else than it should")
    return data


def number_text(number, code, decimals, bits):
    """Bits: 1 grouped, 2 minus behind, 4 comma before the decimals."""
    point, group = (code.comma, code.point) if bits & 4 else (code.point, code.comma)
    digits = str(abs(number)).rjust(decimals + 1, "0")
    whole, part = digits[:len(digits) - decimals], digits[len(digits) - decimals:]
    out = bytearray()
    for at, digit in enumerate(whole):
        if bits & 1 and at and (len(whole) - at) % 3 == 0:
            out.append(group)
        out.append(code.zero + int(digit))
    if decimals:
        out.append(point)
        out += bytes(code.zero + int(digit) for digit in part)
    if number < 0:
        out = out + bytes([code.minus]) if bits & 2 else bytes([code.minus]) + out
    return bytes(out)


def number_column(rest, count, code, before):
    decimals, bits, width, source = rest.take(4)
    numbers, last = [], 0
    for at in range(count):
        lead = rest.byte()
        if lead == code.zero - 32:
            addend = before[(source - 1) // 2][at]
            last += addend if source % 2 == 1 else -addend
        else:
            digits = bytes([lead]) + rest.take(width - 1)
            negative = code.digit(lead) is None
            if negative:
                digits = bytes([lead + 16]) + digits[1:]
            last = int("".join(str(code.digit(byte)) for byte in digits))
            last = -last if negative else last
        numbers.append(last)
    return numbers, [number_text(number, code, decimals, bits) for number in numbers]


def parts_column(rest, count):
    parts = []
    for _ in range(rest.varint()):
        head = rest.varint()
        length = head // 2
        parts.append([rest.take(length)] * count if head % 2 else [rest.take(length) for _ in range(count)])
    return [b"".join(value) for value in zip(*parts)]


def column(rest, count, code, terminator, before):
    """The values of a column, and its numbers if they are numbers."""
    kind = rest.byte()
    if kind == TEXT:
        return None, [rest.until(terminator) for _ in range(count)]
    if kind == SAME:
        return None, [rest.until(terminator)] * count
    if kind == PARTS:
        return None, parts_column(rest, count)
    if kind == NUMBER:
        return number_column(rest, count, code, before)
    raise ValueError("a kind of column that is not known")


def record(places, tail, values, code):
    out = bytearray()
    for place, value in zip(places, values):
        begin = place // 2
        if place % 2:
            behind = next((n for n, byte in enumerate(reversed(value[-3:])) if code.digit(byte) is not None), 0)
            begin += behind - len(value)
        out += bytes([code.blank]) * (begin - len(out)) + value
    return bytes(out) + bytes([code.blank]) * tail


def unfold(form):
    """The bytes of a block from its columnar form."""
    rest = Bytes(form)
    code = Code(rest.byte() == 1)
    terminator = rest.byte()
    frame, detail = rest.byte(), rest.varint()
    layouts = []
    for _ in range(rest.varint()):
        tail = rest.varint()
        layouts.append(([rest.varint() for _ in range(rest.varint())], tail))
    ids = rest.take(rest.varint())
    values = []
    for number, (places, _) in enumerate(layouts):
        count, numbers, columns = ids.count(number), [], []
        for _ in places if count else []:
            found, texts = column(rest, count, code, bytes([terminator]), numbers)
            numbers.append(found)
            columns.append(texts)
        values.append(iter(zip(*columns)) if columns else iter([()] * count))
    out = bytearray()
    for number in ids:
        if number == KEPT:
            body = rest.take(rest.varint())
        else:
            body = record(*layouts[number], next(values[number]), code)
        if frame == 0:
            out += body + bytes([code.blank]) * (detail - len(body))
        elif frame == 1:
            out += body + bytes([detail])
        elif frame == 2:
            out += body + b"\r\n"
        elif frame == 3:
            out += (len(body) + 4).to_bytes(2, "big") + b"\0\0" + body
    return bytes(out) + rest.rest()


def block(content, first, first_form):
    """The bytes of a block and its columnar form, if it has one."""
    rest = Bytes(content)
    codec, length, _dictionary = rest.byte(), rest.varint(), rest.varint()
    form = None
    if codec == STORED:
        data = rest.rest()
    elif codec in (COLUMNS, COLUMNS_WITH_FIRST):
        size = rest.varint()
        form = decompress(rest.rest(), size, first_form if codec == COLUMNS_WITH_FIRST else None)
        data = unfold(form)
    elif codec in (PLAIN, WITH_FIRST):
        data = decompress(rest.rest(), length, first if codec == WITH_FIRST else None)
    else:
        raise ValueError(f"codec {codec} is not read here")
    if len(data) != length:
        raise ValueError(f"a block of {length} bytes became {len(data)}")
    return data, form


def main():
    folder, target = sys.argv[1:]
    first = first_form = None
    with open(target, "wb") as out:
        for number in range(len(os.listdir(folder))):
            with open(os.path.join(folder, str(number)), "rb") as row:
                data, form = block(row.read(), first, first_form)
            if number == 0:
                first, first_form = data, form
            out.write(data)


if __name__ == "__main__":
    main()
