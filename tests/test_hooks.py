"""What happens around a run, where it needs no run."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock, Timeout
from kedro.framework.hooks import hook_impl
from pluggy import PluginManager

from boneage_kedro.hooks import RECORD_LOCK, RunRecordHook


class OpensTheRecord:
    """As kedro-mlflow does, and sees whether another run could do so at the same time."""

    alone = False

    @hook_impl
    def after_context_created(self, context: SimpleNamespace) -> None:
        with pytest.raises(Timeout):
            FileLock(context.project_path / RECORD_LOCK).acquire(timeout=0)
        self.alone = True


def test_one_run_at_a_time_opens_the_record(tmp_path: Path) -> None:
    opens, manager = OpensTheRecord(), PluginManager("kedro")
    for hook in (opens, RunRecordHook()):
        manager.register(hook)
    manager.hook.after_context_created(context=SimpleNamespace(project_path=tmp_path))
    assert opens.alone
    with FileLock(tmp_path / RECORD_LOCK).acquire(timeout=0):  # the next one may
        pass
