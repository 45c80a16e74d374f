from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from prior_bench.api import InputSpec
from prior_bench.data.images.decode import reduced
from prior_bench.data.images.transforms import train_transform
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError
from prior_bench.pretraining.batching import Collate, LengthGroupedBatches
from prior_bench.pretraining.dataset import PairDataset, read_pairs


@pytest.fixture
def pairs(config):
    return read_pairs(config.data)


def dataset(pairs, text="report", **options):
    transform = train_transform(InputSpec(size=32, channels=1), dict(RandomAffine=dict(degrees=20)))
    return PairDataset(pairs, transform, text, seed=7, **options)


def test_pairs_are_studies(pairs):
    assert len(pairs.pairs) == 20
    assert [len(pair.images) for pair in pairs.pairs[:4]] == [1, 2, 1, 2]
    assert [len(pair.report) for pair in pairs.pairs[:5]] == [1, 2, 3, 4, 1]
    assert pairs.corpus()[0] == ("Small left pleural effusion in study number 0.",)


def test_short_reports_and_sentences_are_left_out(config):
    assert len(read_pairs(replace(config.data, min_sentences=3)).pairs) == 10
    longest = read_pairs(
        replace(config.data, min_sentence_words=8)
    )  # "Small left pleural effusion in study…"
    assert {s.split(" in ")[0] for pair in longest.pairs for s in pair.report} == {
        "Small left pleural effusion",
        "The heart is enlarged",
        "Right lower lobe consolidation",
    }
    with pytest.raises(BenchError, match=r"long enough[\s\S]*min_words"):
        read_pairs(replace(config.data, min_words=1000))


def test_text_modes(pairs):
    report = pairs.pairs[3].report
    assert dataset(pairs).draw_text(0, 3) == report
    shuffled = [dataset(pairs, "shuffled_sentences").draw_text(epoch, 3) for epoch in range(8)]
    assert all(sorted(text) == sorted(report) for text in shuffled) and len(set(shuffled)) > 2
    single = [dataset(pairs, "random_sentence").draw_text(epoch, 3) for epoch in range(30)]
    assert {text for (text,) in single} == set(report)


def test_what_is_drawn_depends_on_seed_epoch_and_index_alone(pairs):
    one, two = dataset(pairs, "random_sentence"), dataset(pairs, "random_sentence")
    one[(0, 1)], one[(0, 2)]  # other draws in between
    before = torch.get_rng_state()
    image, text = one[(4, 3)]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    again, same_text = two[(4, 3)]
    assert torch.equal(image, again) and text == same_text
    assert not torch.equal(image, two[(5, 3)][0])


def test_workers_do_not_change_batches(pairs):
    def load(workers):
        data = dataset(pairs, "shuffled_sentences")
        tokenizer = ReportTokenizer.train(pairs.corpus(), 150, 32)
        sampler = LengthGroupedBatches(data, 6, seed=1)
        return list(
            DataLoader(data, batch_sampler=sampler, collate_fn=Collate(tokenizer), num_workers=workers)
        )

    for alone, helped in zip(load(0), load(2), strict=True):
        assert torch.equal(alone.images, helped.images)
        assert all(torch.equal(a, b) for a, b in zip(alone.text, helped.text, strict=True))
        assert alone.text.attention_mask.any(0).all()  # no column is padding throughout


def test_cache_holds_reduced_images_and_changes_nothing_at_full_size(pairs):
    kept = dataset(pairs, cache_size=40)
    assert len(kept._cache) == 30
    assert torch.equal(kept[(1, 3)][0], dataset(pairs)[(1, 3)][0])
    assert reduced(np.zeros((400, 100), np.uint8), 40).shape == (40, 10)


def test_a_data_set_without_reports_is_refused(config, small_data, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(f"image,ill\n{small_data.parent / '0_0.png'},1\n{small_data.parent / '1_0.png'},0\n")
    with pytest.raises(BenchError, match="no reports"):
        read_pairs(replace(config.data, dataset=str(table)))
