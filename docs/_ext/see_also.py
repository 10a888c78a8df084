"""See Also of every public name: what stands beside it in its family, said in one place.

A docstring that has a section of its own keeps it.
"""

from importlib import import_module
from re import sub
from typing import Any

from api_pages import MODULES

# What a reader of one wants to know of: every name of a line points to all the others.
FAMILIES = (
    "skau.DSNClassifier skau.IdenNetClassifier skau.MixedEffectsClassifier skau.RegionClassifier "
    "skau.baselines.LightCNNClassifier skau.baselines.ResNetClassifier",
    "skau.Int8Classifier skau.export_onnx skau.save",
    "skau.save skau.load skau.load_model skau.list_models",
    "skau.predict_video skau.predict_images skau.predict_files skau.utils.predict_table "
    "skau.inspection.draw_overlay skau.inspection.film_report",
    "skau.ResumeTraining skau.preprocessing.FaceCropper",
    "skau.preprocessing.FaceCropper skau.preprocessing.read_image skau.preprocessing.read_video "
    "skau.preprocessing.pool_by_subject skau.inspection.AlignmentDisplay",
    "skau.preprocessing.read_video skau.preprocessing.Video skau.preprocessing.Frame "
    "skau.predict_video",
    "skau.preprocessing.eye_matrix skau.preprocessing.eye_distance_matrix "
    "skau.preprocessing.box_matrix skau.preprocessing.region_matrix "
    "skau.preprocessing.whole_matrix skau.preprocessing.warp skau.preprocessing.head_pose",
    "skau.datasets.load_bp4d skau.datasets.load_disfa skau.datasets.load_unbc "
    "skau.datasets.load_celeba skau.datasets.load_london skau.datasets.load_faces "
    "skau.datasets.stack_corpora",
    "skau.datasets.load_sample_faces skau.datasets.make_au_faces skau.datasets.load_faces",
    "skau.model_selection.SubjectKFold skau.model_selection.StratifiedSubjectKFold "
    "skau.model_selection.RepeatedSubjectKFold skau.model_selection.PredefinedSubjectSplit "
    "skau.model_selection.LeaveOneCorpusOut skau.model_selection.cross_val_predict",
    "skau.model_selection.TunedThresholdsClassifier skau.model_selection.CalibratedAUClassifier "
    "skau.metrics.calibration_error skau.metrics.false_alarm_rate "
    "skau.inspection.AUCalibrationDisplay",
    "skau.model_selection.fold_table skau.metrics.paired_interval "
    "skau.metrics.bootstrap_interval skau.inspection.AUScoreDisplay",
    "skau.metrics.f1_frame skau.metrics.f1_frame_scorer skau.metrics.au_report "
    "skau.metrics.roc_auc skau.metrics.accuracy",
    "skau.metrics.roc_auc skau.metrics.roc_auc_scorer skau.inspection.AURocDisplay "
    "skau.inspection.AUPrecisionRecallDisplay",
    "skau.metrics.accuracy skau.metrics.accuracy_scorer skau.metrics.au_report",
    "skau.metrics.identity_leakage skau.metrics.drop_rate skau.metrics.f1_gap "
    "skau.inspection.FeatureSpaceDisplay",
    "skau.inspection.AUScoreDisplay skau.inspection.AURocDisplay "
    "skau.inspection.AUPrecisionRecallDisplay skau.inspection.AUCalibrationDisplay",
    "skau.inspection.TrainingHistoryDisplay skau.inspection.LossWeightsDisplay "
    "skau.inspection.training_report",
    "skau.inspection.PersonExpressionDisplay skau.inspection.FeatureSpaceDisplay "
    "skau.inspection.OcclusionDisplay",
    "skau.inspection.TimelineDisplay skau.inspection.draw_overlay skau.inspection.film_report "
    "skau.predict_video",
    "skau.inspection.AlignmentDisplay skau.inspection.OcclusionDisplay",
    "skau.inspection.write_report skau.inspection.training_report "
    "skau.inspection.benchmark_report skau.inspection.film_report",
    "skau.losses.masked_bce skau.losses.asymmetric_bce skau.losses.difference_loss "
    "skau.losses.simse skau.losses.triplet_losses",
    "skau.modules.DSN skau.modules.IdenNet skau.modules.AUModule skau.modules.AUOutput "
    "skau.modules.MaxFeatureMap skau.modules.lightcnn_trunk skau.modules.ImageTrunk",
    "skau.PretrainedTrunk skau.modules.ImageTrunk skau.load_model "
    "skau.baselines.LightCNNClassifier",
    "skau.utils.to_openface skau.utils.to_pyfeat skau.datasets.load_faces skau.predict_video",
    "skau.utils.all_estimators skau.utils.predict_table",
)  # fmt: skip


def public_names() -> dict[str, Any]:
    """Return everything on the API pages by its full name."""
    return {
        f"{room}.{name}": getattr(module, name)
        for room in MODULES
        for module in (import_module(room),)
        for name in module.__all__
        if not name.startswith("__")
    }


def relatives(name: str) -> list[str]:
    """Return the others of the families of a name; baselines point to each other."""
    families = [family.split() for family in FAMILIES]
    room = [other for other in public_names() if other.startswith("skau.baselines.")]
    families.append(room)
    found = [other for family in families if name in family for other in family]
    return [other for other in dict.fromkeys(found) if other != name]


def add(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Append the section before numpydoc reads the docstring."""
    others = relatives(name)
    if not others or "See Also" in lines:
        return
    things = public_names()
    lines += ["", "See Also", "--------"]
    for other in others:
        summary = (things[other].__doc__ or "").strip().split("\n\n")[0]
        said = sub(r" ?\[\d+\]_", "", " ".join(summary.split()))  # its references are not here
        lines.append(f"{other} : {said}")


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx, before numpydoc."""
    app.connect("autodoc-process-docstring", add, priority=100)
    return {"parallel_read_safe": True}
