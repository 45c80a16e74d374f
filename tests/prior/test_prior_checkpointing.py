import copy

import pytest
import torch
from tiny_prior import heads

from prior_bench.api import Features


@pytest.fixture
def model():
    random = dict(image_masking=0.5, decoder_dropout=0.3)
    return heads(stage=3, decoder_layers=2, image_blocks=2, checkpoint_decoders=True, **random).train()


@pytest.fixture
def inputs():
    torch.manual_seed(1)
    image = Features(torch.randn(3, 32), torch.randn(3, 4, 32))
    mask = torch.arange(5) < torch.tensor([[5], [1], [3]])
    return image, torch.randn(3, 5, 32), mask, torch.randn(3, 1, 8, 8)


def plain(model):
    other = copy.deepcopy(model)
    other.image_decoder.checkpoint = other.sentence_decoder.checkpoint = False
    return other


def stepped(model, inputs):
    """Losses, gradients, buffers and the next random number of one training step."""
    torch.manual_seed(2)
    terms = model.terms(*inputs)
    sum(value for name, value in terms.items() if name != "perplexity").backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    return terms, gradients, dict(model.named_buffers()), {"next": torch.rand(3)}


def test_step_is_the_same_with_dropout_and_batch_statistics(model, inputs):
    other = plain(model)
    for kept, recomputed in zip(stepped(other, inputs), stepped(model, inputs), strict=True):
        assert kept.keys() == recomputed.keys()
        for name, value in kept.items():
            torch.testing.assert_close(recomputed[name], value, atol=0, rtol=0, msg=name)
    norm = model.image_decoder.blocks[0].conv1[1]
    assert (norm.momentum, int(norm.num_batches_tracked)) == (0.1, 1)


def test_fewer_activations_are_kept(model, inputs):
    def saved(one):
        kept = {}

        def pack(tensor):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        patches = inputs[0].local.requires_grad_()
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            out = one.decode_image(patches, patches), one.decode_report(patches)
        del out
        return sum(kept.values())

    assert saved(model) < saved(plain(model)) / 2


def test_inference_does_not_checkpoint(model, inputs, monkeypatch):
    monkeypatch.setattr("prior_bench.prior.checkpointing.checkpoint", None)
    with torch.no_grad():
        assert all(value.isfinite() for value in model.eval().terms(*inputs).values())
