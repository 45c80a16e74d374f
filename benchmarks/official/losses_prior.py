"""PRIOR's three stages after the encoders: ``stage1_step`` to ``stage3_step`` of ``Prior``, and ours.

Ours is the variant ``released``, with the same weights. The encoders are stand-ins that return given
features, so that what is timed begins with the projections and includes both decoders in stage 3. Nothing is
dropped or masked on either side. Both draw Gumbel noise; for the check, ours gets the noise and the
assignment of the official side, since several assignments of empty slots are equally good.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from benchmarks.official import imports
from benchmarks.official.losses import LossCase, Outcome, outcome
from benchmarks.prior_inputs import PROTOTYPES, QUERIES, Inputs, make_inputs, make_model, widths
from benchmarks.prior_parts import heads
from benchmarks.prior_step import total
from prior_bench.prior.injected import NOTHING_INJECTED, Injected
from prior_bench.prior.model import PRIOR

BATCHES, SMALL_BATCH = {1: 32, 2: 32, 3: 8}, 4
"""By stage: a step of stage 3 takes many seconds."""
DIM, SMALL_DIM = 768, 64
"""Of the joint space and of BERT, which are equal: the official report decoder has BERT's channels."""
SIDE = 7
"""Patches in a row."""
SEED = 3


def cases(checkout: Path, batch: int | None, small: bool) -> Iterator[LossCase]:
    """Yield the comparison of each stage."""
    dim = SMALL_DIM if small else DIM
    build = official_class(checkout, dim)
    for stage, usual in BATCHES.items():
        size = batch or (SMALL_BATCH if small else usual)
        inputs = make_inputs(size, dim)
        model = make_model(dim, stage, variant="released")
        official = official_model(build, model, inputs)
        text = f"B={size}, {SIDE**2} patches, D={dim}, {PROTOTYPES} prototypes"
        yield _case(stage, text, official, model, inputs)


def _case(stage: int, size: str, official: Any, model: PRIOR, inputs: Inputs) -> LossCase:
    features = dict(zip(("pooled", "patches", "tokens"), inputs.features, strict=True))
    batch = {"image": inputs.images, "text": None, "text_meta": {"sentence_index": inputs.index}}
    matched: list[Tensor] = []
    matching = official.matching_label
    official.matching_label = lambda *given: _kept(matching(*given), matched)

    def official_step() -> Outcome:
        matched.clear()
        torch.manual_seed(SEED)
        _, terms = getattr(official, f"stage{stage}_step")(batch)
        return outcome(terms[f"stage{stage}_loss"], {**features, **dict(official.named_parameters())})

    def our_step(injected: Injected = NOTHING_INJECTED) -> Outcome:
        terms = heads(model, inputs._replace(injected=injected))
        return outcome(total(model, terms), {**features, **dict(model.named_parameters())})

    def checked() -> Outcome:
        return our_step(_drawn(inputs.index, torch.stack(matched) if matched else None))

    return LossCase(f"PRIOR, stage {stage}", size, official_step, our_step, checked)


def _kept(indices: Any, matched: list[Tensor]) -> Any:
    matched.append(torch.from_numpy(indices[1]))
    return indices


def _drawn(index: Tensor, assignment: Tensor | None) -> Injected:
    """What the official side has drawn and assigned; it draws for all sentences, report by report."""
    torch.manual_seed(SEED)
    counts = index.amax(1).tolist()

    def gumbel() -> Tensor:
        rows = -torch.empty(sum(counts), PROTOTYPES).exponential_().log()
        return pad_sequence(rows.split(counts), batch_first=True)

    sentences, decoded = gumbel(), gumbel()
    decoded = torch.cat([decoded, decoded.new_zeros(len(index), QUERIES - decoded.shape[1], PROTOTYPES)], 1)
    return Injected(sentences, decoded, assignment)


# --- the official model ---------------------------------------------------------------------------------


def official_model(build: Callable[..., Any], model: PRIOR, inputs: Inputs) -> Any:
    """The official model with our weights, whose encoders return the inputs."""
    dim = inputs.tokens.shape[-1]
    official = build(
        GivenText(dim, inputs),
        GivenImage(widths(dim)[0], inputs),
        gpus=[0],
        embed_dim=dim,
        image_rec_drop_out_rate=0.0,
        spb_k=PROTOTYPES,
        num_queries=QUERIES,
        train_dataset=[],
    ).train()
    ours = model.state_dict()
    missing, unexpected = official.load_state_dict(ours, strict=False)
    unused = ("global_text_projection.", "sentence_decoder.embeddings.word_embeddings.")
    wrong = [name for name in missing if not name.startswith(unused)]
    wrong += sorted({*unexpected} - {"_stage", "sentence_bank.temperature"})
    if wrong:
        raise SystemExit(f"PRIOR: the official weights are not ours: {', '.join(wrong)}")
    return official


class GivenImage(nn.Module):
    """An encoder of images that returns the features of the inputs."""

    def __init__(self, width: int, inputs: Inputs):
        super().__init__()
        self.features = inputs.patches, inputs.pooled, []
        self.get_width = self.get_local_width = lambda: width
        self.get_name, self.get_last_spatial_info = lambda: "resnet50", lambda: (SIDE, SIDE)

    def forward(self, _: Tensor, return_features: bool) -> tuple[Tensor, Tensor, list[Tensor]]:
        return self.features


class GivenText(nn.Module):
    """An encoder of texts that returns the features of the inputs."""

    def __init__(self, width: int, inputs: Inputs):
        super().__init__()
        self.features = {"last_hidden_state": inputs.tokens, "pooler_output": None}
        self.get_width = lambda: width

    def forward(self, _: Any) -> dict[str, Tensor | None]:
        return self.features


def official_class(checkout: Path, dim: int) -> Callable[..., Any]:
    """Import the official class, whose report decoder gets BERT's configuration without a download."""
    folder = checkout / "codes"
    if not (folder / "prior/models/prior.py").is_file():
        raise SystemExit(
            f"{folder}/prior/models/prior.py does not exist: --checkout must name the root folder"
        )
    imports.put_first([folder])
    imports.lightning()
    imports.stand_in("pl_bolts.models.self_supervised.simclr.simclr_module", SyncFunction=None)
    schedules = dict.fromkeys(("linear_warmup_decay", "LinearWarmupCosineAnnealingLR"))
    imports.stand_in("pl_bolts.optimizers.lr_scheduler", **schedules)
    imports.stand_in("pl_bolts.optimizers.lars", LARS=None)
    imports.stand_in("kornia.losses", ssim=None)
    segmentation = imports.stand_in(
        "segmentation_models_pytorch.base", Conv2dReLU=convolution, Attention=none
    )
    imports.stand_in("segmentation_models_pytorch", base=segmentation)
    from prior.decoders import sentence
    from prior.models.prior import Prior
    from transformers import BertConfig

    config = BertConfig(
        vocab_size=28996,
        hidden_size=dim,
        num_attention_heads=max(dim // 64, 1),
        intermediate_size=4 * dim,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    sentence.AutoConfig = SimpleNamespace(from_pretrained=lambda _: config)
    return Prior


def convolution(channels: int, out: int, kernel_size: int, padding: int, use_batchnorm: bool) -> nn.Module:
    """The block of segmentation-models-pytorch: convolution, batch norm and ReLU."""
    assert use_batchnorm
    conv = nn.Conv2d(channels, out, kernel_size, padding=padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


def none(kind: None, in_channels: int) -> nn.Module:
    """The attention of segmentation-models-pytorch where none is asked for."""
    return nn.Identity()
