"""ConVIRT at the scale of its paper: ResNet-50 and ClinicalBERT on MIMIC-CXR.

torchrun --nproc_per_node 1 -m prior_bench pretrain convirt_r50_mimic

Values of the paper (Zhang et al. 2020, arXiv 2010.00747, sec. 3 and appendix), as the LoVT repository
repeats them. A comment marks a value that neither source gives, and a schedule that we fixed in advance.
"""

method = dict(
    type="convirt",
    image_encoder=dict(
        model_name="resnet50.tv_in1k",
        pretrained=True,  # ImageNet; without network: the path of a weights file
        in_channels=3,
        input=dict(size=224, mean=0.5, std=0.25, resize="pad"),
    ),
    text_encoder=dict(
        name="emilyalsentzer/Bio_ClinicalBERT",  # without network: a local folder
        max_tokens=512,
        pool="max",
        frozen_layers=6,  # the embeddings are frozen too
    ),
    embed_dim=512,
    temperature=0.1,
    image_to_text_weight=0.75,
)
data = dict(
    dataset="mimic_cxr",
    splits=("train",),
    text="random_sentence",
    min_sentence_words=3,
    transform=dict(
        RandomResizedCrop=dict(scale=(0.6, 1.0)),
        RandomHorizontalFlip=dict(p=0.5),  # as published, although reports say left and right
        RandomAffine=dict(degrees=20, translate=(0.1, 0.1), scale=(0.95, 1.05)),
        ColorJitter=dict(brightness=(0.6, 1.4), contrast=(0.6, 1.4)),
        GaussianBlur=dict(kernel_size=23, sigma=(0.1, 3.0)),
    ),
)
batch_size = 32
optimizer = dict(type="Adam", lr=1e-4, weight_decay=1e-6)
# The paper halves the rate on a plateau and stops early, within 500 epochs. We use a fixed schedule.
schedule = dict(epochs=100, warmup_epochs=1)
clip_grad = 1.0  # our value
