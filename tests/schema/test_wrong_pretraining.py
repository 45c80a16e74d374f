"""``prior-bench pretrain CONFIG --set KEY=VALUE`` refuses wrong values, names the keys and runs nothing."""

import dataclasses
import inspect

import pytest

from prior_bench.cli import main
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.text import TextEncoder
from prior_bench.pretraining import config as carriers
from prior_bench.pretraining.schedule import Schedule, Stage
from prior_bench.public import pretraining
from prior_bench.registry import METHODS
from prior_bench.schema import encoders
from prior_bench.schema import pretrain as schema

WRONG = [
    ("convirt_sample", "method.embed_dim=abc", "method.embed_dim: is 'abc'; must be a whole number"),
    ("convirt_sample", "method.embed_dim=0", "method.embed_dim: is 0; must be at least 1"),
    ("convirt_sample", "method.temperature=0", "method.temperature: is 0; must be above 0.0"),
    (
        "convirt_sample",
        "method.image_to_text_weight=2",
        "method.image_to_text_weight: is 2; must be at most 1.0",
    ),
    (
        "convirt_sample",
        "method.learnable_temperature=yes",
        "method.learnable_temperature: is 'yes'; must be true or false",
    ),
    ("convirt_sample", "method.type=convrit", "method.type: unknown method 'convrit'"),
    ("convirt_sample", "method=convirt", "method: is 'convirt'; must be a dict"),
    ("convirt_sample", "method.variant=paper", "method: unknown key 'variant'"),
    ("mgca_sample", "method.variant=papre", "method.variant: unknown variant 'papre'"),
    ("mgca_sample", "method.variant.sep_is_wrd=true", "method.variant: unknown switch 'sep_is_wrd'"),
    (
        "mgca_sample",
        "method.variant.sep_is_word=yes",
        "method.variant: sep_is_word is 'yes'; must be true or false",
    ),
    ("mgca_sample", "method.weights.tokn=1", "method.weights.tokn: unknown loss 'tokn'"),
    ("mgca_sample", "method.weights.token=-1", "method.weights.token: is -1; must be at least 0.0"),
    ("mgca_sample", "method.weights.token=heavy", "method.weights.token: is 'heavy'; must be a number"),
    ("mgca_sample", "method.prototypes=2.5", "method.prototypes: is 2.5; must be a whole number"),
    ("gloria_sample", "method.variant=published", "method.variant: unknown variant 'published'"),
    ("gloria_sample", "method.chunk=0", "method.chunk: is 0; must be at least 1"),
    ("gloria_sample", "method.temp1=warm", "method.temp1: is 'warm'; must be a number"),
    ("prior_sample", "method.stage=4", "method.stage: is 4; must be at most 3"),
    ("prior_sample", "method.variant=3", "method.variant: cannot be made from 3"),
    ("prior_sample", "method.weights.reprot=1", "method.weights.reprot: unknown loss term 'reprot'"),
    ("prior_sample", "method.weights.report=-2", "method.weights.report: is -2; must be at least 0.0"),
    ("prior_sample", "method.weights=(1,2)", "method.weights: is (1, 2); must be a dict or a list or none"),
    ("prior_sample", "method.decoder_dropout=1.0", "method.decoder_dropout: is 1.0; must be below 1.0"),
    (
        "prior_sample",
        "schedule.epochs=3",
        "schedule.stages: cannot be combined with keys of a single stage",
    ),
    ("prior_sample", "schedule.stages.0.epochs=0", "schedule.stages[0].epochs: is 0; must be at least 1"),
    ("prior_sample", "schedule.stages.0.epoch=1", "schedule.stages[0]: unknown key 'epoch'"),
    (
        "prior_sample",
        "schedule.stages.1.warmup_epochs=2",
        "schedule.stages[1].warmup_epochs: is 2; must be below epochs, which is",
    ),
    (
        "prior_sample",
        "hooks.0.type=prior_bench.prior.schedule.PrototypesFromSentence",
        "hooks[0].type: cannot be loaded: module 'prior_bench.prior.schedule' h",
    ),
    ("prior_sample", "hooks.0.reports=many", "hooks[0].reports: is 'many'; must be a whole number"),
    ("prior_sample", "hooks.0.report=3", "hooks[0]: unknown key 'report'"),
    ("prior_sample", "hooks=3", "hooks: is 3; must be a list"),
    ("mgca_sample", "hooks.0.epochs=one", "hooks[0].epochs: is 'one'; must be a whole number"),
    (
        "convirt_sample",
        "method.image_encoder.model_name=resnet81",
        "method.image_encoder.model_name: timm has no model 'resnet81'",
    ),
    (
        "convirt_sample",
        "method.image_encoder.modelname=resnet18",
        "method.image_encoder: unknown key 'modelname'",
    ),
    (
        "convirt_sample",
        "method.image_encoder.in_channels=2",
        "method.image_encoder.in_channels: is 2; must be 1 or 3",
    ),
    (
        "convirt_sample",
        "method.image_encoder.pretrained=3",
        "method.image_encoder.pretrained: is 3; must be true, false or the path",
    ),
    (
        "convirt_sample",
        "method.image_encoder.input.size=big",
        "method.image_encoder.input.size: is 'big'; must be a whole number",
    ),
    (
        "convirt_sample",
        "method.image_encoder.input.channels=3",
        "method.image_encoder.input.channels: is 3; must be in_channels, which",
    ),
    ("convirt_sample", "method.text_encoder.pool=first", "method.text_encoder.pool: unknown choice 'first'"),
    (
        "convirt_sample",
        "method.text_encoder.max_tokens=abc",
        "method.text_encoder.max_tokens: is 'abc'; must be a whole number",
    ),
    (
        "convirt_sample",
        "method.text_encoder.name=bert",
        "method.text_encoder.name: give either 'name' (hub or folder) or 'confi",
    ),
    (
        "convirt_sample",
        "method.text_encoder.config.hidden_size=abc",
        "method.text_encoder.config.hidden_size: is 'abc'; must be a whole numb",
    ),
    (
        "convirt_sample",
        "method.text_encoder.config.hiden_size=64",
        "method.text_encoder.config: unknown key 'hiden_size'",
    ),
    (
        "convirt_sample",
        "method.text_encoder.config.model_type=brt",
        "method.text_encoder.config.model_type: unknown model type 'brt'",
    ),
    (
        "convirt_sample",
        "method.text_encoder.config.num_attention_heads=3",
        "method.text_encoder.config.hidden_size: is 128; must be a multiple of",
    ),
    ("convirt_sample", "data.dataset=mimic", "data.dataset: unknown data set 'mimic'"),
    ("convirt_sample", "data.dataset.reprots=default", "data.dataset: unknown key 'reprots'"),
    (
        "convirt_sample",
        "data.dataset=5",
        "data.dataset: is 5; must be a data reference, or a dict with a 'type'",
    ),
    (
        "convirt_sample",
        "data.transform.RandomAffine.degree=5",
        "data.transform.RandomAffine: unknown key 'degree'",
    ),
    ("convirt_sample", "batch_size=1", "batch_size: is 1; must be at least 2: a pair needs a negative"),
    ("convirt_sample", "batch_size=true", "batch_size: is True; must be a whole number"),
    ("convirt_sample", "batch_size=all", "batch_size: is 'all'; must be a whole number"),
    ("convirt_sample", "batchsize=8", "unknown key 'batchsize'"),
    ("convirt_sample", "vocab_size=0", "vocab_size: is 0; must be at least 1"),
    ("convirt_sample", "vocab_size=1e3", "vocab_size: is 1000.0; must be a whole number"),
    ("convirt_sample", "clip_grad=0", "clip_grad: is 0; must be above 0.0"),
    ("convirt_sample", "clip_grad=auto", "clip_grad: is 'auto'; must be a number"),
    ("convirt_sample", "precision=float8", "precision: unknown choice 'float8'"),
    ("convirt_sample", "sync_batch_norm=no", "sync_batch_norm: is 'no'; must be true or false"),
    ("convirt_sample", "find_unused_parameters=1", "find_unused_parameters: is 1; must be true or false"),
    ("convirt_sample", "keep_checkpoints=0", "keep_checkpoints: is 0; must be at least 1"),
    ("convirt_sample", "log=wandb", "log: is 'wandb'; must be a list"),
    ("convirt_sample", "log=('tensorbord',)", "log[0]: unknown choice 'tensorbord'"),
    ("convirt_sample", "optimizer.type=SGD", "optimizer.type: unknown optimizer 'SGD'"),
    ("convirt_sample", "optimizer.type=AdamX", "optimizer.type: unknown optimizer 'AdamX'"),
    ("convirt_sample", "optimizer.lr=fast", "optimizer.lr: is 'fast'; must be a number"),
    ("convirt_sample", "optimizer.lr=0", "optimizer.lr: is 0; must be above 0.0"),
    ("convirt_sample", "optimizer.lr=true", "optimizer.lr: is True; must be a number"),
    (
        "convirt_sample",
        "optimizer.weight_decay=-0.1",
        "optimizer.weight_decay: is -0.1; must be at least 0.0",
    ),
    ("convirt_sample", "optimizer.betas=0.9", "optimizer.betas: is 0.9; must be a list"),
    ("convirt_sample", "optimizer.betas=(0.9,1.5)", "optimizer.betas[1]: is 1.5; must be below 1.0"),
    (
        "convirt_sample",
        "optimizer.lr_scale.text_encoder=slow",
        "optimizer.lr_scale.text_encoder: is 'slow'; must be a number",
    ),
    ("convirt_sample", "optimizer.learning_rate=1", "optimizer: unknown key 'learning_rate'"),
    ("convirt_sample", "schedule.epochs=0", "schedule.epochs: is 0; must be at least 1"),
    ("convirt_sample", "schedule.epochs=ten", "schedule.epochs: is 'ten'; must be a whole number"),
    ("convirt_sample", "schedule.epochs=1.5", "schedule.epochs: is 1.5; must be a whole number"),
    (
        "convirt_sample",
        "schedule.warmup_epochs=12",
        "schedule.warmup_epochs: is 12; must be below epochs, which is 12",
    ),
    ("convirt_sample", "schedule.warmup_factor=0", "schedule.warmup_factor: is 0; must be above 0.0"),
    ("convirt_sample", "schedule.lr_factor=-1", "schedule.lr_factor: is -1; must be above 0.0"),
    ("convirt_sample", "schedule.warmup=1", "schedule: unknown key 'warmup'"),
    ("convirt_sample", "data.text=words", "data.text: unknown choice 'words'"),
    ("convirt_sample", "data.splits=train", "data.splits: is 'train'; must be a list"),
    ("convirt_sample", "data.splits=()", "data.splits: is (); must be a list of at least 1"),
    ("convirt_sample", "data.min_words=some", "data.min_words: is 'some'; must be a whole number"),
    ("convirt_sample", "data.cache=disk", "data.cache: unknown choice 'disk'"),
    ("convirt_sample", "data.shard_window=0", "data.shard_window: is 0; must be None or a number of shards"),
    (
        "convirt_sample",
        "data.shard_window=4",
        "data.shard_window: reads from disk, but data.cache='memory' keeps images in memory: set",
    ),
    (
        "convirt_sample",
        "data.transform.Resize=48",
        "data.transform.Resize: is 48; must be at least method.image_encoder.in",
    ),
    ("convirt_sample", "data.transform.RandomErase.p=1", "data.transform: unknown key 'RandomErase'"),
    (
        "convirt_sample",
        "data.transform.RandomAffine.degrees=five",
        "data.transform.RandomAffine.degrees: is 'five'; must be degrees, or tw",
    ),
    ("convirt_sample", "data.dataset.type=mimic", "data.dataset: unknown data set 'mimic'"),
    ("convirt_sample", "data.split_rule=none", "data.split_rule: is None; must be text"),
    (
        "convirt_sample",
        "method.text_encoder.frozen_layers=-1",
        "method.text_encoder.frozen_layers: is -1; must be at least 0",
    ),
    (
        "convirt_sample",
        "method.text_encoder.max_tokens=2",
        "method.text_encoder.max_tokens: is 2; must be at least 3",
    ),
    (
        "convirt_sample",
        "method.text_encoder.attentions=yes",
        "method.text_encoder.attentions: is 'yes'; must be true or false",
    ),
    (
        "convirt_sample",
        "method.image_encoder.local_stage=last",
        "method.image_encoder.local_stage: is 'last'; must be a whole number",
    ),
    (
        "convirt_sample",
        "method.image_encoder.model_args=3",
        "method.image_encoder.model_args: is 3; must be a dict",
    ),
    ("convirt_sample", "method.image_encoder.pool=max", "method.image_encoder.pool: unknown choice 'max'"),
    (
        "convirt_sample",
        "method.text_encoder.config.hidden_dropout_prob=1.5",
        "method.text_encoder.config.hidden_dropout_prob: is 1.5; must be below",
    ),
    ("prior_sample", "method.image_encoder=resnet50", "method.image_encoder: is 'resnet50'; must be a dict"),
    (
        "prior_sample",
        "schedule.stages.7.epochs=1",
        "schedule.stages.7.epochs: '7' is no index of a list of 3",
    ),
    (
        "convirt_sample",
        "schedule.epochs.first=1",
        "schedule.epochs.first: 'schedule.epochs' is 12, which has no keys",
    ),
    ("convirt_sample", "data.dataset.reports=3", "data.dataset.reports: is 3; must be"),
]


