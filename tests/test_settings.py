"""Resolvers of the configuration."""

import logging
from pathlib import Path

import pytest

from boneage_kedro import settings
from boneage_kedro.hooks import PRETRAINED


def test_the_first_network_that_is_kept_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "PROJECT_ROOT", tmp_path)
    settings._say_what_is_taken.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert [settings._first_kept("best", "good", "pretrained") for _ in range(2)] == ["pretrained"] * 2
        assert len(caplog.messages) == 1  # though the parameters are read several times
        assert "best.safetensors is not in" in caplog.messages[0]
        (tmp_path / PRETRAINED).mkdir(parents=True)
        (tmp_path / PRETRAINED / "good.safetensors").touch()
        assert settings._first_kept("best", "good", "pretrained") == "good"
        assert len(caplog.messages) == 1
