"""Senders for the measurements of capture: LPD and HTTP, one stream or many small jobs (standard library only)."""
import http.client
import multiprocessing
import os
import socket
import time


def said(connection):
    answer = connection.recv(1)
    if answer != b"\0":
        raise SystemExit(f"LPD said {answer!r}")


def lpd_stream(port, path, number):
    """Sends a file as one job; returns the seconds until its yes."""
    size = os.path.getsize(path)
    started = time.time()
    with socket.create_connection(("127.0.0.1", port)) as connection, open(path, "rb") as source:
        connection.sendall(b"\x02BENCH\n")
        said(connection)
        connection.sendall(b"\x03%d dfA%03dhost\n" % (size, number % 1000))
        said(connection)
        connection.sendfile(source)
        connection.sendall(b"\0")
        said(connection)
        return time.time() - started


def http_stream(address, key, path):
    """Sends a file as one request; returns the seconds until its 202."""
    started = time.time()
    connection = http.client.HTTPConnection(address, timeout=600, blocksize=1 << 20)
    with open(path, "rb") as source:
        headers = {"Authorization": f"Bearer {key}", "Content-Length": str(os.path.getsize(path))}
        connection.request("POST", "/api/v1/loads?file=bench", source, headers)
        answer = connection.getresponse()
        answer.read()
    if answer.status != 202:
        raise SystemExit(f"HTTP said {answer.status}")
    return time.time() - started


def _small(port, first, count, pipe):
    done = []
    for number in range(first, first + count):
        job = b"job %09d\n" % number * 100
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(b"\x02SMALL\n")
            said(connection)
            connection.sendall(b"\x03%d dfA%03dh%d\n" % (len(job), number % 1000, number))
            said(connection)
            connection.sendall(job + b"\0")
            said(connection)
        done.append(time.time())
    pipe.send(done)
    pipe.close()


def small_jobs(port, jobs, senders):
    """Sends so many jobs of 1.4 KB, each on a connection of its own; returns when each was said yes to, in order."""
    started, share, pipes, processes = time.time(), jobs // senders, [], []
    for sender in range(senders):
        mine, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=_small, args=(port, sender * share, share, theirs))
        process.start()
        theirs.close()
        pipes.append(mine)
        processes.append(process)
    try:
        done = sorted(at - started for pipe in pipes for at in pipe.recv())
    finally:
        for process in processes:
            process.join()
    return done
