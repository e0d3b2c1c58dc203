from dataclasses import replace
from pathlib import Path

from tools.release_package import WITHOUT_ONNX, release

from boneage_kedro.handover.package import load_package, write_package
from tests.packages import untrained


def test_all_but_the_onnx_file_is_released(tmp_path: Path) -> None:
    documents = {"README.md": b"card", "age.onnx": b"weights again"}
    package = replace(untrained({}), documents=documents, mlflow_run="abc")
    write_package(tmp_path / "packed", package)
    release(tmp_path / "packed", tmp_path / "released")
    released = load_package(tmp_path / "released")
    assert released.documents == {"README.md": b"card" + WITHOUT_ONNX}
    assert released.network == package.network and released.mlflow_run == "abc"
    assert not (tmp_path / "released" / "age.onnx").exists()
