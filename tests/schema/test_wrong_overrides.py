"""``prior-bench eval --set KEY=VALUE`` refuses every wrong value, names its key and runs nothing."""

import pytest

from prior_bench.cli import main
from prior_bench.engine import execute
from prior_bench.public import planning

DATA = {
    "classification": "sample:chexpert",
    "zero_shot": "sample:chexpert_5x200",
    "retrieval": "sample:mimic_cxr",
    "segmentation": "sample:siim_acr",
    "detection": "sample:rsna_pneumonia",
    "grounding": "sample:rsna_pneumonia",
    "throughput": "sample:chexpert",
}

FINETUNE, PROBE = "clean/finetune", "clean/linear_probe"
CORRUPTED = "clean/linear_probe_corrupted"
ZERO_SHOT, RETRIEVAL, THROUGHPUT = "clean/zero_shot", "clean/retrieval", "clean/throughput"
GROUNDING = "clean/grounding_prompts"
SEGMENTATION, DETECTION = "clean/segmentation_finetune", "clean/detection_finetune"

WRONG = [
    # of every task
    (FINETUNE, "batch_size=0", "batch_size: is 0; must be at least 1"),
    (FINETUNE, "batch_size=8.5", "batch_size: is 8.5; must be a whole number"),
    (FINETUNE, "batch_size=many", "batch_size: is 'many'; must be a whole number"),
    (FINETUNE, "batch_size=true", "batch_size: is True; must be a whole number"),
    (FINETUNE, "batchsize=8", "unknown key 'batchsize'\n  fix: did you mean batch_size"),
    (FINETUNE, "name=", "name: is ''; must be text that is not empty"),
    (FINETUNE, "task=classificaton", "task: unknown task 'classificaton'\n  fix: did you mean cl"),
    (FINETUNE, "version=0", "version: is 0; must be at least 1"),
    (FINETUNE, "split.rule=3", "split.rule: is 3; must be text"),
    (FINETUNE, "split.rules=default", "split: unknown key 'rules'"),
    (FINETUNE, "defects=one", "defects: is 'one'; must be a list"),
    # how a label fraction is drawn
    (FINETUNE, "fraction_sampler.nested=maybe", "fraction_sampler.nested: is 'maybe'; must be true or false"),
    (FINETUNE, "fraction_sampler.valid_share=2", "fraction_sampler.valid_share: is 2; must be at most 1"),
    (FINETUNE, "fraction_sampler.seed=-1", "fraction_sampler.seed: is -1; must be at least 0"),
    # how images are fed
    (FINETUNE, "transform.input.size=2", "transform.input.size: is 2; must be at least 8"),
    (FINETUNE, "transform.input.channels=2", "transform.input.channels: is 2; must be 1 or 3"),
    (FINETUNE, "transform.input.std=0", "transform.input.std: is 0; must be a number above 0"),
    (FINETUNE, "transform.input.resize=stretch", "transform.input.resize: unknown choice 'stretch'"),
    (FINETUNE, "transform.train.RandomAfine.degrees=5", "transform.train: unknown key 'RandomAfine'"),
    (FINETUNE, "transform.train.RandomAffine.degrees=five", "transform.train.RandomAffine.degrees: is "),
    (FINETUNE, "transform.train.RandomAffine.p=1.5", "transform.train.RandomAffine.p: is 1.5"),
    # what of the backbone is trained
    (FINETUNE, "frozen.backbone=no", "frozen.backbone: is 'no'; must be true or false"),
    (FINETUNE, "frozen.backbone=0", "frozen.backbone: is 0; must be true or false"),
    (FINETUNE, "frozen.backbone=none", "frozen.backbone: is None; must be true or false"),
    (FINETUNE, "frozen.batchnorm=true", "frozen: unknown key 'batchnorm'"),
    (FINETUNE, "frozen=true", "frozen: is True; must be a dict"),
    (PROBE, "frozen.backbone=false", "frozen.backbone: is False; must be true"),
    (ZERO_SHOT, "frozen.backbone=false", "frozen.backbone: is False; must be true"),
    # heads of classification
    (FINETUNE, "head.norm=instance", "head.norm: unknown choice 'instance'"),
    (FINETUNE, "head.dropout=1", "head.dropout: is 1; must be below 1"),
    (FINETUNE, "head.type=mlp", "head.type: unknown choice 'mlp'"),
    (FINETUNE, "head.init=zeros", "head.init: unknown choice 'zeros'"),
    (PROBE, "head.strengths=1.0", "head.strengths: is 1.0; must be a list"),
    (PROBE, "head.strengths=()", "head.strengths: is (); must be a list of at least 1"),
    (PROBE, "head.strengths=(-1.0,1.0)", "head.strengths[0]: is -1.0; must be above 0"),
    (PROBE, "head.max_iterations=0", "head.max_iterations: is 0; must be at least 1"),
    (PROBE, "head.norm=layer", "head: unknown key 'norm'"),
    (PROBE, "optimizer.lr=0.1", "optimizer: unknown key 'lr'"),
    # optimisers
    (FINETUNE, "optimizer.lr=fast", "optimizer.lr: is 'fast'; must be a number"),
    (FINETUNE, "optimizer.lr=0", "optimizer.lr: is 0; must be above 0"),
    (FINETUNE, "optimizer.lr=1e999", "optimizer.lr: is inf; must be a finite number"),
    (FINETUNE, "optimizer.lr=true", "optimizer.lr: is True; must be a number"),
    (FINETUNE, "optimizer.type=AdamX", "optimizer.type: unknown optimizer 'AdamX'\n  fix: did you mean Adam"),
    (FINETUNE, "optimizer.weight_decay=-1", "optimizer.weight_decay: is -1; must be at least 0"),
    (FINETUNE, "optimizer.betas=0.9", "optimizer.betas: is 0.9; must be a list"),
    (FINETUNE, "optimizer.betas=(0.9,1.0)", "optimizer.betas[1]: is 1.0; must be below 1"),
    (FINETUNE, "optimizer.amp=on", "optimizer.amp: is 'on'; must be true or false"),
    (FINETUNE, "optimizer.schedule=cosin", "optimizer.schedule: unknown choice 'cosin'\n  fix: did you mean"),
    (FINETUNE, "optimizer.warmup=-5", "optimizer.warmup: is -5; must be at least 0"),
    (FINETUNE, "optimizer.total=10", "optimizer.total: is 10; must be above warmup, which is 100"),
    (FINETUNE, "optimizer.factor=1.0", "optimizer.factor: is 1.0; must be below 1"),
    (FINETUNE, "optimizer.learning_rate=0.1", "optimizer: unknown key 'learning_rate'"),
    # when training stops
    (FINETUNE, "stopping.epochs=0", "stopping.epochs: is 0; must be at least 1"),
    (FINETUNE, "stopping.epochs=ten", "stopping.epochs: is 'ten'; must be a whole number"),
    (FINETUNE, "stopping.patience=0", "stopping.patience: is 0; must be at least 1"),
    (FINETUNE, "stopping.iterations=10", "stopping.epochs: stopping must define one length of training"),
    (FINETUNE, "stopping.monitor=loss", "stopping.monitor: unknown stopping.monitor 'loss'"),
    (FINETUNE, "stopping.tested=first", "stopping.tested: unknown choice 'first'"),
    # metrics and options
    (FINETUNE, "metrics=auroc", "metrics: is 'auroc'; must be a list"),
    (FINETUNE, "metrics=()", "metrics: is (); must be a list of at least 1"),
    (FINETUNE, "metrics=('auroc','auprk')", "metrics[1]: unknown metric 'auprk'\n  fix: did you mean auprc"),
    (FINETUNE, "metrics=('auroc','auroc')", "metrics: is ('auroc', 'auroc'); must be without repetition"),
    (FINETUNE, "metrics=('auroc_drop',)", "metrics: metric 'auroc_drop' needs corruptions"),
    (FINETUNE, "options.threshold=half", "options.threshold: is 'half'; must be 'validation_f1' or a number"),
    (FINETUNE, "options.treshold=0.5", "options: unknown key 'treshold'"),
    (CORRUPTED, "options.severities=(0,)", "options.severities[0]: is 0; must be at least 1"),
    (CORRUPTED, "options.corruptions=('nois',)", "options.corruptions[0]: unknown corruption 'nois'"),
    (ZERO_SHOT, "options.prompts=sampel", "options.prompts: unknown prompt set 'sampel'"),
    (ZERO_SHOT, "options.prompts_per_class=0", "options.prompts_per_class: is 0; must be at least 1"),
    (ZERO_SHOT, "options.pooling=median", "options.pooling: unknown choice 'median'"),
    (ZERO_SHOT, "options.normalise=true", "options.normalise: is True; must be"),
    (RETRIEVAL, "options.pool=1", "options.pool: is 1; must be 'test_split' or a number of studies above 1"),
    (RETRIEVAL, "options.exclude_self=yes", "options.exclude_self: is 'yes'; must be true or false"),
    (RETRIEVAL, "head.type=linear", "head: unknown key 'type'"),
    (GROUNDING, "options.map=gradcam", "options.map: unknown choice 'gradcam'"),
    (GROUNDING, "options.region=mask", "options.region: unknown choice 'mask'"),
    (GROUNDING, "options.prompts=boxes", "options.prompts: unknown prompt set 'boxes'"),
    (GROUNDING, "metrics=('miou_biovil',)", "metrics: 'miou_biovil' thresholds cosines"),
    (GROUNDING, "frozen.backbone=false", "frozen.backbone: is False; must be true: this task trains"),
    (THROUGHPUT, "options.repeats=0", "options.repeats: is 0; must be at least 1"),
    (THROUGHPUT, "metrics=('images',)", "metrics[0]: unknown metric 'images'"),
    # decoders and detectors
    (SEGMENTATION, "head.type=fpn", "head.type: unknown choice 'fpn'"),
    (SEGMENTATION, "head.strides=(3,)", "head.strides[0]: is 3; must be"),
    (SEGMENTATION, "head.channels=(8,)", "head.channels: has 1 entries;"),
    (SEGMENTATION, "head.channels=(8,0,8)", "head.channels[1]: is 0; must be at least 1"),
    (SEGMENTATION, "head.loss.dice=heavy", "head.loss.dice: is 'heavy'; must be a number"),
    (SEGMENTATION, "head.loss.jaccard=1", "head.loss: unknown key 'jaccard'"),
    (SEGMENTATION, "metrics=('dise',)", "metrics[0]: unknown metric 'dise'"),
    (DETECTION, "head.width=0", "head.width: is 0; must be"),
    (DETECTION, "head.width=wide", "head.width: is 'wide'; must be a number"),
    (DETECTION, "head.anchors=((10,13),)", "head.anchors[0][0]: is 10; must be a list"),
    (DETECTION, "options.confidence=1.5", "options.confidence: is 1.5; must be at most 1"),
    (DETECTION, "options.nms_iou=0", "options.nms_iou: is 0; must be above 0"),
    (DETECTION, "options.max_boxes=none", "options.max_boxes: is None; must be a whole number"),
]


