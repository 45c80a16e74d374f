"""Importing the package and asking for help stays light."""

import subprocess
import sys

HEAVY = ("torch", "mmcv", "mmdet", "mmseg", "mmengine", "transformers", "timm", "pandas", "sklearn")


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines())


def test_import_is_light():
    assert loaded_after("import prior_bench").isdisjoint(HEAVY)


def test_help_is_light():
    statement = "from prior_bench.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    modules = loaded_after(statement)
    assert "prior_bench.cli.run" in modules
    assert modules.isdisjoint(HEAVY)


def test_api_and_registries_do_not_need_torch():
    modules = loaded_after("import prior_bench.api, prior_bench.registry, prior_bench.suites.protocols")
    assert "torch" not in modules


def test_the_reference_of_config_keys_does_not_need_torch():
    modules = loaded_after("from prior_bench.cli import main\nmain(['schema'])")
    assert "prior_bench.schema.pretrain" in modules and "torch" not in modules
