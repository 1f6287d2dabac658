#!/usr/bin/env python3
"""Measures greenbar against named peers in one run and prints one table (Python standard library only).

usage: python3 benches/run.py --greenbar PATH [--mb 512] [--rounds 3] [--million 1000000] [--big-mb 4000] [NAME ...]

NAME picks measurements (load, words, memory, point, pdf, http, afp, capture, distribute, block, console); none means all. CPU seconds are user + system of the
whole process tree of a command; ours and the peer run in turn, the median counts. Data comes from
../shared/corpus/make-large.py (or $GREENBAR_CORPUS) and from a generator here for the million documents.
"""
import argparse
import json
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import sending
import statements

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
CORPUS = os.environ.get("GREENBAR_CORPUS", os.path.join(ROOT, "..", "shared", "corpus"))

parser = argparse.ArgumentParser()
parser.add_argument("--greenbar", required=True)
parser.add_argument("--mb", type=float, default=512)
parser.add_argument("--big-mb", type=float, default=4000)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--million", type=int, default=1_000_000)
parser.add_argument("--statements", type=int, default=2000, help="AFP statements that fop makes")
parser.add_argument("--afp-mb", type=float, default=1000, help="size of the AFP load of which single documents are opened")
parser.add_argument("--jobs", type=int, default=100_000, help="small jobs that are taken in one after the other")
parser.add_argument("--work", help="folder for data and archives; kept")
parser.add_argument("names", nargs="*")
OPTIONS = parser.parse_args()
WORK = OPTIONS.work or tempfile.mkdtemp(prefix="greenbar-bench-")
os.makedirs(WORK, exist_ok=True)
ROWS = []


