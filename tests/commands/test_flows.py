"""`flows` reads whatever holds packets and tells who talked to whom, without a cluster."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest

from kubectl_netpolgen.model.errors import ExitStatus
from tests.bundles import SERVICE_ADDRESS, a_bundle, shop_captures
from tests.commands.captures import PPP, WITH_TSHARK, a_quic_initial, flows, rows, write_capture
from tests.components import needs
from tests.goldens import check_golden
from tests.packets.factories import (
    CLIENT,
    MILLISECOND,
    PSH,
    SERVER,
    START,
    Packet,
    a_pcap,
    dns_answer,
    dns_query,
    icmp_unreachable,
    ip,
    tcp,
    tcp_close,
    tcp_handshake,
    tcp_syn,
    udp,
)
from tests.packets.factories_names import a_client_hello
from tests.packets.factories_tunnels import in_vxlan

ENDS = (CLIENT, 40000, SERVER, 443)
SHOP = [
    dns_query("shop.test"),
    dns_answer("shop.test", [SERVER], aliases={"shop.test": "edge.test"}),
    *tcp_handshake(*ENDS, time=START + 2 * MILLISECOND),
    tcp(*ENDS, flags=PSH, sequence=1001, payload=a_client_hello("shop.test"), time=START + 6 * MILLISECOND),
    *tcp_close(*ENDS),
    udp(),
    icmp_unreachable(udp()),
]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A directory with one capture."""
    (tmp_path / "shop.pcap").write_bytes(a_pcap(SHOP))
    return tmp_path


@pytest.mark.parametrize("kind", ["flows", "conversations", "names"])
@pytest.mark.parametrize("form", ["jsonl", "json", "table"])
def test_rows_keep_to_their_contract(shop: Path, kind: str, form: str) -> None:
    words = [] if kind == "flows" else [f"--{kind}"]
    status, heard = flows(shop, "shop.pcap", *words, "-o", form)
    assert (status, heard.stderr) == (ExitStatus.DONE, "")
    suffix = "txt" if form == "table" else form
    check_golden(f"flows-{kind}.{suffix}", heard.stdout)


@pytest.mark.parametrize("kind", ["flows", "conversations", "names"])
def test_csv_of_a_little_of_everything_keeps_to_its_contract(tmp_path: Path, kind: str) -> None:
    write_capture(tmp_path / "a.pcap", nanoseconds=True)
    words = [] if kind == "flows" else [f"--{kind}"]
    status, heard = flows(tmp_path, "a.pcap", "--inner", "-o", "csv", *words)
    assert (status, heard.stderr) == (ExitStatus.DONE, "")
    check_golden(f"flows-{kind}.csv", heard.stdout)


def test_json_is_a_list_of_its_kind(shop: Path) -> None:
    for words, kind in (
        ([], "FlowList"),
        (["--conversations"], "ConversationList"),
        (["--names"], "NameList"),
    ):
        _, heard = flows(shop, "shop.pcap", *words, "-o", "json")
        document = json.loads(heard.stdout)
        assert (document["apiVersion"], document["kind"]) == ("netpolgen/v1", kind)
        assert document["items"] == rows(shop, "shop.pcap", *words)


def test_csv_has_the_same_columns_and_values(shop: Path) -> None:
    _, heard = flows(shop, "shop.pcap", "-o", "csv")
    read = list(csv.DictReader(io.StringIO(heard.stdout)))
    told = rows(shop, "shop.pcap")
    assert list(read[0]) == list(told[0])
    assert [row["server"] for row in read] == [row["server"] for row in told]
    web = next(row for row in read if row["serverPort"] == "443")
    assert web["names"] == "dns:shop.test sni:shop.test"


@pytest.mark.parametrize(("form", "left_out"), [("csv", 1), ("table", 1), ("jsonl", 0), ("json", 0)])
def test_headers_can_be_left_out_where_there_are_any(shop: Path, form: str, left_out: int) -> None:
    plain = flows(shop, "shop.pcap", "-o", form)[1].stdout.splitlines()
    bare = flows(shop, "shop.pcap", "-o", form, "--no-headers")[1].stdout.splitlines()
    # a table is as wide as its cells
    assert [line.split() for line in bare] == [line.split() for line in plain[left_out:]]


