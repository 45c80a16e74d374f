import torch

from prior_bench.encoders.image import ImageEncoder
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.model import build_method

CORPUS = [("The heart is enlarged.", "No effusion."), ("Mild edema.",)]


def test_the_image_encoder_of_a_config_takes_a_weights_file(values, tmp_path):
    arguments = values["method"]["image_encoder"]
    plain = build_method(from_dict(values), CORPUS, seed=3)
    weights = ImageEncoder(**arguments).model.state_dict()
    torch.save(weights, tmp_path / "w.pth")
    values["method"]["image_encoder"] = {**arguments, "pretrained": str(tmp_path / "w.pth")}
    config = from_dict(values)
    method = build_method(config, CORPUS, seed=3)
    assert torch.equal(method.image_encoder.model.conv1.weight, weights["conv1.weight"])
    assert config.method["image_encoder"]["pretrained"] == str(tmp_path / "w.pth")
    assert "pretrained" not in method.image_encoder.arguments
    for name, tensor in plain.text_encoder.state_dict().items():
        assert torch.equal(tensor, method.text_encoder.state_dict()[name]), name