def run(command, stdout=subprocess.DEVNULL, env=None, shell=False):
    """Runs a command; returns (CPU seconds of its tree, peak resident bytes, wall seconds)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.time()
    process = subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, env=env, shell=shell)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status != 0:
        sys.exit(f"{command} failed: {error.decode(errors='replace')}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, usage.ru_maxrss * 1024, time.time() - start


def row(what, ours, peer, ratio, bar, command):
    ROWS.append((what, ours, peer, ratio, bar, command))
    print(f"  {what}: {ours} | {peer} | {ratio} | bar {bar}", flush=True)


def large(mb, form="fba133"):
    path = os.path.join(WORK, f"large-{mb:g}-{form}")
    if not os.path.exists(path):
        subprocess.run([sys.executable, os.path.join(CORPUS, "make-large.py"), str(mb), path, "--format", form], check=True, stderr=subprocess.DEVNULL)
    return path


def definition(full_text, compression="fast"):
    """The great-lakes definition with another full-text setting."""
    source = open(os.path.join(ROOT, "indexers", "great-lakes-statement.toml")).read()
    changed, count = re.subn(r'(?m)^full_text\s*=.*$', f'full_text = "{full_text}"', source)
    if count != 1:
        sys.exit("indexers/great-lakes-statement.toml should say full_text once")
    path = os.path.join(WORK, f"great-lakes-{full_text}-{compression}.toml")
    open(path, "w").write(f'compression = "{compression}"\n{changed}')
    return path


def archive(name, full_text, compression="fast"):
    path = os.path.join(WORK, name)
    shutil.rmtree(path, ignore_errors=True)
    subprocess.run([OPTIONS.greenbar, "init", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    subprocess.run([OPTIONS.greenbar, "--data", path, "definition", "add", definition(full_text, compression)], check=True, stdout=subprocess.DEVNULL)
    return path


# One processor for both sides: threads that share caches take more CPU seconds for the same work than a peer that has one thread.
PINNED = ["taskset", "-c", "0"]


def load(path, stream):
    return run(PINNED + [OPTIONS.greenbar, "--data", path, "load", "--definition", "great-lakes-statement", stream])


def stats(path):
    return json.loads(subprocess.run([OPTIONS.greenbar, "--data", path, "stats", "--json"], check=True, stdout=subprocess.PIPE).stdout)


def bench_load():
    stream = large(OPTIONS.mb)
    size = os.path.getsize(stream)
    peer_cpu, our_cpu, text_cpu, words_cpu = [], [], [], []
    packed = os.path.join(WORK, "peer.zst")
    for _ in range(OPTIONS.rounds):
        our_cpu.append(load(archive("load", "none"), stream)[0])
        peer_cpu.append(run(PINNED + ["zstd", "-3", "-T1", "-q", "-f", stream, "-o", packed])[0])
    ours, peer = size / 1e6 / statistics.median(our_cpu), size / 1e6 / statistics.median(peer_cpu)
    row(f"load {OPTIONS.mb:g} MB, fields indexed", f"{ours:.0f} MB/CPU-s", f"{peer:.0f} MB/CPU-s", f"{ours / peer:.2f} x", ">= 0.35 x (goal 0.5)", "zstd -3 -T1")
    figures = stats(os.path.join(WORK, "load"))
    stored, whole = figures["stored_bytes"] + figures["index_bytes"], os.path.getsize(packed)
    row("stored bytes with the field index", f"{stored / 1e6:.1f} MB", f"{whole / 1e6:.1f} MB", f"{stored / whole:.2f} x", "<= 1.15 x", "zstd -3 (whole file)")
    row("  of them blocks and catalogue", f"{figures['stored_bytes'] / 1e6:.1f} MB", f"{whole / 1e6:.1f} MB", f"{figures['stored_bytes'] / whole:.2f} x", "", "zstd -3 (whole file)")
    for kind, seconds in (("words", words_cpu), ("phrases", text_cpu)):
        seconds.append(load(archive("load-text", kind), stream)[0])
        speed = size / 1e6 / statistics.median(seconds)
        index = stats(os.path.join(WORK, "load-text"))["index_bytes"]
        row(f"load with full text ({kind})", f"{speed:.0f} MB/CPU-s", f"{peer:.0f} MB/CPU-s", f"{speed / peer:.2f} x", f"reported; index {100 * index / size:.1f} % of raw", "zstd -3 -T1")
    verify = run(PINNED + [OPTIONS.greenbar, "--data", os.path.join(WORK, "load"), "verify"])[0]
    export = run(PINNED + [OPTIONS.greenbar, "--data", os.path.join(WORK, "load"), "export-load", "1"])[0]
    unpack = run(PINNED + ["zstd", "-d", "-q", "-c", packed])[0]
    row("verify", f"{size / 1e6 / verify:.0f} MB/CPU-s", f"{size / 1e6 / unpack:.0f} MB/CPU-s", f"{unpack / verify:.2f} x", "reported", "zstd -d")
    row("export-load", f"{size / 1e6 / export:.0f} MB/CPU-s", f"{size / 1e6 / unpack:.0f} MB/CPU-s", f"{unpack / export:.2f} x", "reported", "zstd -d")


def bench_words():
    """The same documents in SQLite's FTS5: one process for the text that greenbar reads out of the stream itself."""
    stream = large(300)
    size, helper = os.path.getsize(stream), os.path.join(HERE, "fts5.py")
    text, database = os.path.join(WORK, "words.txt"), os.path.join(WORK, "words.db")
    subprocess.run([sys.executable, helper, "text", stream, stream + ".truth.tsv", text], check=True)
    ours, peer = [], []
    for _ in range(OPTIONS.rounds):
        ours.append(load(archive("words", "words"), stream)[0])
        peer.append(run(PINNED + [sys.executable, helper, "index", text, database])[0])
    ours, peer = statistics.median(ours), statistics.median(peer)
    row("load 300 MB with words", f"{size / 1e6 / ours:.0f} MB/CPU-s", f"{size / 1e6 / peer:.0f} MB/CPU-s", f"{peer / ours:.2f} x", "goal 1.0 x", "SQLite FTS5 detail=none, text alone")
    index, whole = stats(os.path.join(WORK, "words"))["index_bytes"], os.path.getsize(database)
    row("  index", f"{100 * index / size:.1f} % of raw", f"{100 * whole / size:.1f} % of raw", f"{index / whole:.2f} x", "<= 4 % of raw", "the same")


def bench_memory():
    small, big = large(300), large(OPTIONS.big_mb)
    small_peak = load(archive("memory", "none"), small)[1]
    big_peak = load(archive("memory", "none"), big)[1]
    row(f"peak resident, {OPTIONS.big_mb / 1000:g} GB load", f"{big_peak / 1e6:.0f} MB", f"{small_peak / 1e6:.0f} MB", f"{big_peak / small_peak:.2f} x", "<= 256 MB, <= 1.1 x", "the same with 300 MB")


