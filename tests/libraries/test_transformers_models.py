"""Models of transformers give the features, texts and scores that transformers gives."""

import json

import pytest
import small_transformers as small
import torch
from grad_cam_by_hand import grad_cam_of

from prior_bench.backbones.hf import TransformersModel
from prior_bench.errors import BenchError
from prior_bench.explain.grad_cam import grad_cam

TEXTS = ["no pneumothorax .", "the heart is normal . mild edema ."]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root, made = tmp_path_factory.mktemp("transformers"), {}

    def get(kind):
        if kind not in made:
            model = small.save(kind, root / kind)
            made[kind] = (model, TransformersModel(kind, str(root / kind)))
        return made[kind]

    return get


def pixels(size, count=3):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def expected_tokens(kind, model, images, size):
    """The last tokens and the pooled vector, by transformers itself."""
    resized = {} if size == 32 or kind.startswith("dinov2") else {"interpolate_pos_encoding": True}
    if kind == "vit_mae":
        model.config.mask_ratio = model.embeddings.config.mask_ratio = 0.0
        count = (size // 8) ** 2
        resized["noise"] = torch.arange(count).float().expand(len(images), -1)
    return model(images, **resized).last_hidden_state


@pytest.mark.parametrize("size", [32, 48])
@pytest.mark.parametrize("kind", ["vit", "vit_12_heads", "vit_mae", "dinov2", "dinov2_registers"])
def test_vit_features(models, kind, size, context):
    model, source = models(kind)
    backbone, images = source.load(0, context), pixels(size)
    with torch.no_grad():
        tokens = expected_tokens(kind, model, images, size)
        found = backbone.image_encoder(images)
    count = (size // 8) ** 2
    assert torch.allclose(found.global_, tokens[:, 0], atol=1e-4)
    assert torch.allclose(found.local, tokens[:, -count:], atol=1e-4)
    assert backbone.image_encoder.stage_strides == (8, 8, 8, 8)
    maps = backbone.image_encoder.feature_maps(images, (0, 3))
    assert torch.allclose(maps[0].flatten(2).transpose(1, 2), tokens[:, -count:], atol=1e-4)


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("kind", ["swin", "convnext", "resnet"])
def test_hierarchical_features_and_maps(models, kind, size, context):
    model, source = models(kind)
    encoder, images = source.load(0, context).image_encoder, pixels(size)
    with torch.no_grad():
        output = model(images, output_hidden_states=True)
        found = encoder(images)
        maps = encoder.feature_maps(images, tuple(range(len(encoder.stage_strides))))
    assert torch.allclose(found.global_, output.pooler_output.flatten(1), atol=1e-4)
    if kind == "swin":
        assert encoder.stage_strides == (2, 4, 8)
        last = output.reshaped_hidden_states[-1]  # the other ones are those after the merging of patches
        assert [tuple(m.shape[1:]) for m in maps] == [
            (8 * 2**i, size // 2 ** (i + 1), size // 2 ** (i + 1)) for i in range(3)
        ]
        merged = model.encoder.layers[0].downsample(maps[0].flatten(2).transpose(1, 2), (size // 2,) * 2)
        assert torch.allclose(merged, output.hidden_states[1], atol=1e-4)
    else:
        assert encoder.stage_strides == (4, 8, 16, 32)
        for one, stage in zip(maps, output.hidden_states[-4:], strict=True):
            assert torch.allclose(one, stage, atol=1e-4)
        last = output.hidden_states[-1]
    assert torch.allclose(maps[-1], last, atol=1e-4)


def library_scores(kind, model, folder, images):
    """Vectors and logits of transformers, with its own tokenizer and the padding that the model needs."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    length = {"padding": "max_length", "max_length": 12} if kind.startswith("siglip") else {"padding": True}
    words = dict(tokenizer(TEXTS, return_tensors="pt", truncation=True, **length))
    words.pop("token_type_ids", None)
    if kind.startswith("siglip"):
        words.pop("attention_mask", None)
    shown = {"pixel_values": images}
    if kind == "siglip2":
        side, rows = images.shape[-1] // 8, []
        for image in images:  # row by row, as transformers' processor lays them out
            rows.append(
                [
                    image[:, 8 * r : 8 * r + 8, 8 * c : 8 * c + 8].permute(1, 2, 0).flatten()
                    for r in range(side)
                    for c in range(side)
                ]
            )
        shown = {
            "pixel_values": torch.stack([torch.stack(row) for row in rows]),
            "pixel_attention_mask": torch.ones(len(images), side * side, dtype=torch.int64),
            "spatial_shapes": torch.full((len(images), 2), side),
        }
    elif images.shape[-1] != 32:
        shown["interpolate_pos_encoding"] = True
    if kind == "dual_encoder" and images.shape[-1] != 32:
        vision = model.visual_projection(model.vision_model(**shown).pooler_output)
        text = model.text_projection(model.text_model(**words).pooler_output)
        vision, text = vision / vision.norm(dim=-1, keepdim=True), text / text.norm(dim=-1, keepdim=True)
        return vision, text, vision @ text.T * model.logit_scale.exp()
    output = model(**shown, **words)
    return output.image_embeds, output.text_embeds, output.logits_per_image


@pytest.mark.parametrize("size", [32, 48])
@pytest.mark.parametrize("kind", small.TWO_TOWERS)
def test_two_towers(models, kind, size, context):
    model, source = models(kind)
    method, images = source.load(0, context).text_method, pixels(size)
    with torch.no_grad():
        vision, text, logits = library_scores(kind, model, source._model, images)
        image = method.encode_image(images)
        words = method.encode_text(
            method.text_encoder.tokenizer([("no pneumothorax .",), tuple(TEXTS[1].split(" m"))])
        )
        same = method.encode_text(method.text_encoder.tokenizer([(one,) for one in TEXTS]))
        scores = method.similarity(image, same)
    assert torch.allclose(image.global_, vision / vision.norm(dim=-1, keepdim=True), atol=1e-4)
    assert torch.allclose(same.global_, text / text.norm(dim=-1, keepdim=True), atol=1e-4)
    assert torch.allclose(scores, logits, atol=1e-4)
    assert torch.allclose(words.global_[0], same.global_[0], atol=1e-5)
    assert (scores[:, 0] - scores[:, 1]).abs().max() > 1e-3  # texts are told apart


@pytest.mark.parametrize("kind", small.TWO_TOWERS)
def test_grad_cam(models, kind, context):
    backbone, images = models(kind)[1].load(0, context), pixels(32)
    with torch.no_grad():
        maps = grad_cam(backbone, backbone.text_method.eval(), images, [TEXTS[:1], TEXTS[:1], TEXTS])
    for found, image, text in zip(maps, (0, 1, 2, 2), (TEXTS[0], TEXTS[0], *TEXTS), strict=True):
        expected = grad_cam_of(backbone.text_method, images[image], text)
        assert torch.allclose(torch.from_numpy(found), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_loss_is_the_library_s(models, kind, context):
    from prior_bench.api import PretrainBatch

    model, source = models(kind)
    method, images = source.load(0, context).text_method, pixels(32, 2)
    words = method.text_encoder.tokenizer([(one,) for one in TEXTS])
    mask = {} if kind == "siglip" else {"attention_mask": words.attention_mask}
    with torch.no_grad():
        expected = model(input_ids=words.input_ids, pixel_values=images, return_loss=True, **mask).loss
        found = method.loss(PretrainBatch(images, words))["loss_contrastive"]
        swapped = method.loss(PretrainBatch(images.flip(0), words))["loss_contrastive"]
    assert torch.allclose(found, expected, atol=1e-5)
    assert abs(swapped - found) > 1e-6


def test_a_long_text_is_truncated_as_the_library_truncates_it(models, context):
    model, source = models("clip")
    method = source.load(0, context).text_method
    batch = method.text_encoder.tokenizer([("mild edema .",) * 30])
    assert batch.input_ids.shape == (1, 20) and batch.input_ids[0, -1] == 0  # the end token is kept


@pytest.mark.parametrize("options", [dict(max_shard_size="10KB"), dict(safe_serialization=False)])
def test_shards_and_files_of_torch(tmp_path, models, options, context):
    model, source = models("vit")
    if "safe_serialization" in options:  # newer versions of transformers write safetensors only
        small.save("vit", tmp_path)
        (tmp_path / "model.safetensors").unlink()
        torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    else:
        small.save("vit", tmp_path, **options)
        assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    other = TransformersModel("copy", str(tmp_path))
    other.check()
    images = pixels(32)
    with torch.no_grad():
        found = other.load(0, context).image_encoder(images).global_
        assert torch.equal(found, source.load(0, context).image_encoder(images).global_)
    assert other.identity(0) != source.identity(0)


def test_the_input_is_that_of_the_processor(models, context):
    clip = models("clip")[1].load(0, context).input
    assert clip.to_dict() == dict(
        size=32,
        channels=3,
        mean=tuple(small.CLIP_STATISTICS["image_mean"]),
        std=tuple(small.CLIP_STATISTICS["image_std"]),
        resize="crop",
        interpolation="bicubic",
        resize_to=36,
    )
    assert models("siglip")[1].load(0, context).input.resize == "squash"


def test_pooling_and_input_can_be_changed(tmp_path, models, context):
    model, source = models("vit")
    changed = TransformersModel("mean", source._model, pool="mean", input=dict(size=48, mean=0.3))
    encoder = changed.load(0, context).image_encoder
    assert (encoder.input.size, encoder.input.mean) == (48, 0.3)
    with torch.no_grad():
        tokens = expected_tokens("vit", model, pixels(48), 48)
        assert torch.allclose(encoder(pixels(48)).global_, tokens[:, 1:].mean(1), atol=1e-4)
    assert changed.identity(0) != source.identity(0)


def edited(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


SPOILED = {
    "no config": (lambda f: (f / "config.json").unlink(), "config.json: is missing"),
    "heads that do not divide": (lambda f: edited(f, num_attention_heads=5), "misshapen .*attention"),
    "fewer layers than the file": (lambda f: edited(f, num_hidden_layers=1), "without counterpart"),
    "more layers than the file": (lambda f: edited(f, num_hidden_layers=3), "missing"),
    "another width": (lambda f: edited(f, intermediate_size=40), "misshapen|size|shape"),
    "an unknown type": (lambda f: edited(f, model_type="vitt"), "vitt"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "no weights"),
    "cut weights": (
        lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:5000]),
        "truncated|load",
    ),
    "no processor": (lambda f: (f / "preprocessor_config.json").unlink(), "--input size"),
    "a size that is no square": (
        lambda f: small.processor(f, "ViTImageProcessor", dict(height=32, width=48)),
        "no square",
    ),
}


@pytest.mark.parametrize("what", SPOILED)
def test_spoiled_folders_are_refused_by_name_before_any_work(tmp_path, what):
    small.save("vit", tmp_path)
    spoil, message = SPOILED[what]
    spoil(tmp_path)
    with pytest.raises(BenchError, match=message) as raised:
        TransformersModel("spoiled", str(tmp_path)).check()
    assert str(tmp_path) in str(raised.value)


def test_a_missing_shard_is_named(tmp_path):
    small.save("vit", tmp_path, max_shard_size="10KB")
    gone = sorted(tmp_path.glob("model-*.safetensors"))[1]
    gone.unlink()
    with pytest.raises(BenchError, match=f"1 of .* shards are missing: {gone.name}"):
        TransformersModel("spoiled", str(tmp_path)).check()


def test_a_nan_is_refused(tmp_path, context):
    model = small.save("vit", tmp_path)
    model.layernorm.weight.data[3] = float("nan")
    model.save_pretrained(tmp_path)
    with pytest.raises(BenchError, match="layernorm.weight contains NaN"):
        TransformersModel("spoiled", str(tmp_path)).load(0, context)


def test_without_tokenizer_only_the_image_tower_is_used(tmp_path, context):
    small.save("clip", tmp_path)
    for path in (*tmp_path.glob("tokenizer*"), *tmp_path.glob("special*")):
        path.unlink()
    source = TransformersModel("mute", str(tmp_path))
    source.check()
    assert not source.has_text and "--tokenizer" in source.text_problem
    assert source.load(0, context).method is None
    small.save("clip", tmp_path / "other")
    assert TransformersModel("loud", str(tmp_path), tokenizer=str(tmp_path / "other")).has_text


def test_a_tokenizer_of_another_model_is_refused(tmp_path):
    small.save("clip", tmp_path)
    edited_text = json.loads((tmp_path / "config.json").read_text())["text_config"]
    small.save("clip", tmp_path / "other")
    extended = json.loads((tmp_path / "other" / "tokenizer.json").read_text())
    extended["model"]["vocab"] |= {f"word{i}": 100 + i for i in range(edited_text["vocab_size"])}
    (tmp_path / "other" / "tokenizer.json").write_text(json.dumps(extended))
    with pytest.raises(BenchError, match="the tokenizer has .* tokens, the text encoder has"):
        TransformersModel("x", str(tmp_path), tokenizer=str(tmp_path / "other")).check()


def test_a_model_with_a_head_keeps_its_features(tmp_path, models, context):
    from transformers import ViTConfig, ViTForImageClassification

    model, source = models("vit")
    whole = ViTForImageClassification(ViTConfig(**small.VISION, patch_size=8, num_labels=3))
    whole.vit.load_state_dict({k: v for k, v in model.state_dict().items() if "pooler" not in k})
    small.save("vit", tmp_path)
    whole.save_pretrained(tmp_path)
    other = TransformersModel("head", str(tmp_path))
    other.check()
    with torch.no_grad():
        found = other.load(0, context).image_encoder(pixels(32)).global_
        assert torch.allclose(found, source.load(0, context).image_encoder(pixels(32)).global_, atol=1e-6)


def test_code_of_a_folder_is_not_run(tmp_path):
    small.save("vit", tmp_path)
    (tmp_path / "modeling_own.py").write_text("raise SystemExit('code of the folder was run')")
    edited(
        tmp_path, model_type="own", auto_map={"AutoConfig": "modeling_own.Own", "AutoModel": "modeling_own.M"}
    )
    with pytest.raises(BenchError, match="code of its own.*\n.*--remote-code"):
        TransformersModel("own", str(tmp_path)).check()
    with pytest.raises(BenchError, match="remote_code is 'another'"):
        TransformersModel("own", str(tmp_path), remote_code="another").check()


def test_a_text_encoder_alone_is_no_backbone(tmp_path):
    from transformers import BertConfig, BertModel

    BertModel(BertConfig(**small.TEXT, vocab_size=30)).save_pretrained(tmp_path)
    with pytest.raises(BenchError, match="'bert' has no image encoder"):
        TransformersModel("bert", str(tmp_path)).check()


def test_an_input_that_is_no_multiple_of_the_patch_is_refused(models):
    with pytest.raises(BenchError, match="50 pixels cannot be divided into patches of 8"):
        from prior_bench.api import LoadContext

        TransformersModel("odd", models("vit")[1]._model, input=dict(size=50)).load(0, LoadContext())
