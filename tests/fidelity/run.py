#!/usr/bin/env python3
"""Compares greenbar's PDFs of AFP streams with reference PDFs, page by page, and makes a page of pictures to look at.

usage: tests/fidelity/run.py --greenbar PATH [--pages 12] [--out FOLDER] [--review]

For each stream of expected.json: `greenbar convert STREAM --format pdf`, then words (equal? in the same order? moved by how many
points?) and pictures at 100 dots per inch (structural similarity) against the reference, by fidelity.py of the project's shared tools. What
comes out must be at least as good as the saved, reviewed expectation; --review saves what came out (then read the diff). Streams
without a reference must have no blank page that the stream marks and nothing unreported. Exits 1 when something is worse than expected.

Needs poppler-utils and python3-numpy; says so and exits 0 where the shared corpus is absent.
"""
import argparse
import html
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CORPUS = os.environ.get("GREENBAR_CORPUS", os.path.join(ROOT, "..", "shared", "corpus"))
TOOL = os.path.join(os.path.dirname(os.path.abspath(CORPUS)), "tools", "fidelity.py")
EXPECTED = os.path.join(HERE, "expected.json")

parser = argparse.ArgumentParser()
parser.add_argument("--greenbar", required=True)
parser.add_argument("--pages", type=int, default=12, help="pages compared of each stream; expectations were reviewed with 12")
parser.add_argument("--pictures", type=int, default=3, help="pages shown of each stream")
parser.add_argument("--out", default=os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "fidelity"))
parser.add_argument("--review", action="store_true")
OPTIONS = parser.parse_args()


def picture(pdf, page, path):
    subprocess.run(["pdftoppm", "-png", "-r", "60", "-f", str(page), "-l", str(page), "-singlefile", pdf, path], check=True)
    return os.path.basename(path) + ".png"


def convert(stream, name):
    pdf = os.path.join(OPTIONS.out, name + ".pdf")
    said = subprocess.run([OPTIONS.greenbar, "convert", stream, "--format", "pdf", "-o", pdf], stderr=subprocess.PIPE, check=True)
    return pdf, [line.strip() for line in said.stderr.decode().splitlines() if line.strip().startswith("warning")]


def compare(ours, reference):
    """The summary of fidelity.py, and its worst pages."""
    done = subprocess.run([sys.executable, TOOL, ours, reference, "--pages", str(OPTIONS.pages)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    worst = [line for line in done.stderr.decode().splitlines() if line.startswith("{")]
    return json.loads(done.stdout), [int(line.split("'page': ")[1].split(",")[0]) for line in worst]


def faults(found, expected):
    """What is worse than expected; shares count, so that fewer pages can be compared than were reviewed."""
    worse = []
    for key in ("same_text", "same_chars", "same_size"):
        if found[key] / max(found["compared"], 1) < expected[key] - 0.001:
            worse.append(f"{key}: {found[key]} of {found['compared']} pages")
    if found["pages_ours"] != found["pages_ref"]:
        worse.append(f"{found['pages_ours']} pages instead of {found['pages_ref']}")
    if found["moved95_max"] > expected["moved95_max"] + 0.05:
        worse.append(f"words moved by {found['moved95_max']:.2f} points instead of {expected['moved95_max']:.2f}")
    if found["ssim_min"] < expected["ssim_min"] - 0.002:
        worse.append(f"similarity {found['ssim_min']:.4f} instead of {expected['ssim_min']:.4f}")
    return worse


def blank_pages(pdf, pages):
    """Pages that show nothing at all."""
    blank = []
    for page in range(1, min(pages, OPTIONS.pages) + 1):
        done = subprocess.run(["pdftoppm", "-gray", "-r", "20", "-f", str(page), "-l", str(page), pdf], stdout=subprocess.PIPE, check=True)
        if set(done.stdout[16:]) <= {255}:
            blank.append(page)
    return blank


def main():
    if not os.path.isdir(CORPUS):
        print("skipped: the shared corpus is not here")
        return 0
    os.makedirs(OPTIONS.out, exist_ok=True)
    expected = json.load(open(EXPECTED))
    shown, worse, rows = [], 0, []
    for entry in expected["streams"]:
        name = os.path.basename(entry["stream"])
        pdf, said = convert(os.path.join(CORPUS, entry["stream"]), name)
        notes = "; ".join(said)
        if "reference" in entry:
            reference = os.path.join(CORPUS, entry["reference"])
            found, worst = compare(pdf, reference)
            bad = faults(found, entry["expect"])
            if OPTIONS.review:
                share = lambda key: round(found[key] / max(found["compared"], 1), 3)
                entry["expect"] = {"same_text": share("same_text"), "same_chars": share("same_chars"), "same_size": share("same_size"), "moved95_max": round(found["moved95_max"], 2), "ssim_min": round(found["ssim_min"], 4)}
            figures = f"text {found['same_text']}/{found['compared']}, moved {found['moved95_max']:.2f} pt, similarity {found['ssim_min']:.4f} to {found['ssim_mean']:.4f} (mean)"
            pages = sorted(set([1] + worst))[: OPTIONS.pictures]
        else:
            blank = blank_pages(pdf, entry["pages"])
            bad = [f"blank pages {blank}" for _ in [0] if blank != entry.get("blank", [])]
            figures, reference = f"{entry['pages']} pages, blank: {blank or 'none'}", None
            pages = list(range(1, min(entry["pages"], OPTIONS.pictures) + 1))
        worse += len(bad)
        rows.append((name, figures, "; ".join(bad) or "as expected"))
        print(f"{name}: {figures}: {'; '.join(bad) or 'as expected'}{' [' + notes + ']' if notes else ''}", flush=True)
        cells = []
        for page in pages:
            left = picture(pdf, page, os.path.join(OPTIONS.out, f"{name}-{page}-ours"))
            right = picture(reference, page, os.path.join(OPTIONS.out, f"{name}-{page}-reference")) if reference else None
            other = entry.get("pictures", {}).get(str(page))
            if other:
                right = os.path.relpath(os.path.join(CORPUS, other), OPTIONS.out)
            cells.append(f"<figure><img src='{left}'>" + (f"<img src='{right}'>" if right else "") + f"<figcaption>page {page}: greenbar{' | reference' if right else ''}</figcaption></figure>")
        shown.append(f"<h2>{html.escape(name)}</h2><p>{html.escape(figures)}. {html.escape('; '.join(bad) or 'As expected.')} {html.escape(entry.get('why', ''))}</p><p>{html.escape(notes)}</p>{''.join(cells)}")
    style = "body{font:14px sans-serif;margin:2em}figure{display:inline-block;margin:.5em}img{border:1px solid #bbb;margin-right:4px;max-width:48vw}"
    page = os.path.join(OPTIONS.out, "index.html")
    with open(page, "w") as out:
        out.write(f"<!doctype html><meta charset=utf-8><title>greenbar: fidelity of AFP</title><style>{style}</style><h1>Fidelity of AFP</h1>{''.join(shown)}")
    if OPTIONS.review:
        with open(EXPECTED, "w") as out:
            json.dump(expected, out, indent=2)
            out.write("\n")
    print(f"pictures: {page}")
    return 1 if worse and not OPTIONS.review else 0


sys.exit(main())
