#!/usr/bin/env python3
"""Hostile AFP through the binary: no panic, no hang, no more than 300 MB (Python standard library only).

usage: tests/hostile/run.py --greenbar PATH [--files 500] [--seed 1]

Mutated files: heads of the samples, fixtures and (where it is there) the corpus, with bits flipped, lengths overwritten, pieces cut,
doubled, spliced and fields exchanged. Each is read, rendered in one format in turn, and some are loaded into an archive, which must be
sound at the end. Bombs (bombs.py): small files whose pages ask for much more than they are given; what is refused must be said with the
field and its place. Limits: each name of GREENBAR_LIMITS set low must be what stops a stream.
A command may fail with exit code 1 and a message; everything else is a fault. CPU seconds count, not the clock. Exits 1 on a fault.
"""
import argparse
import glob
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import bombs

ROOT = os.path.dirname(os.path.dirname(HERE))
CORPUS = os.environ.get("GREENBAR_CORPUS", os.path.join(ROOT, "..", "shared", "corpus"))
MOST_BYTES, MOST_SECONDS, CLOCK = 300e6, 20, 600
HEAD = 120_000
FORMATS = ("pdf", "text", "html", "json", "png")

parser = argparse.ArgumentParser()
parser.add_argument("--greenbar", required=True)
parser.add_argument("--files", type=int, default=500)
parser.add_argument("--seed", type=int, default=1)
OPTIONS = parser.parse_args()
FAULTS, WORST = [], {"bytes": 0, "seconds": 0.0}


def run(arguments, what, limits=""):
    """Runs a command and judges it; gives its exit code and what it said."""
    with tempfile.TemporaryFile() as said:
        env = dict(os.environ, GREENBAR_LIMITS=limits)
        process = subprocess.Popen([OPTIONS.greenbar, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, env=env)
        guard = subprocess.Popen(["sh", "-c", f"sleep {CLOCK}; kill -9 {process.pid}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        os.killpg(guard.pid, 9)
        guard.wait()
        said.seek(0)
        message = said.read().decode("utf-8", "replace")
    used, seconds = usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime
    WORST["bytes"], WORST["seconds"] = max(WORST["bytes"], used), max(WORST["seconds"], seconds)
    bad = []
    if code not in (0, 1):
        bad.append(f"exit code {code}")
    if code == 1 and "error" not in message:
        bad.append("fails without an error")
    if "panicked" in message:
        bad.append("panics")
    if used > MOST_BYTES:
        bad.append(f"{used / 1e6:.0f} MB")
    if seconds > MOST_SECONDS:
        bad.append(f"{seconds:.0f} CPU-s")
    if bad:
        FAULTS.append(f"{what}: {', '.join(bad)}: {message[-300:]}")
    return code, message


def seeds():
    """Heads of AFP files, by name."""
    patterns = [os.path.join(ROOT, "fixtures/samples/*.afp"), os.path.join(ROOT, "fixtures/afp/*/input.afp"), os.path.join(CORPUS, "afp/*.afp")]
    found = {}
    for path in sorted(path for pattern in patterns for path in glob.glob(pattern)):
        with open(path, "rb") as file:
            found[os.path.relpath(path, ROOT)] = file.read(HEAD)
    return found


def fields(data):
    """Where structured fields begin behind X'5A', and how long they are with it."""
    at, found = 0, []
    while at + 9 <= len(data) and data[at] == 0x5A:
        length = int.from_bytes(data[at + 1 : at + 3], "big") + 1
        if length < 9:
            break
        found.append((at, length))
        at += length
    return found


def mutant(data, kind, dice):
    """Another file of the kind."""
    out, whole = bytearray(data), fields(data)
    place = lambda: dice.randrange(len(out))
    if kind == 0:
        return bytes(out[: place()])
    if kind == 1:
        for _ in range(1 + dice.randrange(60)):
            out[place()] ^= 1 << dice.randrange(8)
    elif kind == 2:
        for _ in range(1 + dice.randrange(30)):
            at = place()
            piece = bytes([dice.choice((0x00, 0xFF, 0x7F, 0x01, 0x80))]) * min(1 + dice.randrange(4), len(out) - at)
            out[at : at + len(piece)] = piece
    elif kind == 3:
        start = place()
        piece = out[start : start + dice.randrange(4000)]
        at = place()
        out[at:at] = piece * dice.choice((1, 2, 20))
    elif kind == 4 and whole:
        for _ in range(1 + dice.randrange(10)):
            # Another kind of field with the same data, or the data of another length behind the same introducer.
            at, length = dice.choice(whole)
            if dice.randrange(2) and length > 12:
                inside = at + 9 + dice.randrange(length - 9)
                out[inside] = dice.choice((0, 1, 0x7F, 0xFF))
            else:
                other, _ = dice.choice(whole)
                out[at + 3 : at + 6] = out[other + 3 : other + 6]
    elif whole:
        order = [data[at : at + length] for at, length in whole]
        for _ in range(1 + dice.randrange(20)):
            a, b = dice.randrange(len(order)), dice.randrange(len(order))
            order[a], order[b] = order[b], order[a]
        out = bytearray(b"".join(order))
    return bytes(out)


def mutated(folder, archive):
    dice, all_seeds = random.Random(OPTIONS.seed), seeds()
    names = sorted(all_seeds)
    for number in range(OPTIONS.files):
        name = names[number % len(names)]
        what = f"mutant {number} of {name} (--seed {OPTIONS.seed})"
        path = os.path.join(folder, "mutant.afp")
        with open(path, "wb") as file:
            file.write(mutant(all_seeds[name], number // len(names) % 6, dice))
        form = FORMATS[number % len(FORMATS)]
        pages = ["--pages", "1-1"] if form == "png" else []
        run(["convert", path, "--format", form, *pages, "-o", os.path.join(folder, "out")], f"{what} as {form}")
        if number % 4 == 0:
            run(["inspect", path], f"{what} inspected")
        if number % 8 == 0:
            run(["--data", archive, "load", path], f"{what} loaded")
    code, message = run(["--data", archive, "verify"], "the archive of the mutants")
    if code != 0:
        FAULTS.append(f"the archive of the mutants is not sound: {message}")


def exploded(folder):
    """Bombs: what is refused is said, with the field and its place."""
    all_bombs = bombs.all_bombs()
    for number, bomb in enumerate(all_bombs):
        path = os.path.join(folder, bomb.name + ".afp")
        with open(path, "wb") as file:
            file.write(bomb.data)
        for form in ("pdf", "png" if number % 2 else "html"):
            pages = ["--pages", "1-1"] if form == "png" else []
            _, message = run(["convert", path, "--format", form, *pages, "-o", os.path.join(folder, "out")], f"{bomb.name} as {form}", bomb.limits)
            for part in bomb.says:
                if part not in message:
                    FAULTS.append(f"{bomb.name} as {form}: nobody says {part!r}: {message[-300:]}")
        os.remove(path)
    return len(all_bombs)


def main():
    with tempfile.TemporaryDirectory() as folder:
        archive = os.path.join(folder, "archive")
        run(["init", archive], "init")
        mutated(folder, archive)
        count = exploded(folder)
    print(f"{OPTIONS.files} mutated files and {count} bombs: at most {WORST['bytes'] / 1e6:.0f} MB, {WORST['seconds']:.1f} CPU-s")
    print("\n".join(FAULTS[:20]) if FAULTS else "no fault")
    return 1 if FAULTS else 0


sys.exit(main())
