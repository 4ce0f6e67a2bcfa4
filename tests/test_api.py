"""The REST API, by a real client against a real server."""

from __future__ import annotations

import csv
import io
import json
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import schemathesis
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from classifier.verdict import Model

SAMPLES = Path(__file__).parent.parent / "data" / "samples"


@pytest.fixture(scope="session")
def client(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, timeout=60)


def test_verdicts_are_those_of_the_command_line(client: httpx.Client, model: Model) -> None:
    texts = ["Let me think about it", "It's 20% over what we pay now", "See you on Tuesday 👍"]
    answer = client.post("/api/v1/predict", json={"texts": texts})
    assert answer.status_code == 200
    assert answer.json()["verdicts"] == json.loads(json.dumps([model(text).to_dict() for text in texts]))


def test_history_and_names_reach_the_response(client: httpx.Client) -> None:
    asked = {"texts": ["let me think about it"], "history": 1, "names": {"buyer": "Dana"}}
    response = client.post("/api/v1/predict", json=asked).json()["verdicts"][0]["response"]
    assert response["again"]
    assert "Hi Dana" in response["email"]


def test_a_thousand_texts_at_once(client: httpx.Client) -> None:
    answer = client.post("/api/v1/predict", json={"texts": [f"not now, row {i}" for i in range(1_000)]})
    assert len(answer.json()["verdicts"]) == 1_000


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"texts": []}, 422, "texts"),
        ({"texts": ["x"] * 1_001}, 422, "at most 1000"),
        ({"texts": ["x" * 20_001]}, 422, "at most 20000"),
        ({"texts": ["  "]}, 422, "the text is empty"),
        ({"texts": ["fine", "..."]}, 422, "text 2 has no letters"),
        ({"text": "x"}, 422, "texts"),
        ({"texts": ["x"], "names": {"byer": "D"}}, 422, "did you mean 'buyer'?"),
        ([], 422, "valid dictionary"),
    ],
)
def test_what_is_not_usable_is_told(client: httpx.Client, body: object, status: int, said: str) -> None:
    answer = client.post("/api/v1/predict", json=body)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert said in answer.json()["error"]


def test_a_body_too_large_is_refused_with_and_without_its_length(client: httpx.Client) -> None:
    big = b" " * (33 << 20)
    assert client.post("/api/v1/predict", content=big).status_code == 413
    pieces = (b" " * (1 << 20) for _ in range(33))
    assert client.post("/api/v1/predict", content=pieces).status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.test"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_other_sites_reach_nothing(client: httpx.Client, headers: dict[str, str], status: int) -> None:
    answer = client.post("/api/v1/predict", json={"texts": ["not now"]}, headers=headers)
    assert answer.status_code == status


def test_every_answer_forbids_other_hosts_and_caching(client: httpx.Client) -> None:
    for path in ("/", "/healthz", "/nowhere", "/static/app.js", "/docs"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


def test_a_file_in_and_the_file_out(client: httpx.Client) -> None:
    content = (SAMPLES / "crm_export.csv").read_bytes()
    answer = client.post(
        "/api/v1/label", files={"file": ("export.csv", content)}, data={"column": "Call Notes"}
    )
    assert answer.status_code == 200
    assert 'filename="export.labelled.csv"' in answer.headers["content-disposition"]
    before = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    after = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row[: len(before[0])] for row in after] == before
    assert after[0][-10] == "verdict"


@pytest.mark.parametrize(
    ("name", "content", "column", "said"),
    [
        ("a.csv", b"a,b\n1,2\n", "", "no column looks like text"),
        ("a.csv", b"text\nhi\n", "Txt", "did you mean 'text'?"),
        ("a.xlsx", b"nonsense", "", "a.xlsx"),
        ("a.exe", b"MZ", "", ".exe"),
        ("a.csv", b"", "", "empty"),
    ],
)
def test_a_file_that_will_not_do(
    client: httpx.Client, name: str, content: bytes, column: str, said: str
) -> None:
    data = {"column": column} if column else {}
    answer = client.post("/api/v1/label", files={"file": (name, content)}, data=data)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["error"]
    assert "/tmp" not in answer.text


