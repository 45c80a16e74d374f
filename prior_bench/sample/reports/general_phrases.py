"""Sentences and words of a report that do not describe one finding: normal organs, comparison, devices."""

NORMAL_HEART = (
    "Heart size is normal.",
    "The heart is normal in size.",
    "The cardiac silhouette is normal in size.",
    "Heart size is within normal limits.",
    "The cardiomediastinal silhouette is within normal limits.",
    "Cardiomediastinal contours are normal.",
)
NORMAL_LUNGS = (
    "The lungs are clear.",
    "Lungs are clear.",
    "The lungs are well expanded and clear.",
    "Lungs are fully expanded and clear.",
    "Both lungs are clear and well aerated.",
)
NORMAL_MEDIASTINUM = (
    "The mediastinal and hilar contours are unremarkable.",
    "Mediastinal and hilar contours are normal.",
    "Hilar contours are within normal limits.",
    "The aorta is mildly tortuous.",
)
NORMAL_BONES = (
    "No acute osseous abnormality is seen.",
    "The osseous structures are intact.",
    "Bony structures are unremarkable.",
    "No displaced rib fracture is identified.",
    "Mild degenerative changes are noted in the thoracic spine.",
)
NOTHING = (
    "No acute cardiopulmonary process.",
    "No acute cardiopulmonary abnormality.",
    "No acute intrathoracic process.",
    "Normal chest radiograph.",
    "No evidence of acute disease.",
)
UNCHANGED = (
    "In comparison with the study of ___, there is little overall change.",
    "As compared to the previous radiograph, there is no relevant change.",
    "No significant interval change since the prior study.",
)
CHANGED = (
    "In comparison with the study of ___, there has been interval change as described.",
    "Comparison is made with the prior study from ___.",
)
LOW_VOLUMES = (
    "Lung volumes are low.",
    "Low lung volumes accentuate the bronchovascular markings.",
    "The inspiratory level is low.",
)
OBJECTS = {
    "pacemaker": (
        "A {side}-sided pacemaker is in place with its lead in the right ventricle.",
        "{side} chest wall pacemaker with the lead unchanged in position.",
        "Single-lead pacemaker projects over the {side} chest.",
    ),
    "central_line": (
        "A {side} central venous catheter terminates in the superior vena cava.",
        "{side} PICC line tip is in the mid SVC.",
        "{side} internal jugular line is in standard position.",
    ),
    "endotracheal_tube": (
        "The endotracheal tube terminates about 4 cm above the carina.",
        "Endotracheal tube is in appropriate position.",
    ),
    "ecg_leads": (
        "Monitoring leads overlie the chest.",
        "ECG leads and electrodes project over the thorax.",
    ),
    "buttons": (
        "Round densities over the {side} hemithorax are consistent with buttons on clothing.",
        "Several buttons project over the {side} chest.",
    ),
    "coin": (
        "A round metallic object projects over the {side} chest, likely external to the patient.",
        "Rounded radiopaque foreign object overlies the {side} lung.",
    ),
    "necklace": (
        "A necklace projects over the lower neck.",
        "A metallic chain overlies the upper mediastinum.",
    ),
}

COMPLAINTS = {
    "healthy": ("chest pain", "cough", "preoperative evaluation", "positive PPD", "syncope"),
    "atelectasis": ("postoperative fever", "hypoxia", "shortness of breath after surgery"),
    "cardiomegaly": ("hypertension and dyspnea", "heart failure", "chest pain"),
    "consolidation": ("fever and cough", "productive cough", "leukocytosis, evaluate for pneumonia"),
    "lesion": ("weight loss", "hemoptysis", "follow-up of a pulmonary nodule"),
    "edema": ("shortness of breath", "heart failure exacerbation", "hypoxia, evaluate for volume overload"),
    "effusion": ("dyspnea", "shortness of breath", "follow-up of pleural effusion"),
    "pneumothorax": ("sudden chest pain", "status post chest tube removal", "trauma"),
    "foreign_object": ("line placement", "evaluate device position", "interval change"),
}
