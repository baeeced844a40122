"""The libraries in static/vendor are the ones in the lock, byte for byte, and the check would notice if not."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """scripts/vendor.py as a module; it is a script and in no package."""
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "scripts" / "vendor.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "vendor", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(vendor: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of static/vendor that the script takes for the real one."""
    folder = tmp_path / "vendor"
    shutil.copytree(vendor.VENDOR, folder)
    monkeypatch.setattr(vendor, "VENDOR", folder)
    monkeypatch.setattr(vendor, "LOCK", folder / vendor.LOCK_NAME)
    return folder


def test_what_is_vendored_is_what_the_lock_says(vendor: ModuleType) -> None:
    assert vendor.main(["check"]) == 0


def test_one_changed_byte_is_noticed(vendor: ModuleType, copy: Path) -> None:
    path = copy / "htm.js"
    path.write_bytes(path.read_bytes().replace(b"function", b"functioN", 1))
    assert vendor.main(["check"]) == 1


@pytest.mark.parametrize("name", ["htm.js", "LICENSE.htm.txt", "vendor.lock.json"])
def test_a_missing_file_is_noticed(vendor: ModuleType, copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert vendor.main(["check"]) == 1


def test_a_file_that_nobody_asked_for_is_noticed(vendor: ModuleType, copy: Path) -> None:
    (copy / "extra.js").write_text("1")
    assert vendor.main(["check"]) == 1


def test_a_version_raised_without_fetching_is_noticed(
    vendor: ModuleType, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor, "PACKAGES", vendor.PACKAGES[1:])
    assert vendor.main(["check"]) == 1


def test_an_unknown_command_says_which_there_are(vendor: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor.main([]) == 2
    assert "fetch | check" in capsys.readouterr().err


def test_a_rewrite_that_finds_nothing_is_an_error(vendor: ModuleType) -> None:
    file = vendor.File("a.mjs", "a.js", {'from"x"': 'from"./x.js"'})
    assert vendor.rewrite(b'import a from"x";\n//# sourceMappingURL=a.map', file) == b'import a from"./x.js";\n'
    with pytest.raises(vendor.VendorError, match="not found"):
        vendor.rewrite(b"export{}", file)


def test_a_bare_import_that_stays_is_an_error(vendor: ModuleType) -> None:
    with pytest.raises(vendor.VendorError, match="bare import y"):
        vendor.rewrite(b'import a from "y";', vendor.File("a.mjs", "a.js", {}))
