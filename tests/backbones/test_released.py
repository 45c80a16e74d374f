"""Released files as backbones: with and without a tokenizer, the same numbers as by hand."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from released_files import LAYOUTS, WITH_TEXT, light, real, write, write_vocabulary

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.convert import convert
from prior_bench.backbones.export import export
from prior_bench.checkpoints.vocabulary import read_tokenizer, tokenizer_of
from prior_bench.errors import BenchError
from prior_bench.suites.leakage import exposure_of

TEXTS = [("The heart is enlarged.", "No pleural effusion."), ("Lungs are clear.",)]


@pytest.fixture
def offline(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def resnet50(tensors, beginning, channels=3):
    """torchvision's network with a file's tensors; returns its maps after layers 3 and 4."""
    network = torchvision.models.resnet50()
    network.conv1 = torch.nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    state = {k.removeprefix(beginning): t for k, t in tensors.items() if k.startswith(beginning)}
    missing = network.load_state_dict(state, strict=False)
    assert set(missing.missing_keys) == {"fc.weight", "fc.bias"} and not missing.unexpected_keys
    network.eval()

    def maps(images):
        x = network.maxpool(network.relu(network.bn1(network.conv1(images))))
        third = network.layer3(network.layer2(network.layer1(x)))
        return third, network.layer4(third)

    return maps


def bert(tensors, beginning, layers, zero_types=False):
    """transformers' BERT with a file's tensors."""
    from transformers import BertConfig, BertModel

    model = BertModel(BertConfig(vocab_size=28996, num_hidden_layers=layers), add_pooling_layer=False)
    state = {k.removeprefix(beginning): t for k, t in tensors.items() if k.startswith(beginning)}
    state = {k: t for k, t in state.items() if "crossattention" not in k and "pooler" not in k}
    state.pop("embeddings.position_ids")
    if zero_types:
        state["embeddings.token_type_embeddings.weight"] = torch.zeros(2, 768)
    model.load_state_dict(state)
    return model.eval()


def batch_norm_head(tensors, beginning, vectors):
    """MGCA's global head by hand."""
    get = {k.removeprefix(f"{beginning}.head."): t for k, t in tensors.items() if k.startswith(beginning)}
    x = F.linear(vectors, get["0.weight"], get["0.bias"])
    x = F.batch_norm(x, get["1.running_mean"], get["1.running_var"], get["1.weight"], get["1.bias"])
    x = F.linear(F.relu(x), get["3.weight"], get["3.bias"])
    return F.batch_norm(x, get["4.running_mean"], get["4.running_var"])


def loaded(tmp_path, name):
    tensors = real(name)
    path = write(tmp_path, name, tensors)
    tokenizer = str(write_vocabulary(tmp_path)) if name in WITH_TEXT else None
    source = CheckpointFile("row", str(path), tokenizer=tokenizer)
    source.check()
    backbone = source.load(0, LoadContext())
    assert source.has_text == (name in WITH_TEXT) == (backbone.method is not None)
    return tensors, backbone


def images(channels=3):
    return torch.rand(2, channels, 224, 224, generator=torch.Generator().manual_seed(1)) - 0.5


def enlarged(x):
    return F.interpolate(x, size=(299, 299), mode="bilinear", align_corners=True)


def close(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))


def pooled_by_hand(tensors, beginning, maps):
    """CLIP's attention pool with 8 heads through torch's own multi-head attention."""
    get = {k.removeprefix(beginning): t for k, t in tensors.items() if k.startswith(beginning)}
    tokens = maps.flatten(2).permute(2, 0, 1)
    tokens = torch.cat([tokens.mean(0, keepdim=True), tokens]) + get["positional_embedding"][:, None]
    x, _ = F.multi_head_attention_forward(
        query=tokens[:1],
        key=tokens,
        value=tokens,
        embed_dim_to_check=2048,
        num_heads=8,
        q_proj_weight=get["q_proj.weight"],
        k_proj_weight=get["k_proj.weight"],
        v_proj_weight=get["v_proj.weight"],
        in_proj_weight=None,
        in_proj_bias=torch.cat([get["q_proj.bias"], get["k_proj.bias"], get["v_proj.bias"]]),
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0,
        out_proj_weight=get["c_proj.weight"],
        out_proj_bias=get["c_proj.bias"],
        use_separate_proj_weight=True,
        training=False,
        need_weights=False,
    )
    return x[0]


