"""The explorer without a browser: what addresses ask for, what is answered, and what the server refuses."""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import runpy
import shlex
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pytest

import brnn
from brnn.cli import main
from brnn.cli.commands.explore import catalogue
from brnn.errors import BrnnError, InputError
from brnn.explore import running
from brnn.explore.answers import Answers
from brnn.explore.asked import asked_of, fields_of
from brnn.explore.controls import controls_of
from brnn.explore.running import Abandoned, Runner
from brnn.explore.server import ExploreServer
from brnn.figures import describe


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    known, _ = catalogue("rcf")
    return Answers(known, tmp_path_factory.mktemp("saved"))


@pytest.fixture(scope="module")
def server(answers: Answers) -> Iterator[ExploreServer]:
    with ExploreServer(answers) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def query_of(model: str, *settings: str, **others: object) -> str:
    return urlencode([("model", model), *(("set", s) for s in settings), *((k, str(v)) for k, v in others.items())])


def unpacked(answer: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    (length,) = struct.unpack("<I", answer[:4])
    header = json.loads(answer[4 : 4 + length])
    numbers = np.frombuffer(answer, dtype="<f4", offset=4 + length)
    found = {}
    for place in header["variables"]:
        size = math.prod(place["shape"]) * place["count"]
        found[place["name"]] = numbers[place["values"] : place["values"] + size].reshape(
            place["count"], *place["shape"]
        )
    return header, found


def asked(server: ExploreServer, path: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=sent)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


# Runs and descriptions


def test_a_run_has_the_numbers_that_simulate_gives(answers: Answers) -> None:
    header, found = unpacked(answers.run(query_of("rcf", "A=0.7", "signal.half=0.4", duration=12)))
    network = brnn.models.rcf.build(A=0.7, signal=brnn.Sigmoid(half=0.4))
    expected = np.asarray(brnn.simulate(network, 12.0)["rcf.x"])
    assert np.allclose(found["rcf.x"], expected, rtol=1e-6, atol=1e-7)
    assert header["reached"] == 12.0
    assert header["summary"][1].endswith(f"cell {expected[-1].argmax()} most, total {expected[-1].sum():.4g}")


def test_theory_in_a_figure_comes_later_if_asked_to(answers: Answers) -> None:
    """The figure of a run with two survivors names their level, which theory knows and the run does not wait for."""
    query = query_of("rcf")
    (at_once, first), (soon, second) = (unpacked(answers.run(query + end)) for end in ("&theory=later", ""))
    np.testing.assert_array_equal(first["rcf.x"], second["rcf.x"])
    assert (at_once["waits"], soon["waits"]) == (True, False)
    words = "theory: 2 equal survivors"
    assert words not in json.dumps(at_once["figure"])
    assert words in json.dumps(soon["figure"])
    none, _ = unpacked(answers.run(query_of("may_leonard") + "&theory=later"))
    assert not none["waits"]  # its figure asks nothing


@pytest.mark.parametrize("name", brnn.models.names())
def test_every_model_has_controls_whose_values_it_takes(name: str, answers: Answers) -> None:
    about = answers.model(query_of(name))
    json.dumps(about, allow_nan=False)
    assert about["controls"]
    build = brnn.models.load(name).build
    for control in about["controls"]:
        if control["kind"] == "number" and isinstance(control["value"], float):
            assert control["low"] <= control["high"]
            assert control["step"] > 0
            build(**{control["name"]: int(control["value"]) if control["whole"] else control["value"]})


def test_sliders_go_as_far_as_the_docstring_allows(answers: Answers) -> None:
    known, _ = catalogue("rcf")
    one = asked_of(fields_of(query_of("art1_fast")), known)
    rho = next(c for c in controls_of(one, one.network()) if c["name"] == "rho")  # "float, in [0, 1]"
    assert (rho["low"], rho["high"]) == (0.0, 1.0)
    two = asked_of(fields_of(query_of("rcf")), known)
    found = {c["name"]: c for c in controls_of(two, two.network())}
    assert found["B"]["low"] > 0.0  # "float, > 0"
    assert found["A"]["low"] == 0.0  # "float, >= 0"
    assert found["signal"]["value"] == "sigmoid"
    assert found["pattern"]["shape"] == [10]


def test_theory_is_what_predict_says(answers: Answers) -> None:
    said = answers.theory(query_of("rcf", "signal=power", "initial=0.2,0.9,0.4"))
    stored = next(one for one in said["predictions"] if one["quantity"] == "stored")
    assert stored["value"] == pytest.approx([0.0, (3 + math.sqrt(5)) / 2, 0.0])  # the larger root of x^2 - 3 x + 1
    assert answers.theory(query_of("may_leonard"))["predictions"] or answers.theory(query_of("may_leonard"))["why_not"]


def test_command_and_script_give_the_same_numbers(answers: Answers, tmp_path: Path) -> None:
    settings = ("signal=2*w**2/(d + w**2), d=0.3", "A=0.8", "pattern=0.1,0.4,0.2")
    texts = answers.texts(query_of("rcf", *settings, duration=5))
    _, found = unpacked(answers.run(query_of("rcf", *settings, duration=5)))
    script = tmp_path / "script.py"
    script.write_text(texts["script"])
    result = runpy.run_path(str(script))["result"]
    words = shlex.split(texts["command"])
    assert words[:3] == ["brnn", "run", "rcf"]
    out = tmp_path / "run.h5"
    assert main([*words[1:-1], str(out)]) == 0
    with brnn.open(out) as kept:
        assert np.array_equal(kept.final("rcf"), result.final("rcf"))
    assert np.allclose(found["rcf.x"][-1], result.final("rcf"), rtol=1e-6)


def test_what_if_is_a_sweep_of_one_parameter(answers: Answers) -> None:
    query = query_of("rcf", "signal=linear", along="B", low=2, high=4, count=5, measure="rcf.total")
    found = answers.sweep(query)
    assert found["values"] == [2.0, 2.5, 3.0, 3.5, 4.0]
    assert found["measured"] == pytest.approx([B - 1.0 for B in found["values"]], rel=1e-5)  # B - A/C


def test_the_figure_is_the_models_own_with_its_numbers_behind_it(answers: Answers) -> None:
    answer = answers.run(query_of("wilson_cowan"))
    header, _ = unpacked(answer)
    numbers = np.frombuffer(answer, dtype="<f4", offset=4 + struct.unpack("<I", answer[:4])[0])
    arrays: dict[str, np.ndarray] = {}
    expected = describe(brnn.simulate(brnn.models.wilson_cowan.build())).to_dict(arrays)
    assert header["figure"] == expected
    for name, array in arrays.items():
        place = header["arrays"][name]
        assert place["shape"] == list(array.shape)
        found = numbers[place["offset"] : place["offset"] + array.size]
        assert np.allclose(found, array.ravel(), rtol=1e-6, atol=1e-7, equal_nan=True)


# What is refused


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("model=rfc", "did you mean 'rcf'"),
        ("model=/tmp/evil.py", "there is no such model"),
        ("model=rcf&set=C%3D1", "rcf has no parameter 'C'"),
        ("model=rcf&set=A%3D-1", "A"),
        ("model=rcf&set=A%3Dnan", "must be a number"),
        ("model=rcf&set=n%3D10000000", "at most 50,000"),
        ("model=additive&set=n%3D300,300", "at most 50,000"),
        ("model=rcf&duration=-1", "duration=-1: must be a number > 0"),
        ("model=rcf&seed=x", "seed=x: must be a whole number"),
        ("model=rcf&durations=3", "did you mean 'duration'"),
        ("model=rcf&model=store", "model is given twice"),
    ],
)
def test_a_bad_address_is_one_line(query: str, words: str, answers: Answers) -> None:
    with pytest.raises(BrnnError, match=words) as error:
        answers.run(query)
    assert "\n" not in str(error.value)


