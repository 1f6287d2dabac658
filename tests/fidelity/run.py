#!/usr/bin/env python3
"""Compares greenbar's PDFs of AFP streams with reference PDFs, page by page, and makes a page of pictures to look at.

usage: tests/fidelity/run.py --greenbar PATH [--pages 12] [--out FOLDER] [--review]

README.md in this folder says what is compared, how, and why in that way. Every stream of the corpus is converted. With a reference: text in
reading order on all pages; places of runs, letters, rules and pictures within a point, and similarity of at least 0.98, on up to --pages pages.
Where the stream says something else than the reference, expected.json holds the reason; without one it is a fault. What the project's
own tool (fidelity.py) says stands beside it, saved; --review saves it anew (then read the diff). Without a reference: no page blank that has
marks, no substitution without a note. Exits 1 on a fault.

Needs poppler-utils, qpdf, fonts-liberation2 and python3-numpy; says so and exits 0 where the shared corpus is absent.
"""
import argparse
import glob
import html
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import numpy as np

import measure
import streams

ROOT = os.path.dirname(os.path.dirname(HERE))
CORPUS = os.environ.get("GREENBAR_CORPUS", os.path.join(ROOT, "..", "shared", "corpus"))
TOOL = os.path.join(os.path.dirname(os.path.abspath(CORPUS)), "tools", "fidelity.py")
EXPECTED = os.path.join(HERE, "expected.json")
SIMILAR = 0.98

parser = argparse.ArgumentParser()
parser.add_argument("--greenbar", required=True)
parser.add_argument("--pages", type=int, default=12, help="pages compared of each stream; expectations were reviewed with 12")
parser.add_argument("--pictures", type=int, default=3, help="pages shown of each stream")
parser.add_argument("--only", help="streams whose name has this in it")
parser.add_argument("--out", default=os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "fidelity"))
parser.add_argument("--review", action="store_true")
OPTIONS = parser.parse_args()


def convert(stream, name):
    """The PDF, and what greenbar warns of."""
    pdf = os.path.join(OPTIONS.out, name + ".pdf")
    said = subprocess.run([OPTIONS.greenbar, "convert", stream, "--format", "pdf", "-o", pdf], stderr=subprocess.PIPE, check=True)
    return pdf, [line.strip() for line in said.stderr.decode().splitlines() if line.strip().startswith("warning")]