def test_a_name_is_told_by_its_source_and_way(shop: Path) -> None:
    told = [
        (row["name"], row["source"], row["via"], row["address"]) for row in rows(shop, "shop.pcap", "--names")
    ]
    assert told == [("shop.test", "sni", [], SERVER), ("shop.test", "dns", ["edge.test"], SERVER)]


def test_the_content_of_a_file_counts_and_not_its_name(shop: Path) -> None:
    (shop / "shop.txt").write_bytes(gzip.compress((shop / "shop.pcap").read_bytes()))
    plain, packed = rows(shop, "shop.pcap"), rows(shop, "shop.txt")
    assert [{**row, "file": ""} for row in plain] == [{**row, "file": ""} for row in packed]


def test_standard_input_is_a_file_called_dash(shop: Path) -> None:
    piped = (shop / "shop.pcap").read_bytes()
    told = rows(shop, "-", stdin=piped)
    assert told == [{**row, "file": "-"} for row in rows(shop, "shop.pcap")]
    status, heard = flows(shop, "-", "-", stdin=piped)
    assert (status, "once" in heard.stderr) == (ExitStatus.USAGE, True)


def test_a_directory_is_read_whole_and_in_order(shop: Path) -> None:
    (shop / "b").mkdir()
    (shop / "b" / "one.cap").write_bytes(a_pcap([tcp_syn()]))
    (shop / "notes.txt").write_text("not packets")
    (shop / ".hidden").write_text("not packets either")
    status, heard = flows(shop, ".", "-o", "jsonl")
    files = list(dict.fromkeys(json.loads(line)["file"] for line in heard.stdout.splitlines()))
    assert (status, files) == (ExitStatus.DONE, ["./b/one.cap", "./shop.pcap"])
    assert "notes.txt" in heard.stderr
    assert "hidden" not in heard.stderr


def test_a_bundle_is_one_capture_of_all_its_pods(tmp_path: Path) -> None:
    captures = dict(shop_captures())
    # one packet of a connection that began before, to a port below the Service's
    captures["batch-1"] = [tcp(SERVICE_ADDRESS, 80, "10.244.1.7", 79, flags=0x10)]
    a_bundle(tmp_path / "bundle", captures=captures)
    told = rows(tmp_path, "bundle")
    turned = next(row for row in told if row["client"] == "10.244.1.7")
    assert (turned["server"], turned["serverPort"], turned["direction"]) == (SERVICE_ADDRESS, 80, "proven")
    assert all(row["file"].startswith("bundle/captures/uid-") for row in told)


def test_rotated_files_are_one_capture(tmp_path: Path) -> None:
    late = [tcp(CLIENT, 40000, SERVER, 50051, flags=0x10)]
    (tmp_path / "pod.pcap").write_bytes(a_pcap(tcp_handshake(CLIENT, 50000, SERVER, 50051)))
    (tmp_path / "pod.pcap1").write_bytes(a_pcap(late))
    (tmp_path / "alone.pcap").write_bytes(a_pcap(late))
    told = {row["file"]: (row["serverPort"], row["direction"]) for row in rows(tmp_path, ".")}
    assert told["./pod.pcap1"] == (50051, "proven")
    assert told["./alone.pcap"] == (40000, "heuristic")


@pytest.mark.parametrize("words", [("--engine", "fast"), ("--engine", "exact"), ("--workers", "2")])
@pytest.mark.parametrize("kind", ["--conversations", "--names", "--conversations=false"])
def test_neither_engine_nor_workers_change_a_byte(shop: Path, words: tuple[str, ...], kind: str) -> None:
    (shop / "second.pcap").write_bytes(a_pcap([*tcp_handshake(), *SHOP]))
    once = flows(shop, "shop.pcap", "second.pcap", kind, "-o", "json")[1].stdout
    assert flows(shop, "shop.pcap", "second.pcap", kind, "-o", "json", *words)[1].stdout == once


