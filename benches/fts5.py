#!/usr/bin/env python3
"""The peer of a load with words: the same documents' text in SQLite's FTS5 with `detail=none`.

usage: fts5.py text STREAM TRUTH OUT     writes the text of each document, each ended by a NUL (not measured)
       fts5.py index OUT DATABASE        feeds it to FTS5 in one transaction (measured)
"""
import os
import sqlite3
import sys

RECORD = 133


def text(stream, truth, out):
    data = open(stream, "rb")
    with open(out, "w", encoding="utf-8") as sink:
        for line in open(truth, encoding="utf-8").readlines()[1:]:
            offset, length = map(int, line.split("\t")[7:9])
            data.seek(offset)
            printed = data.read(length).decode("cp037")
            lines = [printed[at + 1 : at + RECORD].rstrip() for at in range(0, len(printed), RECORD)]
            sink.write("\n".join(lines) + "\0")


def documents(path):
    held = ""
    with open(path, encoding="utf-8") as source:
        while piece := source.read(1 << 20):
            *whole, held = (held + piece).split("\0")
            yield from ((one,) for one in whole)


def index(path, database):
    if os.path.exists(database):
        os.remove(database)
    store = sqlite3.connect(database)
    store.execute("CREATE VIRTUAL TABLE pages USING fts5(text, content='', detail=none)")
    store.executemany("INSERT INTO pages(text) VALUES (?)", documents(path))
    store.commit()
    store.close()


if __name__ == "__main__":
    {"text": text, "index": index}[sys.argv[1]](*sys.argv[2:])
