"""PadChest in miniature; see ``miniatures``."""

from pathlib import Path

import numpy as np
from writers import write_png, write_text

PADCHEST_COLUMNS = (
    ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,ViewPosition_DICOM,"
    "Projection,MethodProjection,Pediatric,ReportID,Report,MethodLabel,Labels,Localizations"
)
PADCHEST_TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
PADCHEST_LABELS = (
    "\"['normal']\"",
    "\"['cardiomegaly', ' pleural effusion', 'loc basal']\"",
    "\"['pneumonia', '']\"",
    "",
    "\"['exclude', 'hiatal hernia']\"",
)


def padchest(root: Path) -> Path:
    """Twenty images of ten patients, each with a frontal and a lateral one; 16 bits, in two folders."""
    lines = [PADCHEST_COLUMNS]
    for n in range(20):
        patient, lateral = divmod(n, 2)
        view = "L" if lateral else ("PA", "AP", "AP_horizontal")[patient % 3]
        folder, name = ("0", "54")[patient % 2], f"216840_{n:02d}-014-084.png"
        write_png(root / folder / name, np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000)
        method = "Physician" if patient < 4 else "RNN_model"
        report = "" if patient == 3 else " sin hallazg patolog . cardiomegali ."
        lines.append(
            f"{n},{name},{folder},20140915,s{patient},p{patient},{1930 + patient}.0,{'FM'[patient % 2]},"
            f"POSTEROANTERIOR,{view},Manual review of DICOM fields,No,47{n},{report},{method},"
            f"{PADCHEST_LABELS[patient % 5]},[]"
        )
    write_text(root / PADCHEST_TABLE, "\n".join(lines))
    return root