def test_what_is_inside_tunnels_is_told_on_request(tmp_path: Path) -> None:
    inside = ip(CLIENT, SERVER, 6, tcp_syn().ip[20:])
    (tmp_path / "t.pcap").write_bytes(a_pcap([Packet(ip("10.0.0.1", "10.0.0.2", 4, inside))]))
    assert rows(tmp_path, "t.pcap") == []
    (row,) = rows(tmp_path, "t.pcap", "--inner")
    assert (row["tunnel"], row["server"], row["outcome"]) == ("ipip", SERVER, "unanswered")
    write_capture(tmp_path / "x.pcap", [in_vxlan(udp(CLIENT, 50000, SERVER, 53))])
    assert [row["tunnel"] for row in rows(tmp_path, "x.pcap")] == [None]
    assert [row["tunnel"] for row in rows(tmp_path, "x.pcap", "--inner")] == ["vxlan", None]


def test_a_filter_leaves_rows_out_and_says_when_none_is_left(shop: Path) -> None:
    told = rows(shop, "shop.pcap", "--filter", "tcp and name ~ '*.test'")
    assert [row["serverPort"] for row in told] == [443]
    status, heard = flows(shop, "shop.pcap", "--filter", "port == 1")
    assert (status, heard.stdout) == (ExitStatus.DONE, "")
    assert "no flows are what the filter asks for" in heard.stderr


def test_a_filter_that_makes_no_sense_points_at_the_place(shop: Path) -> None:
    status, heard = flows(shop, "shop.pcap", "--filter", "port == 443 and prot == tcp")
    assert status == ExitStatus.USAGE
    lines = heard.stderr.splitlines()
    assert lines[0] == 'error: --filter, column 17: "prot" is no field'
    assert lines[1].index("prot") == lines[2].index("^")
    assert "protocol" in lines[3]


@pytest.mark.parametrize(
    ("text", "words", "column", "width"),
    [
        ("port = 443 adn udp", (), 11, 3),
        ("client in 10.0.0.0/33", (), 10, 11),
        ("clientport == 1", (), 0, 10),
        ("port == 1", ("--names",), 0, 4),
        ("port == \x1b[2J", (), 8, 4),
    ],
)
def test_what_makes_no_sense_in_a_filter_is_marked_and_steers_no_terminal(
    shop: Path, text: str, words: tuple[str, ...], column: int, width: int
) -> None:
    status, heard = flows(shop, "shop.pcap", "--filter", text, *words)
    assert (status, heard.stdout) == (ExitStatus.USAGE, "")
    message, shown, marks = heard.stderr.splitlines()[:3]
    assert message.startswith(f"error: --filter, column {column + 1}: ")
    assert shown == "  " + text.replace("\x1b", "?")
    assert marks == "  " + " " * column + "^" * width


@pytest.mark.parametrize(
    ("content", "code"),
    [(a_pcap([]), "capture-empty"), (a_pcap([b"x"], link=127), "link-type-unread")],
)
def test_a_capture_without_anything_to_read_is_a_finding(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "x.pcap").write_bytes(content)
    status, heard = flows(tmp_path, "x.pcap", "-o", "jsonl")
    assert (status, heard.stdout) == (ExitStatus.DONE, "")
    assert heard.stderr.count(f"[{code}]") == 1
    # what tshark could do about it is said
    assert ("--tshark" in heard.stderr) == (code == "link-type-unread")
    assert json.loads(flows(tmp_path, "x.pcap", "-o", "json")[1].stdout)["items"] == []
    assert flows(tmp_path, "x.pcap")[1].stdout == ""


def test_damage_is_a_finding_and_what_precedes_it_is_told(shop: Path) -> None:
    whole = (shop / "shop.pcap").read_bytes()
    (shop / "cut.pcap").write_bytes(whole[:-10])
    status, heard = flows(shop, "cut.pcap", "-o", "jsonl")
    assert status == ExitStatus.DONE
    assert "[capture-truncated]" in heard.stderr
    assert "at byte" in heard.stderr
    assert len(heard.stdout.splitlines()) == 3


