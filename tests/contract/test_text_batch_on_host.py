import torch

from prior_bench.api import TextBatch


def made():
    return TextBatch(*(torch.arange(6).reshape(2, 3) + i for i in range(4)))


def test_a_moved_batch_knows_the_tensors_that_it_came_from():
    text = made()
    moved = text.to("meta")
    assert isinstance(moved, TextBatch) and len(moved) == 4
    assert moved.input_ids.is_meta
    assert moved.on_host is text and moved.to("meta").on_host is text
    assert text.on_host is text


def test_what_is_cut_out_of_it_does_not():
    moved = made().to("cpu")
    part = moved._replace(sentence_index=moved.sentence_index * 2)
    assert part.on_host is part
    cut = TextBatch(*(tensor[:1] for tensor in moved))
    assert cut.on_host is cut
