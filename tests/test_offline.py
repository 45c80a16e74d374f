"""PRIOR_BENCH_OFFLINE: no library that we load contacts another machine, and messages name the variable."""

import json
import os
import subprocess
import sys

import pytest

ELSEWHERE = "192.0.2.1"  # reserved for documents: nobody answers


def told(code: str, tmp_path, offline: str = "1") -> dict:
    """What a process prints as JSON in its last line."""
    settings = {"PRIOR_BENCH_OFFLINE": offline, "HF_HOME": str(tmp_path), "PRIOR_BENCH_CACHE": str(tmp_path)}
    kept = {
        name: value for name, value in os.environ.items() if "OFFLINE" not in name and "proxy" not in name
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**kept, **settings}, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


CONNECTIONS = f"""
import json, os, socket, threading, urllib.request
import prior_bench

def outcome(attempt):
    try:
        attempt()
    except Exception as error:
        return str(error)
    return "made"

server = socket.create_server(("127.0.0.1", 0))
place = server.getsockname()
pair = socket.socketpair()
datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(json.dumps(dict(
    here=outcome(lambda: socket.create_connection(place, timeout=5)),
    name=outcome(lambda: socket.getaddrinfo("localhost", 80)),
    address=outcome(lambda: socket.create_connection(("{ELSEWHERE}", 80), timeout=0.5)),
    datagram=outcome(lambda: datagram.sendto(b"x", ("{ELSEWHERE}", 9))),
    lookup=outcome(lambda: socket.getaddrinfo("nowhere.invalid", 80)),
    older=outcome(lambda: socket.gethostbyname("nowhere.invalid")),
    page=outcome(lambda: urllib.request.urlopen("http://{ELSEWHERE}/", timeout=0.5)),
    hub=os.environ.get("HF_HUB_OFFLINE"),
)))
"""


def test_no_connection_leaves_the_machine(tmp_path):
    found = told(CONNECTIONS, tmp_path)
    assert found.pop("here") == found.pop("name") == "made" and found.pop("hub") == "1"
    assert len(found) == 5
    assert {name for name, text in found.items() if "PRIOR_BENCH_OFFLINE is set" not in text} == set()


@pytest.mark.parametrize("value", ["", "0", "off"])
def test_nothing_is_refused_where_it_is_not_set(tmp_path, value):
    found = told(CONNECTIONS, tmp_path, value)
    assert "PRIOR_BENCH_OFFLINE" not in json.dumps(found) and found["hub"] is None


@pytest.mark.slow
def test_every_source_of_weights_says_that_it_is_offline(tmp_path):
    code = """
import json
import prior_bench as pb
found = {}
for name in ("timm:resnet18", "hf:somebody/model", "open_clip:ViT-B-32/openai", "hf:google/siglip"):
    try:
        pb.load_backbone(name)
    except pb.BenchError as error:
        found[name] = str(error)
print(json.dumps(found))
"""
    found = told(code, tmp_path)
    assert len(found) == 4
    assert [name for name, text in found.items() if "PRIOR_BENCH_OFFLINE is set" not in text] == []
