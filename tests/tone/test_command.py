import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from boneage_kedro.tone.__main__ import main


def test_the_command_serves_the_sheet_on_this_machine_until_it_is_interrupted(folder: Path) -> None:
    (folder / "text.png").write_bytes(b"no picture")
    command = [sys.executable, "-m", "boneage_kedro.tone", str(folder), str(folder.parent / "pairs")]
    with subprocess.Popen([*command, "--port", "0"], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        assert server.stderr.readline().startswith("text.png: is not a PNG")
        assert server.stderr.readline().startswith("3 pictures; the pairs go to ")
        address = re.search(r"http://127\.0\.0\.1:\d+", server.stderr.readline())
        assert address is not None
        with urlopen(f"{address[0]}/api/sheet") as answer:  # noqa: S310
            assert len(json.load(answer)["pictures"]) == 3
        server.send_signal(signal.SIGINT)
        assert server.stderr.read() == ""
    assert server.returncode == 0


@pytest.mark.parametrize(
    ("pictures", "pairs", "reason"),
    [
        ("pictures/none", "pairs", "is not a folder; name the one with the pictures"),
        ("empty", "pairs", "has no PNG picture of a hand that can be used"),
        ("pictures", "pictures", "where pairs would be taken for pictures"),
        ("pictures", "pictures/deep/pairs", "where pairs would be taken for pictures"),
        ("pictures", "empty/../pictures/pairs", "where pairs would be taken for pictures"),
        ("pictures", ".", "whose pictures are written over"),
        ("pictures", "pictures/1377.png", "is a file; name a folder for the pairs"),
    ],
)
def test_folders_that_cannot_be_are_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str], pictures: str, pairs: str, reason: str
) -> None:
    (folder.parent / "empty").mkdir()
    with pytest.raises(SystemExit):
        main([str(folder.parent / pictures), str(folder.parent / pairs), "--port", "0"])
    assert reason in capsys.readouterr().err
