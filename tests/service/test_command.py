import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from boneage_kedro.handover.package import ModelPackage, write_package
from boneage_kedro.service.__main__ import main

SETTINGS = Path(__file__).resolve().parents[2] / "conf" / "base" / "parameters_assess.yml"


@pytest.fixture
def folder(tmp_path: Path, package: ModelPackage) -> Path:
    write_package(tmp_path / "package", package)
    return tmp_path / "package"


def test_the_command_serves_a_package_on_this_machine_until_it_is_interrupted(
    folder: Path, package: ModelPackage
) -> None:
    command = [sys.executable, "-m", "boneage_kedro.service", str(folder), "--settings", str(SETTINGS)]
    with subprocess.Popen(
        [*command, "--port", "0", "--limit-mib", "1"], stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        assert server.stderr.readline() == f"Research use only. Network {package.network}.\n"
        address = re.search(r"http://127\.0\.0\.1:\d+", server.stderr.readline())
        assert address is not None
        with urlopen(f"{address[0]}/health") as answer:  # noqa: S310
            assert json.load(answer)["network"] == package.network
        server.send_signal(signal.SIGINT)
        assert server.stderr.read() == ""
    assert server.returncode == 0


def test_a_folder_without_a_package_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--settings", str(SETTINGS), "--port", "0", "--limit-mib", "1"])
    assert "holds no package of a model (package.json is missing)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("other: {}", "holds no block `assess`"),
        ("assess: {batch_size: 0}", r"assess\.batch_size: .*at least 1"),
    ],
)
def test_settings_that_cannot_be_are_an_error(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, reason: str
) -> None:
    (tmp_path / "settings.yml").write_text(text)
    with pytest.raises(SystemExit):
        main([str(folder), "--settings", str(tmp_path / "settings.yml"), "--port", "0", "--limit-mib", "1"])
    assert re.search(reason, capsys.readouterr().err)