@pytest.mark.parametrize(("config", "setting", "message"), WRONG, ids=[f"{c}-{s}" for c, s, _ in WRONG])
def test_a_wrong_value_is_refused_with_its_key(tmp_path, monkeypatch, capsys, config, setting, message):
    def train(config, *arguments, **named):
        config()  # it is read where all processes can be told
        raise AssertionError("something was trained")

    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    monkeypatch.setattr(pretraining, "train", train)
    assert main(["pretrain", config, "--set", setting]) == 1
    said = capsys.readouterr()
    assert f"\n- {message}" in said.err and not said.out
    assert list(tmp_path.iterdir()) == [], "nothing was written"


def test_a_text_encoder_with_name_and_config_says_how_to_use_the_name(capsys):
    assert main(["pretrain", "convirt_sample", "--set", "method.text_encoder.name=folder"]) == 1
    fix = "fix: to use the name alone: --set method.text_encoder.config=none"
    assert fix in capsys.readouterr().err
    changes = {"method.text_encoder.name": "folder", "method.text_encoder.config": None}
    assert carriers.load_config("convirt_sample", changes).method["text_encoder"]["name"] == "folder"


def test_all_wrong_values_are_named_at_once():
    wrong = {"batch_size": 1, "method.embed_dim": "abc", "optimizer.lr": "fast", "data.dataset.typ": "csv"}
    with pytest.raises(carriers.ErrorList) as caught:
        carriers.load_config("convirt_sample", wrong)
    assert len(caught.value.errors) == 4


