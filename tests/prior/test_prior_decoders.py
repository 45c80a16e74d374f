import torch
import torch.nn.functional as F
from transformers import BertConfig, BertModel

from prior_bench.prior.decoders import ImageDecoder, ReportDecoder

QUERIES, PATCHES, DIM = 5, 9, 16


def decoder(**changes):
    torch.manual_seed(0)
    made = ReportDecoder(DIM, layers=2, heads=4, hidden=32, positions=8, **changes).eval()
    with torch.no_grad():
        for parameter in made.parameters():  # so that biases and LayerNorms matter
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


def inputs():
    torch.manual_seed(1)
    return torch.randn(3, QUERIES, DIM), torch.randn(3, PATCHES, DIM)


def bert(made):
    """transformers' BERT decoder with the same weights."""
    config = BertConfig(
        vocab_size=3,
        hidden_size=DIM,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=8,
        is_decoder=True,
        add_cross_attention=True,
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    wrong = model.load_state_dict(made.state_dict(), strict=False)
    assert not wrong.unexpected_keys
    assert [key for key in wrong.missing_keys if "position_ids" not in key] == [
        "embeddings.word_embeddings.weight"
    ]
    return model


def test_weights_and_result_are_those_of_a_bert_decoder():
    made = decoder(causal=True)
    queries, patches = inputs()
    expected = bert(made)(inputs_embeds=queries, encoder_hidden_states=patches).last_hidden_state
    torch.testing.assert_close(made(queries, patches), expected, atol=1e-5, rtol=1e-5)


def test_only_the_causal_decoder_is_blind_to_later_queries():
    queries, patches = inputs()
    changed = queries.clone()
    changed[:, -1] = torch.randn(3, DIM)
    for causal in (True, False):
        made = decoder(causal=causal)
        same = torch.allclose(made(queries, patches)[:, 0], made(changed, patches)[:, 0], atol=1e-6)
        assert same == causal


def test_full_decoder_treats_queries_as_a_set_without_positions():
    made = decoder()
    with torch.no_grad():
        made.embeddings["position_embeddings"].weight.zero_()
    queries, patches = inputs()
    order = torch.randperm(QUERIES)
    torch.testing.assert_close(made(queries[:, order], patches), made(queries, patches)[:, order])


def test_dropout_acts_in_training_only():
    made = decoder(dropout=0.5)
    queries, patches = inputs()
    assert torch.equal(made(queries, patches), made(queries, patches))
    made.train()
    assert not torch.equal(made(queries, patches), made(queries, patches))


def test_image_decoder_doubles_the_side_with_every_block():
    made = ImageDecoder(32, blocks=3)
    assert made(torch.randn(2, 32, 3, 3)).shape == (2, 1, 24, 24)
    sized = ImageDecoder(32, blocks=2, sizes=(5, 9))
    assert sized(torch.randn(2, 32, 3, 3)).shape == (2, 1, 9, 9)


def test_image_decoder_equals_its_layers_one_by_one():
    torch.manual_seed(0)
    made = ImageDecoder(8, blocks=1).train()
    x = torch.randn(2, 8, 3, 3)
    y = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    for conv in (made.blocks[0].conv1, made.blocks[0].conv2):
        y = F.conv2d(y, conv[0].weight, padding=1)
        y = (y - y.mean((0, 2, 3), keepdim=True)) / (y.var((0, 2, 3), False, keepdim=True) + 1e-5).sqrt()
        y = y.relu()
    y = F.conv2d(y, made.output_head[0].weight, made.output_head[0].bias, padding=1)
    torch.testing.assert_close(made(x), y, atol=1e-5, rtol=1e-4)
