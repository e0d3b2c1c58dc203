import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from boneage_kedro.annotation.__main__ import main
from boneage_kedro.masks.drawn.queue import AnnotationQueue


def test_the_command_serves_the_queue_on_this_machine_until_it_is_interrupted(queue: AnnotationQueue) -> None:
    command = [sys.executable, "-m", "boneage_kedro.annotation", str(queue.folder)]
    command += ["--port", "0", "--labels", "hand", "--one-hand"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        assert server.stderr.readline() == "3 of 3 radiographs are open.\n"
        address = re.search(r"http://127\.0\.0\.1:\d+", server.stderr.readline())
        assert address is not None
        with urlopen(f"{address[0]}/api/queue") as answer:  # noqa: S310
            assert len(json.load(answer)["cases"]) == 3
        server.send_signal(signal.SIGINT)
        assert server.stderr.read() == ""
    assert server.returncode == 0


def test_a_folder_that_is_none_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path / "queue"), "--port", "0", "--labels", "hand"])
    assert "queue is not a folder; name the queue that" in capsys.readouterr().err


def test_a_taken_port_is_an_error(queue: AnnotationQueue, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(SystemExit):
        main([str(queue.folder), "--port", str(other.getsockname()[1]), "--labels", "hand"])
    assert "choose another with --port" in capsys.readouterr().err


def test_a_label_given_twice_is_an_error(queue: AnnotationQueue, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(queue.folder), "--port", "0", "--labels", "ulna", "ulna"])
    assert "--labels names a class twice" in capsys.readouterr().err
