"""ConVIRT on a few hundred to a few thousand image-report pairs of your own, on one GPU.

prior-bench pretrain convirt_small

It reads pairs.csv in this folder; --data FILE.csv names another file (docs/own_pairs.md). Both encoders start
from weights that are downloaded once: resnet50.tv_in1k (timm, 98 MB) and Bio_ClinicalBERT (436 MB). Without
network, name local ones, or start the image encoder at random:

--set method.image_encoder.pretrained=resnet50.pth --set method.text_encoder.name=Bio_ClinicalBERT
--set method.image_encoder.pretrained=false

A size that needs neither a GPU nor a download is convirt_laptop.
"""

method = dict(
    type="convirt",
    image_encoder=dict(
        model_name="resnet50.tv_in1k",
        pretrained=True,  # so few images do not train a ResNet-50 from nothing
        in_channels=3,
        input=dict(size=224, mean=0.5, std=0.25, resize="pad"),
    ),
    text_encoder=dict(
        name="emilyalsentzer/Bio_ClinicalBERT",
        max_tokens=256,
        pool="max",
        # ConVIRT freezes six of twelve layers on 217,000 pairs; fewer pairs can teach fewer layers. Dropout
        # is BERT's own, 0.1.
        frozen_layers=9,
    ),
    embed_dim=512,
)
data = dict(
    dataset="pairs.csv",
    splits=("train",),
    # One sentence, as in the paper, wastes what little text there is; the whole report, always the same, is
    # learnt by heart. Any part of it comes close to the prompts of zero-shot and the reports of retrieval.
    text="random_sentences",
    transform=dict(  # no flip: reports say left and right
        RandomResizedCrop=dict(scale=(0.7, 1.0)),
        RandomAffine=dict(degrees=10, translate=(0.05, 0.05), scale=(0.95, 1.05)),
        ColorJitter=dict(brightness=(0.7, 1.3), contrast=(0.7, 1.3)),
    ),
    cache="memory",  # about 80 kB an image
)
# The paper's batch. A larger one has more negatives, but also fewer updates.
batch_size = 32
optimizer = dict(
    type="AdamW",
    lr=1e-4,  # the paper's
    weight_decay=0.05,  # MGCA's; the paper's 1e-6 does not hold back so large a model on so few pairs
    lr_scale=dict(text_encoder=0.2),  # 2e-5, as BERT is usually fine-tuned
)
# 3,100 updates with 1,000 training pairs. With 200, take 400 epochs; with 3,000, 40: the aim is two to five
# thousand updates, whose number is printed when training starts.
schedule = dict(epochs=100, warmup_epochs=5)
clip_grad = 1.0
