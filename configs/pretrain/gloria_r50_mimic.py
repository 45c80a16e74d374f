"""GLoRIA at the scale of its paper: ResNet-50 and ClinicalBERT, here on MIMIC-CXR.

torchrun --nproc_per_node 1 -m prior_bench pretrain gloria_r50_mimic

Values of the released configuration (Huang et al., ICCV 2021). The paper trained on CheXpert's reports,
which are not public. Comments mark all other differences.
"""

method = dict(
    type="gloria",
    image_encoder=dict(
        model_name="resnet50.tv_in1k",
        pretrained=True,  # ImageNet; without network: the path of a weights file
        in_channels=3,
        input=dict(size=224, mean=0.5, std=0.5, resize="pad"),
    ),
    text_encoder=dict(
        name="emilyalsentzer/Bio_ClinicalBERT",  # without network: a local folder
        max_tokens=97,
        last_layers=4,
    ),
    upsample=299,  # 19 x 19 regions
    temp1=4.0,
    temp2=5.0,
    temp3=10.0,
    chunk=16,  # our value: less memory, same result
)
data = dict(
    dataset="mimic_cxr",
    splits=("train",),
    text="random_sentence",
    min_sentence_words=2,
    transform=dict(Resize=dict(size=256), RandomCrop=dict(size=224)),
)
batch_size = 48
optimizer = dict(type="Adam", lr=5e-5, weight_decay=1e-6, betas=(0.5, 0.999))
# The paper halves the rate on a plateau and stops early, within 50 epochs. We use a fixed schedule.
schedule = dict(epochs=50, warmup_epochs=0)
clip_grad = 0.25