def million():
    """An archive of a million one-page statements in the great-lakes layout."""
    path = os.path.join(WORK, f"million-{OPTIONS.million}")
    if os.path.exists(os.path.join(path, "done")):
        return path
    stream = os.path.join(WORK, "million.asa")
    rnd = random.Random(7)
    words = ["LAKESIDE", "MARKET", "UNION", "FUEL", "CITY", "WATER", "BRIGHTWAY", "INSURANCE", "METRO", "TRANSIT", "NOVA", "PHARMACY", "ORCHARD", "CAFE"]
    with open(stream, "w") as out:
        for n in range(1, OPTIONS.million + 1):
            month, cents = rnd.randrange(12) + 1, rnd.randrange(10_000_000)
            out.write(f"1GREAT LAKES MUTUAL BANK{'':<40}STATEMENT OF ACCOUNT{'':<16}PAGE   1 OF 1\n")
            out.write(f" ACCOUNT NO  {f'{n:06d}-{n % 10000:04d}-{n % 10}':<20} STATEMENT DATE {month:02d}/28/{2015 + rnd.randrange(10)}\n")
            out.write(f"-    Person {rnd.choice(words).title()} {n}\n     {n % 999} Birch St\n     Dayton OH 45402\n0{'BALANCE FORWARD':<69}{'100.00':>16}\n")
            out.write(f"0DATE   DESCRIPTION{'':<60}AMOUNT\n")
            for _ in range(4):
                out.write(f"  {month:02d}/{rnd.randrange(28) + 1:02d}  {'CARD PURCHASE ' + rnd.choice(words) + ' ' + rnd.choice(words) + ' ' + str(rnd.randrange(999999)):<62}{f'{rnd.randrange(99999) / 100:.2f}-':>16}\n")
            out.write(f"0{'CLOSING BALANCE':<69}{f'{cents // 100:,}.{cents % 100:02d}':>16}\n")
    home = archive(os.path.basename(path), "words")
    cpu, peak, wall = load(home, stream)
    print(f"  (a million documents, {os.path.getsize(stream) / 1e6:.0f} MB: loaded with words in {wall:.0f} s, {cpu:.0f} CPU-s, peak {peak / 1e6:.0f} MB)", flush=True)
    os.remove(stream)
    open(os.path.join(path, "done"), "w").close()
    return path


def million_copy(name):
    """A copy of it for those who change it."""
    home, source = os.path.join(WORK, name), million()
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(source, home)
    return home


def bench_point():
    home = million()
    env = dict(os.environ, GREENBAR_BENCH_ARCHIVE=home)
    said = subprocess.run(["cargo", "bench", "--locked", "--profile", "release", "--bench", "point"], check=True, stdout=subprocess.PIPE, env=env, cwd=ROOT).stdout
    figures = json.loads(said.decode().strip().splitlines()[-1])
    for what, bar in (("original bytes of a document", "p50 < 0.5 ms, p99 < 2 ms"), ("first page as PDF", "< 5 ms"), ("one tagged statement as PDF (CPU)", "< 5 ms"), ("search by exact field", "p99 < 5 ms"), ("search by words", "p99 < 50 ms")):
        if what in figures:
            one = figures[what]
            row(f"{what}, of {OPTIONS.million:,}", f"p50 {one['p50_ms']:.2f} ms, p99 {one['p99_ms']:.2f} ms", "-", "-", bar, "in process, rights applied")