@pytest.mark.parametrize(
    ("section", "carrier"),
    [
        (schema.PretrainFile, carriers.PretrainConfig),
        (schema.DataSection, carriers.Data),
        (schema.OptimizerSection, carriers.Optimizer),
        (schema.StageSection, Stage),
        (schema.ScheduleSection, Schedule),
    ],
)
def test_the_schema_has_the_fields_and_defaults_of_what_carries_the_values(section, carrier):
    fields = {field.name: field for field in dataclasses.fields(carrier)}
    assert set(section.model_fields) == set(fields)
    for name, field in section.model_fields.items():
        default = fields[name].default
        if default is not dataclasses.MISSING and not field.is_required() and name != "epochs":
            assert field.default == default, name


@pytest.mark.parametrize(
    ("section", "encoder"),
    [(encoders.ImageEncoderSection, ImageEncoder), (encoders.TextEncoderSection, TextEncoder)],
)
def test_the_schema_has_the_arguments_and_defaults_of_the_encoders(section, encoder):
    parameters = inspect.signature(encoder).parameters
    assert {name: field.default for name, field in section.model_fields.items()} == {
        name: parameter.default for name, parameter in parameters.items()
    }


@pytest.mark.parametrize("name", METHODS.names())
def test_types_of_a_methods_arguments_can_be_read(name):
    from prior_bench.schema.arguments import argument_errors

    errors = argument_errors(METHODS.get(name), {"embed_dim": "abc"}, "method", "method")
    assert "method.embed_dim: is 'abc'; must be a whole number" in "\n".join(map(str, errors))


def test_a_staged_config_that_was_stored_is_read_again():
    config = carriers.load_config("prior_sample")
    assert config.schedule.stages
    again = carriers.from_dict(config.to_dict(), stored=True)
    assert again == config and again.determining() == config.determining()