@pytest.fixture
def nothing_runs(tmp_path, monkeypatch):
    """Fails where anything is executed, and keeps every root in the test's folder."""

    def run(*arguments, **named):
        raise AssertionError("something was run")

    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    monkeypatch.setattr(execute, "evaluate", run)
    monkeypatch.setattr(planning, "execute", run)
    return tmp_path


def status_of(protocol: str, *settings: str) -> int:
    from prior_bench.suites import protocols

    task = protocols.load(protocol).task
    given = [word for setting in settings for word in ("--set", setting)]
    return main(
        ["eval", task, "--backbone", "random:resnet18", "--data", DATA[task], "--protocol", protocol, *given]
    )


@pytest.mark.parametrize(("protocol", "setting", "message"), WRONG, ids=[f"{p}-{s}" for p, s, _ in WRONG])
def test_a_wrong_value_is_refused_with_its_key(nothing_runs, capsys, protocol, setting, message):
    assert status_of(protocol, setting) == 1
    said = capsys.readouterr()
    assert f".protocol: {message}" in said.err
    assert not said.out, "the protocol is not even printed"
    assert "problem(s), nothing was run" in said.err
    assert list(nothing_runs.iterdir()) == [], "nothing was written"


def test_all_wrong_values_are_named_at_once(nothing_runs, capsys):
    settings = ("batch_size=0", "optimizer.lr=fast", "optimizer.type=AdamX", "frozen.backbone=no")
    assert status_of(FINETUNE, *settings) == 1
    said = capsys.readouterr().err
    assert "4 problem(s)" in said
    assert all(setting.partition("=")[0] in said for setting in settings)
