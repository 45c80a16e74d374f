"""Every public model that has a card, in all task families.

prior-bench run released_models --dry-run          what is missing, and where it is had
prior-bench run released_models --skip-missing     whatever has its weights and data here
prior-bench run released_models --data sample --skip-missing

Put weights into models/NAME under the data root (docs/models.md, prior-bench model describe NAME), and the
vocabulary of BioClinicalBERT where docs/checkpoints.md says. Text tasks need a text encoder that is read; the
other cells state why they stay empty.
"""

name = "released_models"
title = "Public models"
table = "released_models"
seeds = [0]

backbones = [
    # methods with papers' tables in this suite
    dict(name="PRIOR", type="card", model="prior"),
    dict(name="PRIOR, image encoder", type="card", model="prior_image"),
    dict(name="GLoRIA", type="card", model="gloria"),
    dict(name="MGCA, ResNet-50", type="card", model="mgca_r50"),
    dict(name="MGCA, ViT-B/16", type="card", model="mgca_vit"),
    dict(name="ConVIRT (MGCA's repository), ResNet-50", type="card", model="convirt_mgca_r50"),
    dict(name="ConVIRT (MGCA's repository), ViT-B/16", type="card", model="convirt_mgca_vit"),
    dict(name="ConVIRT (edreisMD), ResNet-50", type="card", model="convirt_edreis"),
    # chest X-rays with reports
    dict(name="CheXzero", type="card", model="chexzero"),
    dict(name="BioViL", type="card", model="biovil"),
    dict(name="BioViL-T", type="card", model="biovil_t"),
    dict(name="MedCLIP, ResNet-50", type="card", model="medclip_r50"),
    dict(name="MedCLIP, ViT", type="card", model="medclip_vit"),
    dict(name="CXR-CLIP, ResNet-50", type="card", model="cxr_clip_r50"),
    dict(name="CXR-CLIP, Swin-T", type="card", model="cxr_clip_swin"),
    dict(name="MedKLIP", type="card", model="medklip"),
    dict(name="KAD", type="card", model="kad"),
    dict(name="MAVL", type="card", model="mavl"),
    dict(name="CARZero", type="card", model="carzero"),
    dict(name="MRM", type="card", model="mrm"),
    dict(name="MaCo", type="card", model="maco"),
    dict(name="ECAMP", type="card", model="ecamp"),
    dict(name="G2D", type="card", model="g2d"),
    # trained again by BenchX, all on the same data
    dict(name="ConVIRT (BenchX), ResNet-50", type="card", model="convirt_benchx"),
    dict(name="GLoRIA (BenchX)", type="card", model="gloria_benchx"),
    dict(name="MedKLIP (BenchX)", type="card", model="medklip_benchx"),
    dict(name="M-FLAG (BenchX)", type="card", model="m_flag"),
    dict(name="MGCA, ResNet-50 (BenchX)", type="card", model="mgca_r50_benchx"),
    dict(name="MGCA, ViT-B/16 (BenchX)", type="card", model="mgca_vit_benchx"),
    dict(name="MRM (BenchX)", type="card", model="mrm_benchx"),
    dict(name="PTUnifier (BenchX), ViT-B/16", type="card", model="ptunifier"),
    dict(name="REFERS (BenchX), ViT-B/16", type="card", model="refers"),
    # medical images of many kinds, with texts
    dict(name="BiomedCLIP", type="card", model="biomedclip"),
    dict(name="PubMedCLIP, ViT-B/32", type="card", model="pubmedclip"),
    dict(name="MedSigLIP, 448 pixels", type="card", model="medsiglip"),
    # chest X-rays without reports
    dict(name="RAD-DINO", type="card", model="rad_dino"),
    dict(name="EVA-X-Ti", type="card", model="eva_x_ti"),
    dict(name="EVA-X-S", type="card", model="eva_x_s"),
    dict(name="EVA-X-B", type="card", model="eva_x_b"),
    dict(name="Ark, Swin-B", type="card", model="ark"),
    dict(name="Ark+, Swin-L", type="card", model="ark_plus"),
    dict(name="CheXFound", type="card", model="chexfound"),
    dict(name="torchxrayvision, DenseNet-121", type="card", model="xrv_densenet121"),
    dict(name="torchxrayvision, ResNet-50", type="card", model="xrv_resnet50"),
    dict(name="CheXNet (arnoweng)", type="card", model="chexnet"),
    # for reference
    dict(name="CLIP, ViT-B/32 (OpenAI)", type="card", model="clip_vit_b32"),
    dict(name="SigLIP, ViT-B/16", type="card", model="siglip_vit_b16"),
    dict(name="DINOv2, ViT-B/14", type="card", model="dinov2_vit_b14"),
    dict(name="ImageNet, ResNet-50", type="card", model="imagenet_resnet50"),
]

_fractions = [0.01, 0.1, 1.0]
evaluations = [
    dict(task="classification", data=_data, protocol="clean/linear_probe", fractions=_fractions)
    for _data in ("chexpert", "nih_chestxray14", "rsna_pneumonia")
]
evaluations += [
    dict(task="zero_shot", data="chexpert", protocol="clean/zero_shot_pairs"),
    dict(task="zero_shot", data="nih_chestxray14", protocol="clean/zero_shot_pairs_nih"),
    dict(task="zero_shot", data="rsna_pneumonia", protocol="clean/zero_shot_pairs_rsna"),
    dict(task="zero_shot", data="chexpert_5x200", protocol="clean/zero_shot_softmax"),
    dict(task="retrieval", data="mimic_cxr", protocol="clean/retrieval"),
    dict(task="grounding", data="ms_cxr@mimic_cxr", protocol="clean/grounding_similarity"),
    dict(task="segmentation", data="siim_acr", protocol="clean/segmentation_frozen"),
    dict(task="segmentation", data="rsna_pneumonia", protocol="clean/segmentation_frozen"),
    dict(task="detection", data="rsna_pneumonia", protocol="clean/detection_frozen"),
]