def test_a_pattern_that_is_no_image_is_one_line(answers: Answers) -> None:
    with pytest.raises(BrnnError, match=r"^cat\.png: not a PNG or JPEG image$"):
        answers.pattern("cat.png", b"no image")
    with pytest.raises(BrnnError, match="is not read"):
        answers.pattern("cat.gif", b"GIF89a")
    assert answers.pattern("row.csv", b"1,2,3\n") == {"shape": [3], "value": [1.0, 2.0, 3.0], "said": ""}


def test_a_large_pattern_is_averaged(answers: Answers) -> None:
    rows = "\n".join([",".join(["1"] * 128), ",".join(["3"] * 128)] * 64)
    found = answers.pattern("large.csv", rows.encode())
    assert found["shape"] == [64, 64]
    assert set(found["value"]) == {2.0}


@pytest.mark.parametrize("name", ["../up.h5", "/tmp/x.h5", "a/b.h5", ".h5", "x.png", "", "x.h5\n"])
def test_files_are_written_into_the_folder_alone(name: str, answers: Answers) -> None:
    with pytest.raises(InputError, match="ends in"):
        answers.save(query_of("rcf"), name)


def test_a_saved_file_is_the_run(answers: Answers) -> None:
    wrote = answers.save(query_of("rcf", "A=0.9"), "kept.h5")["wrote"]
    with brnn.open(wrote) as kept:
        assert np.array_equal(kept.final("rcf"), brnn.simulate(brnn.models.rcf.build(A=0.9)).final("rcf"))
    with pytest.raises(BrnnError, match="exists"):
        answers.save(query_of("rcf"), "kept.h5")
    link = answers.folder / "link.h5"
    link.symlink_to(answers.folder.parent / "elsewhere.h5")
    with pytest.raises(InputError, match="is a link"):
        answers.save(query_of("rcf"), "link.h5")