def page_count(pdf):
    done = subprocess.run(["pdfinfo", pdf], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return int(next(line.split()[1] for line in done.stdout.decode().splitlines() if line.startswith("Pages:")))


def reading(pdf):
    """The text of all pages in the order of the file, without white space."""
    done = subprocess.run(["pdftotext", "-raw", pdf, "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return ["".join(page.split()) for page in done.stdout.decode("utf-8", "replace").split("\f")]


def by_the_tool(ours, reference):
    """What the project's own tool says of files of the compared pages: pages of the same text in poppler's order, words moved, similarity of
    poppler's pictures."""
    command = [sys.executable, TOOL, ours, reference, "--pages", str(OPTIONS.pages)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
    return {
        "same_text": round(found["same_text"] / max(found["compared"], 1), 3),
        "moved95_max": round(found["moved95_max"], 2),
        "ssim_min": round(found["ssim_min"], 4),
    }


def attainable(reference, env):
    """What that tool says of the reference itself in the fonts that greenbar embeds: nothing else differs."""
    pictures = lambda page: (measure.grey(reference, page, measure.DOTS), measure.grey(reference, page, measure.DOTS, env))
    return min(measure.similarity(*pictures(page), precision=np.float32) for page in range(1, page_count(reference) + 1))


def known(deviations, kind):
    return [entry for entry in deviations if entry["kind"] == kind]


def page_faults(found, deviations):
    """What a compared page has that it must not have."""
    bad = []
    if not found["text"]:
        return ["letters or their order differ"]
    if max(found["size"]) > measure.NEAR:
        bad.append(f"the page is {max(found['size']):.2f} points larger or smaller")
    if found["runs"] > measure.NEAR:
        bad.append(f"a run of text starts {found['runs']:.2f} points away")
    limit = max([entry["up_to"] for entry in known(deviations, "spaces")] + [measure.NEAR])
    if found["letters"] > limit:
        bad.append(f"a letter lies {found['letters']:.2f} points away")
    sizes = {(entry["reference"], entry["stream"]) for entry in known(deviations, "size")}
    bad += [f"letters of {ours} points where the reference has {reference}" for reference, ours in sorted(found["sizes"] - sizes)]
    bad += [f"text in colour {ours} where the reference has {reference}" for reference, ours in sorted(found["colors"])]
    if found["apart"]:
        bad.append("rules or fills lie more than a point away")
    if found["pictures"] > measure.NEAR:
        bad.append(f"a picture lies {found['pictures']:.2f} points away")
    if found["similar"] < SIMILAR:
        bad.append(f"similarity {found['similar']:.4f}")
    return bad


def compare(entry, name, ours, reference, env):
    """Measures the chosen pages. Gives one dictionary for each."""
    count, deviations = min(page_count(ours), page_count(reference)), entry.get("deviations", [])
    chosen = list(range(1, count + 1, max(1, count // OPTIONS.pages)))[: OPTIONS.pages]
    pair = measure.Pair(ours, reference, chosen, OPTIONS.out, name)
    texts = [measure.Text(mine, reader.page, deviations) for mine, reader in zip(pair.marks, pair.readers)]
    measure.settle(pair, texts, deviations)
    dashes = [tuple(entry["where"]) for entry in known(deviations, "dashes")]
    rows = []
    for number, (mine, reader, text) in enumerate(zip(pair.marks, pair.readers, texts)):
        other, size = reader.page, (mine.width, mine.height)
        drawn = [measure.exact(path, number + 1, env) for path in (pair.ours.path, pair.reference.path, pair.settled)]
        row = {
            "page": chosen[number], "text": text.same, "runs": text.runs, "letters": text.letters, "sizes": text.sizes, "colors": text.colors,
            "size": [abs(mine.width - other.width), abs(mine.height - other.height)],
            "apart": measure.apart(mine.boxes, other.boxes, size, text.hidden + dashes),
            "pictures": measure.picture_edges(mine.pictures, other.pictures, text.hidden),
            "exact": measure.similarity(drawn[0], drawn[1]), "similar": measure.similarity(drawn[0], drawn[2]),
        }
        row["faults"] = page_faults(row, deviations)
        if OPTIONS.pictures:
            row["shown"] = os.path.join(OPTIONS.out, f"{name}-{chosen[number]}-difference.png")
            measure.difference(row["shown"], drawn[0], drawn[1])
        rows.append(row)
    return pair, rows


def with_reference(entry, name, pdf, env):
    """Faults, figures for people, pages to show."""
    reference = os.path.join(CORPUS, entry["reference"])
    bad = []
    if page_count(pdf) != page_count(reference):
        bad.append(f"{page_count(pdf)} pages instead of {page_count(reference)}")
    pair, rows = compare(entry, name, pdf, reference, env)
    if not known(entry.get("deviations", []), "picture"):
        different = [number for number, (a, b) in enumerate(zip(reading(pdf), reading(reference)), 1) if a != b]
        bad += [f"text of {len(different)} pages differs, first page {different[0]}"] if different else []
    for row in rows:
        bad += [f"page {row['page']}: {fault}" for fault in row["faults"]]
    seen = set().union(*(row["sizes"] for row in rows))
    bad += [f"no longer so: {other['why']}" for other in known(entry.get("deviations", []), "size") if (other["reference"], other["stream"]) not in seen]
    tool, saved = by_the_tool(pair.ours.path, pair.reference.path), entry.get("tool", {})
    if OPTIONS.review:
        entry["tool"] = {**saved, **tool}
    elif saved and OPTIONS.pages == 12:
        worse = [key for key, sign in (("same_text", 1), ("ssim_min", 1), ("moved95_max", -1)) if sign * (tool[key] - saved[key]) < -0.003]
        bad += [f"fidelity.py: {key} {tool[key]} instead of {saved[key]}" for key in worse]
    least, most = lambda key: min(row[key] for row in rows), lambda key: max(row[key] for row in rows)
    figures = (
        f"{len(rows)} of {page_count(pdf)} pages: text {'equal' if all(row['text'] for row in rows) else 'not equal'}, runs within {most('runs'):.2f} pt, "
        f"letters within {most('letters'):.2f} pt, rules {'within' if not most('apart') else 'not within'} 1 pt, pictures within {most('pictures'):.2f} pt, "
        f"similarity {least('similar'):.4f} (as the reference stands {least('exact'):.4f}; fidelity.py {tool['ssim_min']:.4f}, "
        f"of the reference itself {attainable(pair.reference.path, env):.4f}, "
        f"same text {tool['same_text']:.0%}, words moved {tool['moved95_max']:.2f} pt)"
    )
    worst = sorted(rows, key=lambda row: row["exact"])[: max(OPTIONS.pictures - 1, 0)]
    return bad, figures, sorted({row["page"]: row for row in [rows[0]] + worst}.items())


def without_reference(entry, path, pdf, notes):
    marked, allowed = streams.marked_pages(path), entry.get("blank", [])
    bad = streams.unsaid(pdf, notes)
    if marked and len(marked) != page_count(pdf):
        bad.append(f"{page_count(pdf)} pages of {len(marked)}")
    if not marked and not any("no pages" in note for note in notes):
        bad.append("no pages, and nobody is told")
    blank = [page for page, has in enumerate(marked, 1) if has and streams.blank(pdf, page)]
    bad += [f"page {page} is blank and has marks" for page in blank if page not in allowed]
    bad += [f"page {page} is not blank any more" for page in allowed if page not in blank]
    figures = f"{len(marked)} pages, {sum(marked)} with marks" + (f", blank by reason: {allowed}" if allowed else "")
    return bad, figures, [(page, None) for page in range(1, min(len(marked), OPTIONS.pictures) + 1)]


def picture(pdf, page, name):
    path = os.path.join(OPTIONS.out, name)
    subprocess.run(["pdftoppm", "-png", "-r", "80", "-f", str(page), "-l", str(page), "-singlefile", pdf, path], check=True, stderr=subprocess.DEVNULL)
    return name + ".png"


def figure(name, entry, pdf, page, row):
    """One page: ours, the reference, and what differs."""
    cells = [("greenbar", picture(pdf, page, f"{name}-{page}-ours"))]
    if "reference" in entry:
        cells.append(("reference", picture(os.path.join(CORPUS, entry["reference"]), page, f"{name}-{page}-reference")))
        cells.append(("difference: red greenbar only, blue reference only", os.path.basename(row["shown"])))
    elif str(page) in entry.get("pictures", {}):
        cells.append(("picture by another viewer", os.path.relpath(os.path.join(CORPUS, entry["pictures"][str(page)]), OPTIONS.out)))
    shown = "".join(f"<figure><img loading=lazy src='{html.escape(source)}'><figcaption>{html.escape(title)}</figcaption></figure>" for title, source in cells)
    return f"<h3>page {page}</h3><div>{shown}</div>"


def section(name, entry, figures, bad, notes, pages, pdf):
    reasons = [known_one["why"] for known_one in entry.get("deviations", [])] + [entry[key] for key in ("why",) if key in entry]
    if "tool" in entry:
        reasons.append("fidelity.py: " + entry["tool"]["why"])
    listed = "".join(f"<li>{html.escape(reason)}" for reason in reasons)
    state = html.escape("; ".join(bad)) if bad else "as expected"
    said = "".join(f"<li>{html.escape(note)}" for note in notes)
    return (
        f"<h2>{html.escape(name)}</h2><p>{html.escape(figures)}.<p><b class={'bad' if bad else 'good'}>{state}</b>"
        + (f"<p>Why it differs:<ul>{listed}</ul>" if listed else "") + (f"<p>Notes of the conversion:<ul>{said}</ul>" if said else "")
        + "".join(figure(name, entry, pdf, page, row) for page, row in pages)
    )


STYLE = (
    "body{font:14px sans-serif;margin:2em}figure{display:inline-block;margin:.5em 1em .5em 0;vertical-align:top}"
    "img{border:1px solid #bbb;width:28vw;min-width:320px}figcaption{color:#555}.bad{color:#b00}.good{color:#070}"
)


def main():
    if not os.path.isdir(CORPUS):
        print("skipped: the shared corpus is not here")
        return 0
    os.makedirs(OPTIONS.out, exist_ok=True)
    env = measure.same_fonts(OPTIONS.out)
    with open(EXPECTED) as saved:
        expected = json.load(saved)
    listed = {entry["stream"]: entry for entry in expected["streams"]}
    found = [os.path.relpath(path, CORPUS) for path in sorted(glob.glob(os.path.join(CORPUS, "afp", "*.afp")))]
    shown, worse = [], 0
    for stream in list(listed) + [stream for stream in found if stream not in listed]:
        if OPTIONS.only and OPTIONS.only not in stream:
            continue
        entry, name, path = listed.get(stream, {}), os.path.basename(stream), os.path.join(CORPUS, stream)
        pdf, notes = convert(path, name)
        if "reference" in entry:
            bad, figures, pages = with_reference(entry, name, pdf, env)
        else:
            bad, figures, pages = without_reference(entry, path, pdf, notes)
        worse += len(bad)
        print(f"{name}: {figures}: {'; '.join(bad[:6]) or 'as expected'}", flush=True)
        if OPTIONS.pictures:
            shown.append(section(name, entry, figures, bad, notes, pages, pdf))
    if OPTIONS.pictures:
        page = os.path.join(OPTIONS.out, "index.html")
        with open(page, "w") as out:
            out.write(f"<!doctype html><meta charset=utf-8><title>greenbar: fidelity of AFP</title><style>{STYLE}</style><h1>Fidelity of AFP</h1>{''.join(shown)}")
        print(f"pictures: {page}")
    if OPTIONS.review:
        with open(EXPECTED, "w") as out:
            json.dump(expected, out, indent=2, ensure_ascii=False)
            out.write("\n")
    return 1 if worse and not OPTIONS.review else 0


sys.exit(main())
