"""A small GLoRIA with the papers' ResNet-50, pre-trained for three epochs on the sample benchmark.

prior-bench pretrain benchmarks/official/gloria_resnet50.py
"""

_base_ = "../../configs/pretrain/gloria_sample.py"

method = dict(
    variant="released",
    upsample=43,  # 299 in GLoRIA's code, from images of 224 pixels
    image_encoder=dict(
        _delete_=True,
        model_name="resnet50",
        in_channels=3,
        local_stage=-2,
        input=dict(size=32, channels=3, mean=0.5, std=0.5, resize="pad"),
    ),
    # the released scoring adds the last four layers
    text_encoder=dict(config=dict(num_hidden_layers=4), max_tokens=97),
)
schedule = dict(epochs=3, warmup_epochs=1)