@torch.no_grad()
def test_prior_image_encoder(tmp_path):
    tensors, backbone = loaded(tmp_path, "prior_image_encoder_only")
    _, last = resnet50(tensors, "encoder.", channels=1)(images(1))
    found = backbone.image_encoder(images(1))
    close(found.global_, pooled_by_hand(tensors, "atten_pool.", last))
    close(found.local, last.flatten(2).mT)
    assert (backbone.input.mean, backbone.input.std, backbone.input.resize) == (0.4755, 0.3011, "squash")
    assert backbone.provenance["layout"] == "PRIOR, image encoder" and backbone.provenance["share"] == 1


@pytest.mark.slow
@torch.no_grad()
def test_prior(tmp_path):
    tensors, backbone = loaded(tmp_path, "prior")
    method = backbone.method
    _, last = resnet50(tensors, "image_encoder.encoder.", channels=1)(images(1))
    pooled = pooled_by_hand(tensors, "image_encoder.atten_pool.", last)
    get = tensors.__getitem__
    wanted = F.linear(pooled, get("global_image_projection.weight"), get("global_image_projection.bias"))
    found = method.encode_image(images(1))
    close(found.global_, wanted)
    scrambled = last.reshape(2, 49, 2048)  # as released: the map read in memory order
    close(
        found.local,
        F.linear(scrambled, get("local_image_projection.weight"), get("local_image_projection.bias")),
    )
    text = method.text_encoder.tokenizer(TEXTS)
    hidden = bert(tensors, "text_encoder.encoder.", 12)(text.input_ids, text.attention_mask).last_hidden_state
    close(method.text_encoder(text).tokens[1, :5], hidden[1, :5])
    assert method.stage == 3 and method.variant.raw_logit_scale
    scores = method.similarity(found, method.encode_text(text))
    assert scores.shape == (2, 2) and torch.isfinite(scores).all()


@pytest.mark.slow
@torch.no_grad()
def test_gloria(tmp_path):
    tensors, backbone = loaded(tmp_path, "gloria_resnet50")
    method, beginning = backbone.method, "gloria.img_encoder."
    third, last = resnet50(tensors, f"{beginning}model.")(enlarged(images()))
    found = method.encode_image(images())
    vector = last.mean((2, 3))
    weight, bias = (tensors[f"{beginning}global_embedder.{which}"] for which in ("weight", "bias"))
    close(found.global_, F.linear(vector, weight, bias))
    close(found.local, F.conv2d(third, tensors[f"{beginning}local_embedder.weight"]).flatten(2).mT)
    text = method.text_encoder.tokenizer(TEXTS)
    states = bert(tensors, "gloria.text_encoder.model.", 12)(
        text.input_ids, text.attention_mask, output_hidden_states=True
    ).hidden_states
    close(method.text_encoder(text).tokens[1, :5], sum(states[-4:])[1, :5])
    assert torch.isfinite(method.similarity(found, method.encode_text(text))).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mgca_resnet50", "convirt_mgca_resnet50"])