def test_a_run_that_takes_too_long_is_stopped() -> None:
    network = brnn.models.wilson_cowan.build()  # a cycle: 200,000 periods, seconds
    with pytest.raises(InputError, match="was stopped after 0.2 s"):
        Runner(seconds=0.2).run(network, 1e6, None)


@pytest.mark.parametrize(("waits", "used", "stops"), [(19.0, 9.0, False), (1.0, 11.0, True), (21.0, 1.0, True)])
def test_a_busy_machine_does_not_stop_a_run(
    waits: float, used: float, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that may take ten seconds of a processor has it for `used` of the seconds that it waits."""
    now = {"there": 1.0, "own": 0.0}

    def busy() -> bool:
        now.update(there=1.0 + waits, own=used)
        return False

    clocks = SimpleNamespace(perf_counter=lambda: now["there"], thread_time=lambda: now["own"])
    monkeypatch.setattr(running, "clock", clocks)
    with pytest.raises(InputError, match="was stopped after 10 s") if stops else contextlib.nullcontext():
        Runner(seconds=10.0).run(brnn.models.wilson_cowan.build(), 5e3, None, gone=busy)
    assert now["own"] == used


def test_a_run_that_nobody_waits_for_is_given_up() -> None:
    runner = Runner()
    with pytest.raises(Abandoned):
        runner.run(brnn.models.may_leonard.build(), 1e7, None, gone=lambda: True)
    runner.run(brnn.models.may_leonard.build(), 10.0, None)  # and the next one has its turn
    assert runner.stage["stage"] == "idle"


def test_progress_is_told_and_may_stop_a_run() -> None:
    told: list[float] = []
    brnn.simulate(brnn.models.rcf.build(), 5.0, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(5.0)

    def stop(time: float) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        brnn.simulate(brnn.models.rcf.build(), 5.0, progress=stop)


# The server


def test_the_page_and_its_files_are_served(server: ExploreServer) -> None:
    status, page = asked(server, f"/{server.token}/")
    assert status == 200
    for name in ("main.js", "style.css", "icon.svg"):
        assert name.encode() in page
    folder = Path(brnn.__file__).parent / "explore" / "page"
    for file in folder.iterdir():
        assert asked(server, f"/{server.token}/{file.name}") == (200, file.read_bytes())


def test_answers_say_what_browsers_may_do(server: ExploreServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.request("GET", f"/{server.token}/")
    response = connection.getresponse()
    response.read()
    assert "default-src 'self'" in str(response.headers["Content-Security-Policy"])
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    connection.close()


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/api/models", "/favicon.ico"])
def test_nothing_is_answered_without_the_token(path: str, server: ExploreServer) -> None:
    status, words = asked(server, path)
    assert status == 404
    assert b"not complete" in words


@pytest.mark.parametrize("path", ["../server.py", "..%2fserver.py", "page/index.html", "__init__.py"])
def test_no_other_file_is_served(path: str, server: ExploreServer) -> None:
    assert asked(server, f"/{server.token}/{path}")[0] == 404


def test_other_hosts_and_pages_are_refused(server: ExploreServer) -> None:
    path = f"/{server.token}/api/models"
    assert asked(server, path)[0] == 200
    assert asked(server, path, Host="evil.example")[0] == 403
    assert asked(server, path, Origin="http://evil.example")[0] == 403
    assert asked(server, path, Sec_Fetch_Site="cross-site")[0] == 403


def test_a_link_writes_nothing(server: ExploreServer) -> None:
    assert asked(server, f"/{server.token}/api/save?name=x.h5")[0] == 404
    body = json.dumps({"query": query_of("rcf"), "name": "posted.h5"})
    status, words = asked(server, f"/{server.token}/api/save", "POST", body)
    assert status == 200
    assert json.loads(words)["wrote"] == str(server.answers.folder / "posted.h5")
    assert asked(server, f"/{server.token}/api/save", "POST", "[]")[0] == 400


def test_bad_input_is_one_line_and_the_server_goes_on(server: ExploreServer) -> None:
    status, words = asked(server, f"/{server.token}/api/run?model=rcf&set={quote('A=x')}")
    assert status == 400
    assert json.loads(words)["error"].startswith("--set A=x: A must be a number")
    status, words = asked(server, f"/{server.token}/api/pattern", "POST", b"text", X_File_Name="a%20b.png")
    assert json.loads(words)["error"] == "a b.png: not a PNG or JPEG image"
    assert asked(server, f"/{server.token}/api/models")[0] == 200


def test_a_browser_that_leaves_in_mid_run_stops_it(server: ExploreServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.request("GET", f"/{server.token}/api/run?{query_of('may_leonard', duration=1e7)}")
    connection.close()
    # The next one has its turn long before the run would end.
    status, answer = asked(server, f"/{server.token}/api/run?{query_of('may_leonard', duration=10)}")
    assert status == 200
    assert unpacked(answer)[0]["reached"] == 10.0


# The command


def test_a_port_that_is_taken_is_one_line(server: ExploreServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--port", str(server.server_port), "--no-browser"]) == 2
    words = capsys.readouterr().err
    assert words.startswith(f"brnn: error: --port {server.server_port}: Address already in use")
    assert words.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "there is no such model"),
        (["rcf", "--set", "C=1"], "no parameter 'C'"),
        (["--port", "x"], "--port x: must be a whole number"),
        (["--port", "99999"], "--port 99999: must be from 0 to 65535"),
        (["--folder", "/no/such"], "--folder /no/such: there is no such folder"),
        (["-"], "standard input is read once"),
        (["rcf", "--model", "own.txt"], "--model own.txt: must be a .py file"),
    ],
)
def test_bad_arguments_are_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", *arguments, "--no-browser"]) == 2
    assert words in capsys.readouterr().err


def test_a_model_of_the_users_own_is_in_the_list(tmp_path: Path) -> None:
    file = tmp_path / "signal.py"  # the standard library has one, too
    file.write_text("import brnn\n\n\ndef build(A: float = 1.0):\n    return brnn.models.rcf.build(n=3, A=A)\n")
    known, name = catalogue(str(file))
    mine = Answers(known, tmp_path)
    assert [control["name"] for control in mine.model(query_of(name))["controls"]] == ["A"]
    _, found = unpacked(mine.run(query_of(name, "A=0.5")))
    assert found["rcf.x"].shape[1:] == (3,)
    script = tmp_path / "again.py"
    script.write_text(mine.texts(query_of(name, "A=0.5"))["script"])
    assert np.allclose(runpy.run_path(str(script))["result"].final("rcf"), found["rcf.x"][-1], rtol=1e-6)


def test_a_saved_network_has_its_numbers_as_controls(tmp_path: Path) -> None:
    file = tmp_path / "saved.json"
    file.write_text(brnn.models.rcf.build(n=4).to_json())
    known, name = catalogue(str(file))
    saved = Answers(known, tmp_path)
    names = [control["name"] for control in saved.model(query_of(name))["controls"]]
    assert "rcf.A" in names
    assert "rcf_rcf_exc.signal.half" in names
    _, found = unpacked(saved.run(query_of(name, "rcf.A=0.5", "rcf_rcf_exc.signal.half=0.4")))
    script = tmp_path / "again.py"
    script.write_text(saved.texts(query_of(name, "rcf.A=0.5", "rcf_rcf_exc.signal.half=0.4"))["script"])
    assert np.allclose(runpy.run_path(str(script))["result"].final("rcf"), found["rcf.x"][-1], rtol=1e-6)
