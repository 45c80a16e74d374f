"""GLoRIA's and MGCA's optional ``attention``: each word over the regions of its own image."""

import pytest
import torch
from tiny_methods import VIT, batch, build

from baselines.gloria.losses import attend
from baselines.mgca.losses import token_logits


@pytest.fixture(
    params=[("gloria", {}), ("mgca", {}), ("mgca", {"variant": "released"}), ("mgca", {"image": VIT})],
    ids=str,
)
def pair(request):
    kind, arguments = request.param
    method, data = build(kind, **arguments).eval(), batch()
    with torch.no_grad():
        yield method, method.encode_image(data.images), method.encode_text(data.text)


def test_every_word_spreads_one_whole_over_a_square_of_regions(pair):
    method, image, text = pair
    attention = method.attention(image, text)
    assert method.attention_over == "words"
    assert attention.shape == (*text.local.shape[:2], image.local.shape[1])
    torch.testing.assert_close(attention.sum(-1)[text.mask], torch.ones(int(text.mask.sum())))


def test_a_pair_does_not_depend_on_the_others(pair):
    method, image, text = pair
    alone = method.attention(*(type(f)(*(x if x is None else x[2:3] for x in f)) for f in (image, text)))
    torch.testing.assert_close(alone[0], method.attention(image, text)[2], rtol=1e-4, atol=1e-6)


def test_glorias_is_that_of_its_local_score():
    method, data = build("gloria").eval(), batch()
    with torch.no_grad():
        image, text = method.encode_image(data.images), method.encode_text(data.text)
        every = attend(image.local, text.local, text.mask, method.temp1)
        attention = method.attention(image, text)
    own = torch.stack([every[i, i] for i in range(len(every))])
    torch.testing.assert_close(attention[text.mask], own[text.mask])


@pytest.mark.parametrize("plain", [True, False])
def test_mgcas_is_that_of_its_token_loss(plain):
    method, data = build("mgca", variant=dict(plain_attention=plain)).eval(), batch()
    with torch.no_grad():
        image, text = method.encode_image(data.images), method.encode_text(data.text)
        attention, looks = method.attention(image, text), method.word_looks
        if plain:
            gathered = attention @ image.local / method.local_temperature
            wanted = token_logits(text.local, image.local, None, method.local_temperature, normalise=False)
            torch.testing.assert_close(text.local @ gathered.mT, wanted)
        else:
            values = image.local @ looks.in_proj_weight[-8:].T + looks.in_proj_bias[-8:]
            gathered = looks.out_proj(attention @ values)
            torch.testing.assert_close(gathered, looks(text.local, image.local, image.local)[0])