@torch.no_grad()
def test_mgca_and_its_convirt(tmp_path, name):
    tensors, backbone = loaded(tmp_path, name)
    method, tail = backbone.method, "_q" if name.startswith("mgca") else ""
    _, last = resnet50(tensors, f"img_encoder{tail}.model.")(enlarged(images()))
    image = batch_norm_head(tensors, f"img_encoder{tail}.global_embed", last.mean((2, 3)))
    text = method.text_encoder.tokenizer(TEXTS)
    states = bert(tensors, f"text_encoder{tail}.model.", 6, zero_types=True)(
        text.input_ids, text.attention_mask
    )
    report = batch_norm_head(tensors, f"text_encoder{tail}.global_embed", states.last_hidden_state[:, 0])
    found = method.similarity(method.encode_image(images()), method.encode_text(text))
    close(found, F.normalize(image, dim=-1) @ F.normalize(report, dim=-1).T)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mgca_vit_base", "convirt_mgca_vit_base"])
@torch.no_grad()
def test_vits(tmp_path, name):
    import timm

    tensors, backbone = loaded(tmp_path, name)
    tail = "_q" if name.startswith("mgca") else ""
    vit, beginning = (
        timm.create_model("vit_base_patch16_224", num_classes=0).eval(),
        f"img_encoder{tail}.model.",
    )
    vit.load_state_dict({k.removeprefix(beginning): t for k, t in tensors.items() if k.startswith(beginning)})
    image = batch_norm_head(tensors, f"img_encoder{tail}.global_embed", vit.forward_features(images())[:, 0])
    found = backbone.method.encode_image(images()).global_
    close(F.normalize(found, dim=-1), F.normalize(image, dim=-1))


@pytest.mark.slow
@torch.no_grad()
def test_convirt_of_edreis(tmp_path):
    tensors, backbone = loaded(tmp_path, "convirt_thirdparty_edreis")
    method = backbone.method
    indices = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
    named = {}
    for key, tensor in tensors.items():
        if key.startswith("res_features."):
            _, index, rest = key.split(".", 2)
            named[f"{indices[index]}.{rest}"] = tensor
    _, last = resnet50(named, "")(images())

    def mlp(x, which):
        first, second = (tensors[f"{which}_l{i}.weight"] for i in (1, 2))
        x = F.relu(F.linear(x, first, tensors[f"{which}_l1.bias"]))
        return F.linear(x, second, tensors[f"{which}_l2.bias"])

    text = method.text_encoder.tokenizer(TEXTS)
    hidden = bert(tensors, "bert_model.", 12)(text.input_ids, text.attention_mask).last_hidden_state
    mask = text.attention_mask[..., None]
    close(method.encode_image(images()).global_, mlp(last.mean((2, 3)), "res"))
    close(method.encode_text(text).global_, mlp((hidden * mask).sum(1) / mask.sum(1), "bert"))


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_loads_whole(tmp_path, name):
    path, vocabulary = write(tmp_path, name, light(name)), write_vocabulary(tmp_path)
    source = CheckpointFile("row", str(path), tokenizer=str(vocabulary) if name in WITH_TEXT else None)
    backbone = source.load(0, LoadContext())
    module = backbone.method if backbone.method is not None else backbone.image_encoder
    beginning = "" if backbone.method is not None else "image_encoder."
    state, tensors = module.state_dict(), light(name)
    for ours, theirs in source._match.mapping.items():
        assert state[ours.removeprefix(beginning)].flatten()[-1] == tensors[theirs].flatten()[-1], ours
    for ours, value, _ in source._match.layout.supplied:
        assert value is None or (state[ours] == value).all()


def test_image_tasks_need_no_tokenizer(tmp_path, offline):
    path = write(tmp_path, "gloria_resnet50", light("gloria_resnet50"))
    source = CheckpointFile("row", str(path))
    source.check()
    backbone = source.load(0, LoadContext())
    assert backbone.method is None and backbone.provenance["text"] == source.text_problem
    want = light("gloria_resnet50")["gloria.img_encoder.model.layer4.2.conv3.weight"]
    assert torch.equal(backbone.image_encoder.model.layer4[2].conv3.weight, want)
    assert backbone.image_encoder.local_dim == 1024  # the third layer, as the method has it