def test_a_file_step_by_step(client: httpx.Client) -> None:
    content = (
        b"id,Notes\n1,let me think about it\n2,too expensive for us\n3,see you on Monday at two\nragged\n"
    )
    taken = client.post("/api/v1/files", files={"file": ("n.csv", content)}).json()
    assert (taken["columns"], taken["guess"]) == (["id", "Notes"], "Notes")
    path = f"/api/v1/files/{taken['id']}"
    assert client.get(f"{path}/result").status_code == 409
    assert client.post(f"{path}/label", json={"columns": ["Notes"]}).status_code == 202
    while (state := client.get(path).json())["state"] == "working":
        time.sleep(0.05)
    assert (state["state"], state["set_aside"]) == ("done", 1)
    assert sum(state["summary"]["verdicts"].values()) == 3
    assert client.get(f"{path}/result").text.count("\n") == 4
    assert "ragged" in client.get(f"{path}/rejects").text
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_a_correction_is_kept_for_training(client: httpx.Client, home: Path) -> None:
    row = {"text": "we'll see, =1+1", "label": "stall", "kind": "vague_positive", "said": "neither"}
    assert client.post("/api/v1/corrections", json=row).status_code == 200
    with (home / "corrections.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert row in list(csv.DictReader(stream))
    wrong = client.post("/api/v1/corrections", json={"text": "x", "label": "stall", "kind": "price"})
    assert wrong.status_code == 422
    assert "not a kind of stall" in wrong.json()["error"]


def test_the_playbook_and_health(client: httpx.Client) -> None:
    assert client.get("/api/v1/playbook").json()["price"]["avoid"] == "An instant discount."
    assert client.get("/healthz").json()["status"] == "ok"


def test_no_words_in_the_log(client: httpx.Client, home: Path) -> None:
    client.post("/api/v1/predict", json={"texts": ["zanzibar secret words"]})
    client.post("/api/v1/predict", json={"texts": [" "]})
    assert "zanzibar" not in (home / "log.txt").read_text()


def test_fifty_clients_at_once(client: httpx.Client) -> None:
    def ask(number: int) -> int:
        with httpx.Client(base_url=client.base_url, timeout=60) as own:
            answers = [
                own.post("/api/v1/predict", json={"texts": [f"call me in {number}"]}) for _ in range(10)
            ]
        return sum(answer.status_code == 200 for answer in answers)

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(ask, range(50))) == 500


def test_another_address_demands_a_token(run, serve, tmp_path: Path) -> None:
    refused = run("serve", "--host", "0.0.0.0")
    assert refused.exit_code == 2
    assert "--token-file" in refused.stderr
    token = tmp_path / "token.txt"
    token.write_text("short")
    assert "16 or more" in run("serve", "--host", "0.0.0.0", "--token-file", token).stderr
    token.write_text("correct-horse-battery\n")
    body = {"json": {"texts": ["not now"]}}
    with serve("--token-file", str(token)) as address:
        assert httpx.post(f"{address}api/v1/predict", **body).status_code == 401
        wrong = {"Authorization": "Bearer wrong-horse-battery"}
        assert httpx.post(f"{address}api/v1/predict", headers=wrong, **body).status_code == 401
        right = {"Authorization": "Bearer correct-horse-battery"}
        assert httpx.post(f"{address}api/v1/predict", headers=right, **body).status_code == 200
        assert httpx.get(address).status_code == 200


def test_a_port_that_is_taken_is_one_line(run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", "--port", taken.getsockname()[1])
    assert result.exit_code == 2
    assert "choose another --port" in result.stderr


def test_ctrl_c_finishes_what_is_in_flight() -> None:
    command = [sys.executable, "-m", "classifier", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().split()[3]
    with ThreadPoolExecutor(1) as pool:
        texts = [f"we have a supplier for row {i} and like them well enough" for i in range(1_000)]
        asked = pool.submit(httpx.post, f"{address}api/v1/predict", json={"texts": texts}, timeout=60)
        time.sleep(0.15)
        process.send_signal(signal.SIGINT)
        assert len(asked.result().json()["verdicts"]) == 1_000
    _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors


def test_no_input_makes_the_api_break_its_own_schema(address: str) -> None:
    schema = schemathesis.openapi.from_url(f"{address}openapi.json")

    for operation in schema.exclude(path_regex="/label").get_all_operations():
        strategy = operation.ok().as_strategy()
        _fuzz(strategy)


def _fuzz(strategy) -> None:
    from hypothesis import HealthCheck, Phase, given, settings

    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def check(case: Case) -> None:
        case.call_and_validate(timeout=30, excluded_checks=[positive_data_acceptance])

    check()
