"""MGCA at the scale of its paper, with ResNet-50: ClinicalBERT on MIMIC-CXR.

torchrun --nproc_per_node 2 -m prior_bench pretrain mgca_r50_mimic

Values of the released configuration (Wang et al., NeurIPS 2022). Comments mark the differences.
"""

method = dict(
    type="mgca",
    image_encoder=dict(
        model_name="resnet50.tv_in1k",
        pretrained=True,  # ImageNet; without network: the path of a weights file
        in_channels=3,
        input=dict(size=224, mean=0.5, std=0.5, resize="pad"),
    ),
    text_encoder=dict(
        name="emilyalsentzer/Bio_ClinicalBERT",  # without network: a local folder
        max_tokens=112,  # the released code keeps 6 of 12 layers: num_hidden_layers=6
    ),
    embed_dim=128,
    hidden_dim=2048,
    upsample=299,  # as in GLoRIA's ResNet-50: 19 x 19 patches
    temperature=0.07,
    local_temperature=0.1,
    prototypes=500,
    prototype_temperature=0.2,
    epsilon=0.05,
)
data = dict(
    dataset="mimic_cxr",
    splits=("train",),
    text="report",
    min_words=3,
    min_sentence_words=2,
    transform=dict(Resize=dict(size=256), RandomCrop=dict(size=224)),
)
batch_size = 144  # 72 on each of two GPUs
optimizer = dict(type="AdamW", lr=2e-5, weight_decay=0.05)
# The paper stops early, within 50 epochs. We use a fixed schedule.
schedule = dict(epochs=50, warmup_epochs=20)
hooks = (dict(type="baselines.mgca.schedule.FreezePrototypes", epochs=1),)