def bench_pdf():
    stream = large(20, "asa")
    text = os.path.join(WORK, "pages.txt")
    with open(stream) as lines, open(text, "w") as out:
        for line in lines:
            out.write({"1": "\f", "0": "\n", "-": "\n\n", "+": ""}.get(line[0], "") + line[1:])
    ours, peers = [], []
    mine, other = os.path.join(WORK, "ours.pdf"), os.path.join(WORK, "peer.pdf")
    for _ in range(OPTIONS.rounds):
        ours.append(run([OPTIONS.greenbar, "convert", stream, "--format", "pdf", "-o", mine])[0])
        peers.append(run(f"enscript -q -B -r -fCourier7 -o - {text} | ps2pdf - {other}", shell=True)[0])
    count = lambda pdf: int(re.search(rb"Pages:\s+(\d+)", subprocess.run(["pdfinfo", pdf], check=True, stdout=subprocess.PIPE).stdout).group(1))
    pages, peer_pages = count(mine), count(other)
    speed, peer_speed = pages / statistics.median(ours), peer_pages / statistics.median(peers)
    row("bulk PDF/A-2b", f"{speed:.0f} pages/CPU-s", f"{peer_speed:.0f} pages/CPU-s", f"{speed / peer_speed:.1f} x", ">= 6 x (goal 10)", "enscript -B -r -fCourier7 | ps2pdf")
    each, peer_each = os.path.getsize(mine) / pages, os.path.getsize(other) / peer_pages
    row("bulk PDF, bytes a page with fonts", f"{each:.0f}", f"{peer_each:.0f}", f"{each / peer_each:.2f} x", "<= 1.3 x", "the same")


def bench_http():
    home = archive("http", "none")
    load(home, large(5))
    subprocess.run([OPTIONS.greenbar, "--data", home, "user", "add", "bench", "--role", "agent", "--json"], check=True, stdout=subprocess.DEVNULL)
    made = json.loads(subprocess.run([OPTIONS.greenbar, "--data", home, "user", "key", "bench", "--json"], check=True, stdout=subprocess.PIPE).stdout)
    server = subprocess.Popen([OPTIONS.greenbar, "--data", home, "serve", "--listen", "127.0.0.1:0", "--json"], stdout=subprocess.PIPE)
    try:
        address = json.loads(server.stdout.readline())["listen"]

        def rate(path):
            said = subprocess.run(["wrk", "-t1", "-c32", "-d5s", "-H", f"Authorization: Bearer {made['key']}", f"http://{address}{path}"], check=True, stdout=subprocess.PIPE).stdout.decode()
            if "Non-2xx" in said:
                sys.exit(f"{path}: {said}")
            return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))

        hello, texts = [], []
        for _ in range(OPTIONS.rounds):
            hello.append(rate("/live"))
            texts.append(rate("/api/v1/documents/1-7/content?format=text"))
        mine, peer = statistics.median(texts), statistics.median(hello)
        row("HTTP text of one document", f"{mine:.0f}/s", f"{peer:.0f}/s", f"{mine / peer:.2f} x", ">= 0.3 x", "/live of the same server, wrk -t1 -c32")
    finally:
        server.terminate()
        server.wait()


AFP_DEFINITION = """name = "bench-afp"
title = "Statements by tag"
kind = "statement"
full_text = "none"
[read]
format = "afp"
[document]
start = "group"
title = "{account} {date}"
account = "account"
date = "date"
[[field]]
name = "account"
tag = "AccountNumber"
[[field]]
name = "date"
type = "date"
format = "%m/%d/%Y"
tag = "StatementDate"
"""


def repeated(source, mb):
    """A file of so many megabytes: the source again and again."""
    path = os.path.join(WORK, f"afp-{mb:g}")
    times = max(1, round(mb * 1e6 / os.path.getsize(source)))
    with open(path, "wb") as out:
        for _ in range(times):
            with open(source, "rb") as again:
                shutil.copyfileobj(again, out)
    return path


