"""PRIOR at the scale of its paper: ResNet-50 and ClinicalBERT on MIMIC-CXR, three stages.

torchrun --nproc_per_node 6 -m prior_bench pretrain prior_r50_mimic

Values of the released experiment configuration (Cheng et al., ICCV 2023). Comments mark the differences.
"""

method = dict(
    type="prior",
    image_encoder=dict(
        model_name="resnet50.tv_in1k",
        pretrained=True,  # ImageNet, input layer summed to one channel; without network: a weights file
        in_channels=1,
        pool="attention",
        # the released zero-shot evaluation uses other statistics: 0.50627 and 0.28947
        input=dict(size=224, mean=0.4755, std=0.3011, resize="squash"),
    ),
    text_encoder=dict(
        name="emilyalsentzer/Bio_ClinicalBERT",  # without network: a local folder
        max_tokens=256,
    ),
    embed_dim=768,
    prototypes=512,
    queries=16,
    decoder_layers=8,
    temperature=0.01,
    local_temperature=0.01,
    image_masking=0.5,
)
data = dict(
    dataset=dict(
        type="mimic_cxr",
        root="mimic_cxr",
        reports=dict(base="default", sections=("impression", "findings")),
    ),
    splits=("train",),  # our choice: the released code also trains on validation and test studies
    text="shuffled_sentences",
    min_sentences=4,  # leaves 182,475 image-report pairs, the author states (QtacierP/PRIOR issue 12)
    transform=dict(
        RandomAffine=dict(degrees=5),
        RandomHorizontalFlip=dict(p=0.5),  # as released, although reports say left and right
    ),
)
batch_size = 588  # 98 on each of six GPUs
optimizer = dict(type="AdamW", lr=1e-5, weight_decay=1e-6)
schedule = dict(
    stages=(
        dict(epochs=20, warmup_epochs=1, warmup_factor=0.01),
        dict(epochs=30, warmup_epochs=1, warmup_factor=0.01),
        # the configuration of the class says 50 epochs, that of the experiment 100; warm-up from 1e-8 to 5e-6
        dict(epochs=100, warmup_epochs=5, warmup_factor=0.002, lr_factor=0.5),
    )
)
# The experiment's name says "exp_decay", its configuration says "fixed". We use "fixed". For the other:
# hooks = (dict(type="prior_bench.prior.schedule.PrototypeTemperature", schedule="exp"),)
sync_batch_norm = True
find_unused_parameters = True  # the earlier stages do not use the parameters of the later stages