def test_what_is_no_capture_is_an_error_alone_and_a_finding_among_others(shop: Path) -> None:
    (shop / "notes.txt").write_text("not packets")
    status, heard = flows(shop, "notes.txt")
    assert (status, heard.stdout) == (ExitStatus.ERROR, "")
    assert "notes.txt" in heard.stderr
    assert "text" in heard.stderr
    status, heard = flows(shop, "notes.txt", "shop.pcap", "absent.pcap", "-o", "jsonl")
    assert status == ExitStatus.DONE
    assert len(heard.stdout.splitlines()) == 3
    assert "[not-a-capture]" in heard.stderr
    assert "[capture-unreadable]" in heard.stderr
    status, heard = flows(shop, "notes.txt", "absent.pcap")
    assert status == ExitStatus.ERROR
    assert "notes.txt is no capture" in heard.stderr
    assert heard.stderr.endswith("error: none of 2 files is a capture\n  name a file that tcpdump -w wrote\n")


def test_kinds_of_rows_exclude_each_other_and_workers_are_few(shop: Path) -> None:
    assert flows(shop, "shop.pcap", "--names", "--conversations")[0] == ExitStatus.USAGE
    for workers in ("0", "65", "-1"):
        assert flows(shop, "nowhere.pcap", f"--workers={workers}")[0] == ExitStatus.USAGE
    assert flows(shop)[0] == ExitStatus.USAGE


@needs("tshark")
def test_a_name_inside_quic_is_read_by_tshark_once_for_all_files(tmp_path: Path) -> None:
    for name in ("one.pcap", "two.pcap"):
        write_capture(tmp_path / name, [a_quic_initial(SERVER)])
    told = rows(tmp_path, "one.pcap", "two.pcap", variables=WITH_TSHARK)
    assert [row["names"] for row in told] == [[{"name": "quic.example.test", "source": "quic"}]] * 2
    assert [row["names"] for row in rows(tmp_path, "one.pcap", "--tshark=never", variables=WITH_TSHARK)] == [
        []
    ]
    words = ("--conversations", "--filter", "name ~ quic.*")
    (row,) = rows(tmp_path, "one.pcap", *words, variables=WITH_TSHARK)
    assert row["clientPort"] == 40000
    (told_name,) = rows(tmp_path, "one.pcap", "--names", variables=WITH_TSHARK)
    assert (told_name["name"], told_name["source"], told_name["address"]) == (
        "quic.example.test",
        "quic",
        SERVER,
    )


def test_without_tshark_names_inside_quic_are_a_finding_unless_nobody_wants_them(tmp_path: Path) -> None:
    write_capture(tmp_path / "q.pcap", [a_quic_initial()])
    status, heard = flows(tmp_path, "q.pcap", "-o", "jsonl")
    assert (status, json.loads(heard.stdout)["names"]) == (ExitStatus.DONE, [])
    assert "[tshark-absent]" in heard.stderr
    assert flows(tmp_path, "q.pcap", "--tshark=never")[1].stderr == ""
    for flag in ("--verify", "--tshark"):
        status, heard = flows(tmp_path, "q.pcap", flag)
        assert (status, heard.stdout) == (ExitStatus.ERROR, "")
        assert f"{flag} needs tshark" in heard.stderr


@needs("tshark")
def test_tshark_reads_the_links_that_we_do_not(tmp_path: Path) -> None:
    frames: list[Packet | bytes] = [b"\xff\x03\x00\x21" + packet.ip for packet in tcp_handshake()]
    (tmp_path / "ppp.pcap").write_bytes(a_pcap(frames, link=PPP))
    assert rows(tmp_path, "ppp.pcap", variables=WITH_TSHARK) == []
    (row,) = rows(tmp_path, "ppp.pcap", "--tshark", variables=WITH_TSHARK)
    assert (row["client"], row["serverPort"], row["outcome"]) == (CLIENT, 8080, "established")
    assert (row["packetsToServer"], row["packetsToClient"], row["direction"]) == (2, 1, "syn")


@needs("tshark")
def test_our_counts_are_those_of_tshark(shop: Path) -> None:
    status, heard = flows(shop, "shop.pcap", "--verify", "-o", "jsonl", variables=WITH_TSHARK)
    assert (status, heard.stderr) == (ExitStatus.DONE, "")