def afp_archive(name):
    path = os.path.join(WORK, name)
    shutil.rmtree(path, ignore_errors=True)
    toml = os.path.join(WORK, "bench-afp.toml")
    open(toml, "w").write(AFP_DEFINITION)
    subprocess.run([OPTIONS.greenbar, "init", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    subprocess.run([OPTIONS.greenbar, "--data", path, "definition", "add", toml], check=True, stdout=subprocess.DEVNULL)
    return path


def bench_afp():
    source, afp, theirs, mine = (os.path.join(WORK, name) for name in ("statements.fo", "statements.afp", "fop.pdf", "afp.pdf"))
    statements.write(source, OPTIONS.statements)
    env = dict(os.environ, FOP_OPTS="-Xmx4g")
    run(["fop", "-q", "-fo", source, "-afp", afp], env=env)
    ours, peers = [], []
    for _ in range(OPTIONS.rounds):
        ours.append(run(PINNED + [OPTIONS.greenbar, "convert", afp, "--format", "pdf", "-o", mine])[0])
        peers.append(run(["fop", "-q", "-fo", source, "-pdf", theirs], env=env)[0])
    count = lambda pdf: int(re.search(rb"Pages:\s+(\d+)", subprocess.run(["pdfinfo", pdf], check=True, stdout=subprocess.PIPE).stdout).group(1))
    pages, peer_pages = count(mine), count(theirs)
    speed, peer_speed = pages / statistics.median(ours), peer_pages / statistics.median(peers)
    row(f"AFP to PDF, {pages} pages of statements", f"{speed:.0f} pages/CPU-s", f"{peer_speed:.0f} pages/CPU-s", f"{speed / peer_speed:.1f} x", ">= 2,000 pages/CPU-s", "fop -pdf of their FO source")
    stream = repeated(afp, min(218, OPTIONS.afp_mb))
    size, our_cpu, peer_cpu = os.path.getsize(stream), [], []
    for _ in range(OPTIONS.rounds):
        home = afp_archive("afp-load")
        our_cpu.append(run(PINNED + [OPTIONS.greenbar, "--data", home, "load", "--definition", "bench-afp", stream])[0])
        peer_cpu.append(run(PINNED + ["zstd", "-3", "-T1", "-q", "-f", stream, "-o", os.path.join(WORK, "afp.zst")])[0])
    loaded, packed = size / 1e6 / statistics.median(our_cpu), size / 1e6 / statistics.median(peer_cpu)
    row(f"load {size / 1e6:.0f} MB of AFP, split and indexed by TLE", f"{loaded:.0f} MB/CPU-s", f"{packed:.0f} MB/CPU-s", f"{loaded / packed:.2f} x", ">= 0.5 x", "zstd -3 -T1")
    home, stream = afp_archive("afp-large"), repeated(afp, OPTIONS.afp_mb)
    run(PINNED + [OPTIONS.greenbar, "--data", home, "load", "--definition", "bench-afp", stream])
    os.remove(stream)
    env = dict(os.environ, GREENBAR_BENCH_ARCHIVE=home, GREENBAR_BENCH_ONLY="first page")
    said = subprocess.run(["cargo", "bench", "--locked", "--profile", "release", "--bench", "point"], check=True, stdout=subprocess.PIPE, env=env, cwd=ROOT).stdout
    one = json.loads(said.decode().strip().splitlines()[-1])["first page as PDF"]
    row(f"first page as PDF, {OPTIONS.afp_mb:g} MB of AFP", f"p50 {one['p50_ms']:.2f} ms, p99 {one['p99_ms']:.2f} ms", "-", "-", "< 20 ms", "in process, through the gate")


def free_port():
    with sending.socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def disk_rate(stream):
    """Seconds to copy a stream in order and sync it, as `dd conv=fsync` does, in the folder of the archives."""
    copy = os.path.join(WORK, "copy")
    seconds = run(["dd", f"if={stream}", f"of={copy}", "bs=1M", "conv=fsync", "status=none"])[2]
    os.remove(copy)
    return seconds


def bench_capture():
    """A stream until its yes beside the disk; then many small jobs, while they are loaded as well."""
    home, port = archive("capture", "none"), free_port()
    settings = f'[capture]\nworkers = 1\nmax_waiting = 1000000\n[capture.lpd]\nlisten = "127.0.0.1:{port}"\n'
    open(os.path.join(home, "greenbar.toml"), "w").write(settings)
    tell = [OPTIONS.greenbar, "--data", home, "user"]
    subprocess.run(tell + ["add", "bench", "--role", "administrator", "--json"], check=True, stdout=subprocess.DEVNULL)
    key = json.loads(subprocess.run(tell + ["key", "bench", "--json"], check=True, stdout=subprocess.PIPE).stdout)["key"]
    server = subprocess.Popen([OPTIONS.greenbar, "--data", home, "serve", "--listen", "127.0.0.1:0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        address = json.loads(server.stdout.readline())["listen"]

        def idle():
            while os.listdir(os.path.join(home, "intake")):
                time.sleep(0.2)
            os.sync()

        stream = large(OPTIONS.mb)
        # From the disk into its cache; not into this process, whose memory counts for its children's.
        subprocess.run(["cat", stream], check=True, stdout=subprocess.DEVNULL)
        size, disk, lpd, http = os.path.getsize(stream), [], [], []
        for number in range(OPTIONS.rounds):
            # Each begins with nothing to load and nothing to write.
            for seconds, send in ((disk, lambda: disk_rate(stream)), (lpd, lambda: sending.lpd_stream(port, stream, number)), (http, lambda: sending.http_stream(address, key, stream))):
                idle()
                seconds.append(send())
        peer = size / 1e6 / statistics.median(disk)
        for what, seconds in (("LPD", lpd), ("HTTP", http)):
            mine = size / 1e6 / statistics.median(seconds)
            row(f"capture {OPTIONS.mb:g} MB by {what}, until its yes", f"{mine:.0f} MB/s", f"{peer:.0f} MB/s", f"{mine / peer:.2f} x", ">= 0.7 x", "dd bs=1M conv=fsync")
        idle()
        done = sending.small_jobs(port, OPTIONS.jobs, 16)
        part = len(done) // 10
        first, last = part / done[part - 1], part / (done[-1] - done[-part - 1])
        row(f"{len(done):,} small jobs by LPD, first {part:,} and last", f"{last:.0f} jobs/s (last)", f"{first:.0f} jobs/s (first)", f"{last / first:.2f} x", "no slower", "the same run, loading beside it")
    finally:
        server.terminate()
        server.wait()


def bench_distribute():
    """A million obligations planned, by each customer's wish; and mails handed to a local sink. On a copy: what is loaded and planned here would be found by the other measurements."""
    home = million_copy("distribute")
    sink = subprocess.Popen([sys.executable, os.path.join(HERE, "sink.py")], stdout=subprocess.PIPE, text=True)
    try:
        port = sink.stdout.readline().strip()
        drop = os.path.join(WORK, "drop")
        os.makedirs(drop, exist_ok=True)
        smtp = f'kind = "smtp"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nsender = "bills@lakes.example"\n'
        with open(os.path.join(home, "distribution.toml"), "w") as out:
            out.write('public_url = "https://bills.example.com"\n')
            out.write('[[distribution]]\nname = "all"\nwhen = "trigger"\nchannels = ["mail", "paper"]\nhold = true\n')
            out.write(f'[channel.mail]\n{smtp}[channel.paper]\nkind = "folder"\npath = "{drop}"\npaper = true\n')
            for name, more in [("link", ""), ("attached", 'attach = true\n')]:
                out.write(f'[channel.{name}]\n{smtp}{more}to = "print-room@lakes.example"\n')
                out.write(f'[[distribution]]\nname = "{name}"\nwhen = "trigger"\nchannels = ["{name}"]\n')
        call = [OPTIONS.greenbar, "--data", home, "distribute"]
        name = str(time.time())
        cpu, peak, wall = run(call + ["plan", "all", "--load", "1", "--as", name])
        row(f"plan {OPTIONS.million} obligations by each customer's wish", f"{wall:.1f} s, {cpu:.1f} CPU-s, {peak / 1e6:.0f} MB", "-", "-", "<= 60 s", "whole process")
        some = os.path.join(WORK, "some.asa")
        count = 5_000
        with open(some, "w") as out:
            for n in range(1, count + 1):
                out.write(f"1GREAT LAKES MUTUAL BANK{'':<40}STATEMENT OF ACCOUNT{'':<16}PAGE   1 OF 1\n ACCOUNT NO  {f'{n:06d}-{n % 10000:04d}-{n % 10}':<20} STATEMENT DATE 11/28/2026\n")
                out.write(f"-    Person {n} {name}\n0{'CLOSING BALANCE':<69}{'100.00':>16}\n")
        said = subprocess.run([OPTIONS.greenbar, "--data", home, "load", "--json", some], check=True, stdout=subprocess.PIPE).stdout
        number = str(json.loads(said.decode().strip().splitlines()[-1])["load"])
        idle = run(call + ["run"])[0]
        for what, how in [("link", "notices with a link"), ("attached", "mails with a PDF")]:
            run(call + ["plan", what, "--load", number, "--as", name])
            cpu, peak, wall = run(call + ["run"])
            speed = count / max(cpu - idle, 1e-9)
            row(f"{count} {how} to a local sink", f"{speed:.0f} mails/CPU-s, {count / wall:.0f}/s", "-", "-", ">= 200 mails/CPU-s", "without opening the archive")
    finally:
        sink.kill()


def noise(mb):
    path = os.path.join(WORK, f"noise-{mb:g}")
    with open(path, "wb") as out:
        out.write(random.Random(1).randbytes(int(mb * 1e6)))
    return path


def smallest(stream):
    """What `zstd -19 --long=27` makes of a stream. It takes minutes and says the same each time, so a kept work folder keeps it for streams of its own."""
    packed, kept = os.path.join(WORK, "best.zst"), stream + ".zst19"
    if os.path.exists(kept):
        return int(open(kept).read())
    run(["zstd", "-19", "--long=27", "-T1", "-q", "-f", stream, "-o", packed])
    size = os.path.getsize(packed)
    if os.path.dirname(stream) == WORK:
        with open(kept, "w") as out:
            out.write(f"{size}\n")
    return size


def bench_block():
    """Stored bytes and load cost by kind of data, beside zstd at both ends of its scale."""
    corpus = lambda *names: [os.path.join(CORPUS, *name.split("/")) for name in names]
    line = corpus("linedata/stmt-037.fba", "linedata/stmt-part-1047.vba", "linedata/stmt-part-ascii.asa", "linedata/telecom-gbk.asa", "linedata/sales-register.lst", "linedata/notice-overstrike.txt")
    streams = [large(OPTIONS.mb), large(OPTIONS.mb, "asa"), *line, *corpus("afp/bank-outline.afp"), noise(min(OPTIONS.mb, 64))]
    for stream in streams:
        size, packed, ours, peers = os.path.getsize(stream), os.path.join(WORK, "block.zst"), [], []
        for _ in range(OPTIONS.rounds):
            home = archive("block", "none", "small")
            ours.append(run(PINNED + [OPTIONS.greenbar, "--data", home, "load", stream])[0])
            peers.append(run(PINNED + ["zstd", "-3", "-T1", "-q", "-f", stream, "-o", packed])[0])
        fast, best, figures = os.path.getsize(packed), smallest(stream), stats(home)
        stored, index = figures["stored_bytes"], figures["index_bytes"]
        cost = statistics.median(peers) / statistics.median(ours)
        row(f"{os.path.basename(stream)}, {size / 1e6:.1f} MB: stored, with catalogue", f"{stored:,} + index {index:,}", f"{best:,} (zstd -3: {fast:,})", f"{stored / best:.2f} x; load {cost:.2f} x zstd -3", "<= 1.0 x", "zstd -19 --long=27")


CONSOLE_COMPOSED = ["afp/bank-outline.afp", "linedata/telecom-gbk.asa", "linedata/notice-overstrike.txt"]


def bench_console():
    """The agent console in a browser, over a copy of the million documents with customers and composed pages beside them."""
    home = million_copy("console")
    call = [OPTIONS.greenbar, "--data", home]
    rnd, many = random.Random(11), 1_000
    number = lambda n: f"{n:06d}-{n % 10000:04d}-{n % 10}"
    chosen = rnd.sample(range(1, OPTIONS.million + 1), min(many, OPTIONS.million))
    people = os.path.join(WORK, "people.csv")
    with open(people, "w") as out:
        out.write("Cust,Kind,Company,Last,First,Latin,Lang,Acct,Class,Since,Tel,Mail,MailOk,Street,City\n")
        for at, n in enumerate(chosen):
            out.write(f"C{n},person,,Family{n},Given{n},,en-US,{number(n)},checking,03/15/2019,(614) 555-{at % 10000:04d},p{n}@example.com,yes,1 Birch St,Dayton OH\n")
    subprocess.run(call + ["customer", "import", people, "--mapping", os.path.join(ROOT, "fixtures", "customers.toml")], check=True, stdout=subprocess.DEVNULL)
    for name in os.listdir(os.path.join(ROOT, "indexers")):
        if name.endswith(".toml") and name != "great-lakes-statement.toml":
            subprocess.run(call + ["definition", "add", os.path.join(ROOT, "indexers", name)], check=True, stdout=subprocess.DEVNULL)
    for name in CONSOLE_COMPOSED:
        # What no definition fits is not loaded; then it is not measured.
        subprocess.run(call + ["load", os.path.join(CORPUS, *name.split("/"))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = json.loads(subprocess.run(call + ["user", "add", "bench", "--role", "senior-agent", "--json"], check=True, stdout=subprocess.PIPE).stdout)
    key = json.loads(subprocess.run(call + ["user", "key", "bench", "--json"], check=True, stdout=subprocess.PIPE).stdout)["key"]
    tests = os.path.join(WORK, "console-node")
    os.makedirs(tests, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(ROOT, "tests", "web", name), tests)
    shutil.copy(os.path.join(HERE, "console.mjs"), tests)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], check=True, cwd=tests, stdout=subprocess.DEVNULL)
    server = subprocess.Popen(call + ["serve", "--listen", "127.0.0.1:0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        base = f"http://{json.loads(server.stdout.readline())['listen']}"

        def ask(path):
            request = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {key}"})
            return json.loads(urllib.request.urlopen(request).read())

        customers, documents = [], []
        for n in chosen[:200]:
            customers.append("/agent/customers/" + ask(f"/api/v1/accounts/{number(n)}")["customer"])
        while len(documents) < 150:
            documents.append(f"/agent/documents/1-{rnd.randrange(OPTIONS.million) + 1}")
        for name in ("bank-statement-afp", "telecom-bill", "overdraft-notice"):
            documents += ["/agent/documents/" + one["id"] for one in ask(f"/api/v1/documents?definition={name}&limit=20")["documents"]]
        rnd.shuffle(documents)
        texts = []
        for n in chosen[:12]:
            month, low = rnd.randrange(12) + 1, rnd.randrange(90_000)
            texts += [number(n), f"person {n}", f"lakeside fuel {2015 + n % 10}-{month:02d}", f"${low}..{low + 500} market", f"transit {2015 + n % 9}"]
        plan = os.path.join(tests, "plan.json")
        json.dump({"texts": texts, "customers": customers, "documents": documents}, open(plan, "w"))
        said = subprocess.run(["node", "console.mjs", base, "bench", made["password"], plan], check=True, cwd=tests, stdout=subprocess.PIPE).stdout
        figures = json.loads(said)
        for what, name, bar in (("results as one types, in Chromium", "typed", "p95 < 100 ms"), ("customer's page, whole answer", "customers", "< 50 ms"), ("first page of a document visible, in Chromium", "pages", "< 300 ms")):
            one = figures[name]
            row(f"{what}, of {OPTIONS.million:,}", f"p50 {one['p50_ms']:.0f} ms, p95 {one['p95_ms']:.0f} ms, most {one['most_ms']:.0f} ms", "-", "-", bar, f"{one['n']} times")
    finally:
        server.terminate()
        server.wait()


ALL = {"load": bench_load, "words": bench_words, "memory": bench_memory, "point": bench_point, "pdf": bench_pdf, "http": bench_http, "afp": bench_afp, "capture": bench_capture, "distribute": bench_distribute, "block": bench_block, "console": bench_console}
failed = []
for name in OPTIONS.names or ALL:
    print(f"{name} ...", flush=True)
    try:
        ALL[name]()
    # One measurement that fails must not cost the table of the others.
    except (Exception, SystemExit) as error:
        failed.append(name)
        print(f"  {name} FAILED: {error!r}", flush=True)

widths = [max(len(str(line[n])) for line in ROWS + [("what", "greenbar", "peer", "ratio", "bar", "peer's command")]) for n in range(6)]
print()
for n, line in enumerate([("what", "greenbar", "peer", "ratio", "bar", "peer's command"), tuple("-" * w for w in widths)] + ROWS):
    print("| " + " | ".join(str(cell).ljust(width) for cell, width in zip(line, widths)) + " |")
if not OPTIONS.work:
    shutil.rmtree(WORK, ignore_errors=True)
if failed:
    sys.exit("not measured to the end: " + ", ".join(failed))
