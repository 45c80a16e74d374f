"""GLoRIA's zero-shot classification of CheXpert 5x200: ``gloria/gloria.py``, and our protocol.

The official code draws the images and the prompts. The images of both sides are those that ours draws (the
official ones were never released); the prompts of both sides are those that the official code draws.
"""

import json
import random
from pathlib import Path
from typing import Any

from benchmarks.official import imports
from benchmarks.official.job import Job
from benchmarks.official.scale import CROP, ENLARGED, RESIZED
from benchmarks.official.weights import METHOD

FOLDER = "CheXpert-v1.0"
PER_CLASS, PROMPTS = 20, 5
"""Images of each class, 200 in the paper; prompts of each class, as in the paper."""


def official(job: Job, evaluation_mode: bool) -> list[float]:
    """Run GLoRIA's functions; return the AUROC of each seed, and write the prompts beside the data.

    Args:
        evaluation_mode: whether to switch the model to it. Nothing in the repository does, so that its users
            normalise with the statistics of the images of the call.
    """
    make_importable(job)
    import torch
    from gloria import gloria

    model = gloria.load_gloria(str(write_checkpoint(job)), "cpu")
    model.train(not evaluation_mode)
    model.text_encoder.eval()  # as transformers returns it
    data = images(job)
    pictures = model.process_img([str(data.root / name) for name in data.table["image"]], "cpu")
    values = []
    for seed in job.seeds:
        random.seed(seed)
        prompts = gloria.generate_chexpert_class_prompts(PROMPTS)
        while _longest(prompts) >= model.cfg.data.text.word_num:
            # the code counts characters where it needs words, and fails if there are more than tokens
            prompts = gloria.generate_chexpert_class_prompts(PROMPTS)
        prompts_file(job, seed).write_text(json.dumps(prompts))
        with torch.no_grad():
            texts = model.process_class_prompts(prompts, "cpu")
            scores = gloria.zero_shot_classification(model, pictures, texts)
        values.append(_auroc(scores[list(data.labels)].to_numpy(), data.targets()))
    return values


def _longest(prompts: dict[str, list[str]]) -> int:
    return max(len(text) for texts in prompts.values() for text in texts)


def _auroc(scores: Any, targets: Any) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(targets, scores, average="macro"))


def ours(job: Job) -> list[float]:
    """Run our protocol; return the same."""
    import prior_bench as pb

    values = []
    for seed in job.seeds:
        result = pb.evaluate(
            str(job.weights / METHOD),
            task="zero_shot",
            data=_reference(job),
            protocol="gloria/zero_shot",
            prompts=json.loads(prompts_file(job, seed).read_text()),
            seed=seed,
            overrides={"transform.input.size": CROP, "transform.eval.Resize.size": RESIZED},
            store=job.folder / "records",
            device="cpu",
            allow_leakage=True,
        )
        values.append(result.metrics["auroc"])
    return values


def prompts_file(job: Job, seed: int) -> Path:
    """Where the official side leaves the prompts of a seed."""
    return job.data / f"prompts-{seed}.json"


def _reference(job: Job) -> dict[str, Any]:
    return dict(type="chexpert_5x200", root=str(job.data / FOLDER), per_class=PER_CLASS)


def images(job: Job) -> Any:
    """The images, as a manifest of ours."""
    import prior_bench as pb

    return pb.open_dataset(_reference(job), split="gloria")


def make_importable(job: Job) -> None:
    """Import ``gloria`` from the checkout."""
    imports.put_first([*job.sites, job.checkout])
    imports.with_old_names()
    imports.without_downloads()
    imports.stand_in("numpy.lib.function_base", extract=None)  # imported there, and not used
    # pre-training and training, which are not compared
    imports.stand_in("gloria.lightning", LIGHTNING_MODULES={})
    imports.stand_in("gloria.datasets", DATA_MODULES={})
    from gloria.models import vision_model

    vision_model.nn = imports.enlarging_to(ENLARGED)


def write_checkpoint(job: Job) -> Path:
    """Write the job's GLoRIA as the official code stores one: its configuration and its tensors."""
    import torch
    from omegaconf import OmegaConf

    from prior_bench.checkpoints.native import load_method

    method, _ = load_method(job.weights / METHOD)
    text = job.folder / "text_encoder"
    _write_text_encoder(method.text_encoder, text)
    config = OmegaConf.load(job.checkout / "configs" / "chexpert_pretrain_config.yaml")
    config.model.text.bert_type, config.model.text.embedding_dim = str(text), method.text_encoder.dim
    config.model.vision.pretrained = False
    config.data.text.word_num = method.text_encoder.tokenizer.max_tokens
    config.data.image.imsize, config.transforms.random_crop.crop_size = RESIZED, CROP
    tensors = {_official_name(name): value for name, value in method.state_dict().items()}
    local = "gloria.img_encoder.local_embedder.weight"
    tensors[local] = tensors[local][..., None, None]  # a convolution of one pixel
    size = method.text_encoder.dim  # BERT's pooler, which GLoRIA does not use
    tensors["gloria.text_encoder.model.pooler.dense.weight"] = torch.zeros(size, size)
    tensors["gloria.text_encoder.model.pooler.dense.bias"] = torch.zeros(size)
    path = job.folder / "gloria.ckpt"
    torch.save({"hyper_parameters": config, "state_dict": tensors}, path)
    return path


NAMES = {
    "image_encoder.model.": "gloria.img_encoder.model.",
    "text_encoder.model.": "gloria.text_encoder.model.",
    "": "gloria.img_encoder.",
}
"""Beginnings of our names, and of the official ones."""


def _official_name(name: str) -> str:
    ours, theirs = next(pair for pair in NAMES.items() if name.startswith(pair[0]))
    return theirs + name.removeprefix(ours)


def _write_text_encoder(encoder: Any, folder: Path) -> None:
    """Write the folder that ``from_pretrained`` reads: the model, and its tokenizer."""
    encoder.model.save_pretrained(folder)
    backend = json.dumps(json.loads(encoder.tokenizer.to_json())["backend"])
    (folder / "tokenizer.json").write_text(backend)
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": inputs, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