def test_tokenizers(tmp_path, offline):
    path = write(tmp_path, "gloria_resnet50", light("gloria_resnet50"))
    (tmp_path / "small").mkdir()
    small = write_vocabulary(tmp_path / "small", 500)
    with pytest.raises(BenchError, match=r"500 tokens, the word embedding of GLoRIA, ResNet-50 has 28996"):
        CheckpointFile("row", str(path), tokenizer=str(small)).check()
    with pytest.raises(BenchError, match="nowhere: no such tokenizer"):
        CheckpointFile("row", str(path), tokenizer="nowhere").check()
    good = write_vocabulary(tmp_path)
    with pytest.raises(BenchError, match="hub: contains no tokenizer\n  fix: give a tokenizer.json"):
        (tmp_path / "hub").mkdir(exist_ok=True)
        tokenizer_of(CheckpointFile("row", str(path))._match.layout, tmp_path / "hub")
    source = CheckpointFile("row", str(path), tokenizer=str(good))
    source.check()
    assert source.has_text and source.text_problem == ""
    from_file, from_folder = source._tokenizer, tokenizer_of(source._match.layout, tmp_path)
    assert from_file.to_json() == from_folder.to_json() and from_file.max_tokens == 97
    assert from_file.tokens(from_file(TEXTS[1:]).input_ids[0]) == "[CLS] lungs are clear . [SEP]".split()
    assert source.identity(0) != CheckpointFile("row", str(path)).identity(0)
    with pytest.raises(
        BenchError, match="text encoder needs the tokenizer of emilyalsentzer.*\n  fix: give it"
    ):
        tokenizer_of(source._match.layout)
    image_only = write(tmp_path, "prior_image_encoder_only", light("prior_image_encoder_only"))
    with pytest.raises(BenchError, match="has no text encoder for this tokenizer"):
        CheckpointFile("row", str(image_only), tokenizer=str(good)).check()


def test_an_odd_character_in_a_vocabulary_is_no_new_line(tmp_path):
    words = [*"[PAD] [UNK] [CLS] [SEP] [MASK]".split(), "a\u2028b", "\x85", "clear"]
    (path := tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    tokenizer = read_tokenizer(path, 10)
    assert tokenizer.vocab_size == len(words)
    assert tokenizer([("Clear",)]).input_ids.tolist() == [[2, 7, 3]]


def test_exposure_stays_known(tmp_path):
    name = "prior_image_encoder_only"
    path, out = write(tmp_path, name, light(name)), tmp_path / "ours.safetensors"
    convert(path, out)
    sources = [CheckpointFile("row", str(path)), CheckpointFile("row", str(out))]
    sources.append(CheckpointFile("row", str(path), image_encoder="resnet50"))
    export(sources[0].load(0, LoadContext()), tmp_path / "out", exposure_of(sources[0]))
    sources.append(CheckpointFile("row", str(tmp_path / "out/image_encoder")))
    assert [[name for name, _ in source.known_exposure()] for source in sources] == [["mimic_cxr"]] * 4


def test_convert_overwrites_nothing(tmp_path):
    name = "prior_image_encoder_only"
    path, out = write(tmp_path, name, light(name)), tmp_path / "precious.safetensors"
    out.write_text("x")
    with pytest.raises(BenchError, match="precious.safetensors: already exists"):
        convert(path, out)
    assert out.read_text() == "x"


def test_input_can_be_changed(tmp_path):
    path = write(tmp_path, "prior_image_encoder_only", light("prior_image_encoder_only"))
    zero_shot = CheckpointFile("row", str(path), input=dict(mean=0.50627, std=0.28947))
    zero_shot.check()
    assert zero_shot.load(0, LoadContext()).input.mean == 0.50627
    assert zero_shot.identity(0) != CheckpointFile("row", str(path)).identity(0)
    with pytest.raises(BenchError, match="unknown field 'maen'.*\n.*did you mean mean"):
        CheckpointFile("row", str(path), input=dict(maen=0.5)).check()
