import importlib
import subprocess
import sys

import pytest

from prior_bench.store import provenance
from prior_bench.store.source_hash import code_version, used_modules

SOURCE = '''"""What it is."""
import toolbox.helper


def double(x):
    """Twice."""
    return 2 * x  # not three times
'''


@pytest.fixture
def toolbox(tmp_path, monkeypatch):
    folder = tmp_path / "toolbox"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "main.py").write_text(SOURCE)
    (folder / "helper.py").write_text("def late():\n    import numpy\n    from .deep import value\n")
    (folder / "deep.py").write_text("value = '''# kept'''\n")
    (folder / "apart.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "toolbox"]:
        del sys.modules[name]


def test_code_counts_and_comments_do_not(toolbox):
    before = code_version("toolbox.main")
    reworded = SOURCE.replace("What it is.", "Else.").replace("Twice.", "2x").replace("# not", "# never")
    (toolbox / "main.py").write_text(reworded.replace("\n\n\ndef", "\n\ndef"))
    assert code_version("toolbox.main") == before
    (toolbox / "main.py").write_text(SOURCE.replace("2 * x", "3 * x"))
    assert code_version("toolbox.main") != before


def test_a_hash_sign_in_a_string_is_code(toolbox):
    before = code_version("toolbox.deep")
    (toolbox / "deep.py").write_text("value = '''# other'''\n")
    assert code_version("toolbox.deep") != before


def test_a_package_means_all_its_files(toolbox):
    before, main = code_version("toolbox"), code_version("toolbox.main")
    (toolbox / "apart.py").write_text("x = 2\n")
    assert code_version("toolbox") != before
    assert code_version("toolbox.main") == main


def test_imports_are_followed_inside_functions_without_importing(toolbox):
    assert used_modules("toolbox.main") == ["toolbox.deep", "toolbox.helper", "toolbox.main"]
    assert "toolbox.main" not in sys.modules


def test_objects_and_modules_stand_for_their_source(toolbox):
    module = importlib.import_module("toolbox.main")
    assert code_version(module) == code_version(module.double) == code_version("toolbox.main")


def test_unknown_module():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        code_version("no_such_module")


def test_provenance_names_versions_machine_and_command_without_torch():
    code = (
        "import sys\nfrom prior_bench.store.provenance import provenance\nfound = provenance()\n"
        "assert 'torch' not in sys.modules\nprint(found['versions']['torch'], found['hardware']['cores'])\n"
        "print(found['op_provider'], '|', found['command'])"
    )
    run = subprocess.run([sys.executable, "-c", code, "a b"], capture_output=True, text=True, check=True)
    versions, command = run.stdout.splitlines()
    assert versions[0].isdigit() and int(versions.split()[1]) >= 1
    assert command == "not used | -c 'a b'"


def test_git_state_says_revision_and_whether_it_is_clean(tmp_path, monkeypatch):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    monkeypatch.setattr(provenance.paths, "PACKAGE", tmp_path / "prior_bench")
    provenance.git_state.cache_clear()
    assert provenance.git_state() == {}
    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", ".")
    git("commit", "-qm", "one")
    provenance.git_state.cache_clear()
    assert provenance.git_state() == {"revision": git("rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "file").write_text("2")
    provenance.git_state.cache_clear()
    assert provenance.git_state()["dirty"] is True
    provenance.git_state.cache_clear()
