"""The text encoder: any Hugging Face model of the BERT type, with token and pooled features."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from prior_bench.api import TextBatch
from prior_bench.encoders.hub import load_from_hub, no_progress_bar, quiet
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError, unknown_name

POOLS = ("cls", "mean", "max")


class TextOutput(NamedTuple):
    """The features of B texts with at most L tokens.

    Attributes:
        tokens: [B, L, D]; values on padding are arbitrary.
        pooled: [B, D].
        hidden_states: the outputs of the last ``last_layers`` layers, each [B, L, D], deepest layer last.
        attentions: attention maps of each layer, [B, heads, L, L], or None if not requested.
    """

    tokens: Tensor
    pooled: Tensor
    hidden_states: tuple[Tensor, ...]
    attentions: tuple[Tensor, ...] | None


class TextEncoder(nn.Module):
    """A BERT-type model and its tokenizer. Its parameters keep the names of transformers under ``model.``.

    Args:
        name: hub name or local folder, e.g. ``"emilyalsentzer/Bio_ClinicalBERT"``.
        config: config of a model with random weights, instead of ``name``. ``model_type`` is ``"bert"`` by
            default; the vocabulary size is the tokenizer's.
        tokenizer: a tokenizer or its JSON; required with ``config``.
        max_tokens: longest text, including [CLS] and [SEP].
        pool: ``"cls"`` (first token), or ``"mean"`` or ``"max"`` over all tokens except padding.
        num_hidden_layers: number of first layers to keep; by default all.
        frozen_layers: number of first layers that are not trained; if not 0, the embeddings are not trained,
            either.
        last_layers: number of last layers; ``tokens`` is the sum of their outputs.
        attentions: whether to return attention maps (fused attention kernels are then not used).

    Attributes:
        dim: D, number of channels of the features.
        tokenizer: the :class:`ReportTokenizer` of the model.

    Raises:
        BenchError: the model cannot be obtained, or the arguments are inconsistent.
    """

    def __init__(
        self,
        name: str | None = None,
        config: dict[str, Any] | None = None,
        tokenizer: ReportTokenizer | str | None = None,
        max_tokens: int = 256,
        pool: str = "mean",
        num_hidden_layers: int | None = None,
        frozen_layers: int = 0,
        last_layers: int = 1,
        attentions: bool = False,
    ):
        super().__init__()
        if (name is None) == (config is None):
            raise BenchError(
                "give either 'name' (hub or folder) or 'config' (random weights)", where="text_encoder"
            )
        if pool not in POOLS:
            raise unknown_name("pool", pool, list(POOLS), where="text_encoder.pool")
        if isinstance(tokenizer, str):
            tokenizer = ReportTokenizer.from_json(tokenizer)
        if tokenizer is None:
            if name is None:
                raise BenchError(
                    "a text encoder made from a config needs a tokenizer",
                    where="text_encoder",
                    fix="ReportTokenizer.train(corpus, vocab_size); a pre-training config does so itself",
                )
            tokenizer = ReportTokenizer.from_pretrained(name, max_tokens)
        self.tokenizer = tokenizer
        overrides = {} if num_hidden_layers is None else {"num_hidden_layers": num_hidden_layers}
        attention = {"attn_implementation": "eager"} if attentions else {}
        self.model: Any = (
            _pretrained(name, overrides, attention)
            if name
            else _random(
                {**(config or {}), **overrides, "vocab_size": tokenizer.vocab_size},
                tokenizer.max_tokens,
                attention,
            )
        )
        if getattr(self.model, "pooler", None) is not None:
            self.model.pooler = None  # unused: its weights would never get a gradient
        self.pool, self.last_layers, self.attentions = pool, last_layers, attentions
        self.frozen_layers = frozen_layers
        self.dim: int = self.model.config.hidden_size
        self._freeze(frozen_layers)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments (plain types) that rebuild this encoder without its weights, without a download."""
        return {
            "config": self.model.config.to_diff_dict(),
            "tokenizer": self.tokenizer.to_json(),
            "max_tokens": self.tokenizer.max_tokens,
            "pool": self.pool,
            "frozen_layers": self.frozen_layers,
            "last_layers": self.last_layers,
            "attentions": self.attentions,
        }

    def forward(self, text: TextBatch) -> TextOutput:
        """Encode B texts of L tokens as token and pooled features."""
        output = self.model(
            input_ids=text.input_ids,
            attention_mask=self._attention_mask(text),
            output_hidden_states=self.last_layers > 1,
            output_attentions=self.attentions,
        )
        states = (
            output.hidden_states[-self.last_layers :] if self.last_layers > 1 else (output.last_hidden_state,)
        )
        tokens = torch.stack(states).sum(0) if len(states) > 1 else states[0]
        attentions = tuple(output.attentions) if self.attentions else None
        return TextOutput(tokens, self._pool(tokens, text.attention_mask), tuple(states), attentions)

    def _attention_mask(self, text: TextBatch) -> Tensor | None:
        """Return the mask as the model takes it; on a GPU, in the form that transformers makes of it.

        Otherwise transformers asks whether there is any padding, for which the host would wait.
        """
        mask, config = text.attention_mask, self.model.config
        kind = getattr(config, "_attn_implementation", None)
        known = config.model_type == "bert" and kind in ("sdpa", "eager")
        if mask.is_cpu or text.on_host is text or not known:
            return mask
        if bool(text.on_host.attention_mask.all()):
            return None
        seen = mask.bool()[:, None, None, :].expand(-1, -1, mask.shape[1], -1)
        if kind == "sdpa":
            return seen
        lowest = torch.finfo(self.model.dtype).min  # eager attention adds its mask
        return torch.zeros_like(seen, dtype=self.model.dtype).masked_fill(~seen, lowest)

    def _pool(self, tokens: Tensor, mask: Tensor) -> Tensor:
        if self.pool == "cls":
            return tokens[:, 0]
        real = mask.bool().unsqueeze(-1)
        if self.pool == "max":
            return tokens.masked_fill(~real, -torch.inf).amax(dim=1)
        return tokens.masked_fill(~real, 0).sum(dim=1) / real.sum(dim=1)

    def _freeze(self, count: int) -> None:
        if not count:
            return
        stack = getattr(self.model, "encoder", None) or getattr(self.model, "transformer", None)
        layers = getattr(stack, "layer", None)
        if layers is None or not hasattr(self.model, "embeddings"):
            raise BenchError(
                f"unknown layer structure of a {type(self.model).__name__}",
                where="text_encoder.frozen_layers",
                fix="use 0",
            )
        if count > len(layers):
            raise BenchError(
                f"cannot freeze {count} of {len(layers)} layers", where="text_encoder.frozen_layers"
            )
        for part in (self.model.embeddings, *layers[:count]):
            part.requires_grad_(False)


def _pretrained(name: str, overrides: dict[str, Any], attention: dict[str, Any]) -> Any:
    from transformers import AutoModel

    with quiet("transformers", "huggingface_hub"), no_progress_bar():
        return load_from_hub(AutoModel, name, "the text model", **overrides, **attention).float()


def _random(config: dict[str, Any], max_tokens: int, attention: dict[str, Any]) -> Any:
    from transformers import AutoConfig, AutoModel

    kind = config.pop("model_type", "bert")
    for key in ("transformers_version", "architectures", "dtype", "torch_dtype", "_attn_implementation"):
        config.pop(key, None)
    try:
        made = AutoConfig.for_model(kind, **config)
    except ValueError as error:
        raise BenchError(
            f"no model of type '{kind}' in transformers", where="text_encoder.config.model_type"
        ) from error
    if made.max_position_embeddings < max_tokens:
        raise BenchError(
            f"max_tokens is {max_tokens} but the model has {made.max_position_embeddings} positions",
            where="text_encoder.max_tokens",
        )
    return AutoModel.from_config(made, **attention).float()
