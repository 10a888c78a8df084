"""What the docstrings of several classifiers say alike: parameters, attributes, an example."""

_SCHEDULE = """
max_epochs : int, default=20
    Epochs of training on AUs.
batch_size : int, default=64
    Images in a batch.
lr : float, default=1e-4
    Learning rate.
"""

_TRAINING = """
optimizer : callable, default=torch.optim.Adam
    A ``torch.optim`` class, or ``functools.partial`` of one with its options but ``lr``.
augment : {"flip"}, callable or None, default="flip"
    Change of the training images: mirrored at random, or a function from a uint8 batch of
    shape (b, c, h, w) to the same (a ``torchvision.transforms.v2`` transform is one). The batch
    is on ``device``, and what is drawn for it must be: ``torch.rand(b, device=images.device)``.
    Vectors are never changed.
class_weight : {"balanced", "asymmetric"}, dict, list of dict or None, default=None
    How much labels count in the classification loss. "balanced": the present and the absent
    labels of an AU weigh the same in sum over the training rows, and 1 on average.
    "asymmetric" weighs AUs by the inverse of their rate, and each absent label by the
    probability that it still has (:func:`skau.losses.asymmetric_bce`). A dict, such as
    ``{0: 1, 1: 4}``, has a weight by label; a list has such a dict for each AU. Both raise
    recall, and the probabilities of rare AUs above their true share: see the guide on thresholds.
    In ``partial_fit`` the rows are those of the call.
validation_fraction : float in [0, 1), default=0.2
    Share of the training subjects held out to choose the epoch whose state is kept. Where
    ``groups`` is not given it is a share of the rows, and ``fit`` warns: the rows of one person
    then stand on both sides. 0 keeps the last epoch.
monitor : {"f1", "loss"}, default="f1"
    What that epoch is best in on the held-out part: the highest F1-frame, mean over AUs, at
    probability one half; or the lowest classification loss, as in the papers. The loss rises
    again as soon as a network grows too sure of itself, long before its decisions are at their
    best. Where nobody held out shows an AU, the loss chooses, and ``fit`` warns.
device : str or torch.device, default="auto"
    "auto" is a CUDA device where there is one, else the CPU. A fitted classifier that is loaded
    where its device is missing predicts on the CPU, and warns of it.
precision : {"auto", "float32", "bfloat16"}, default="auto"
    Arithmetic of the layers on images; "auto" is bfloat16 where the device computes it
    natively. Weights and losses are float32. Vectors are always float64. Of float32, torch rounds
    what goes into convolutions on a GPU, unless ``torch.backends.cudnn.allow_tf32`` is False.
callbacks : list of skorch callbacks, default=None
    What else happens during training, such as :class:`skau.ResumeTraining`. They hear of the
    training on AUs, not of a first stage on identities. Beside skorch's own figures
    ``valid_f1`` and ``valid_class_loss`` may be monitored. ``load_best`` is refused, for
    ``monitor`` above chooses the weights.
random_state : int, RandomState instance or None, default=None
    Seeds the initial weights, the validation part, the batches and all else that is drawn.
verbose : int, default=0
    1 shows a progress bar.
"""

_IDENTITY = """
margin : float, default=0.5
    Margin of the triplet loss, in squared distance, 0 to 1e6. Each anchor/positive pair has four
    negatives: two are the hardest of the batch, those of the largest loss, two drawn from the
    rest.
negative_pool : int, default=0
    Further images, drawn at random, among which an identity batch finds its negatives. The
    paper mines over the whole set, its released code over the batch.
"""

_TRUNK = """
trunk : callable, torch.nn.Module or None, default=None
    A network in place of the convolutions :math:`S`: :class:`skau.PretrainedTrunk`, of a model
    that ships, or :class:`skau.modules.ImageTrunk`, of any other that is pretrained. It maps
    images, RGB or grey floats from 0 to 1 of shape (b, c, h, w), to features (b, d). A class or
    another callable without arguments makes the module anew at every fit; of a module a copy is
    taken, with its weights. It learns with the rest, but for weights with
    ``requires_grad=False``.
"""

_AUS = """
classes_ : ndarray
    ``arange(n_aus)``, or the two labels of a single AU.
au_names_ : ndarray of str
    The columns of ``y``, or "y0", "y1", ...
"""

_INPUTS = """
input_shape_ : tuple
    (channels, height, width) of the images, or (d,).
n_features_in_ : int
    The product of ``input_shape_``.
feature_names_in_ : ndarray of str
    Set when ``X`` is a DataFrame of vectors.
"""

_NETWORK = """
module_ : torch.nn.Module
    The network.
net_ : skorch.NeuralNet
    What trained it.
history_ : DataFrame
    One row an epoch with the stage ("identity", "AU") and every loss term, of training and of
    validation.
best_epoch_ : int
    The epoch whose state was kept, counted from 1 over all of ``history_``.
precision_ : str
    The arithmetic chosen.
population_ : DataFrame with one row an AU
    What the logits of a training subject are usually like, for ``predict(X, groups=...)``:
    ``mean`` over a subject's frames, averaged over subjects, ``std`` within subjects, and
    ``frames``, the number of frames from which a subject counts for more than the average;
    ``rest`` and ``rest_frames``, mean and number for frames at rest; ``level`` and ``spread``,
    to which a subject's mean and standard deviation are brought, so that as many frames without
    the AU pass a threshold as before.
    NaN after ``partial_fit``, which does not measure it, and where ``fit`` was not told who
    is who.
trained_on_ : dict
    How many ``rows`` and ``subjects`` (None where nobody said) the model was trained on, those
    held out to choose the epoch among them (``held_out_rows``) and those without any label
    (``identity_only_rows``), and how many labels of each AU were ``present`` and ``absent``. It
    stands in a model file's card. ``partial_fit`` adds up, a row that comes twice twice.
"""

_EXAMPLE = """
Examples
--------
>>> from skau.baselines import AnyClassifier
>>> from skau.datasets import load_sample_faces
>>> faces = load_sample_faces()
>>> few = slice(0, 120, 3)
>>> X, Y, groups = faces.images[few, ::2, ::2], faces.target[few], faces.groups[few]
>>> clf = AnyClassifier(max_epochs=1, random_state=0).fit(X, Y, groups=groups)
>>> clf.predict_proba(X).shape
(40, 12)
"""


def docstring_parts(name: str) -> dict[str, str]:
    """Return the parts for the docstring of a classifier; see `skau.utils._docs.substitute`."""
    return {
        "schedule_parameters": _SCHEDULE,
        "training_parameters": _TRAINING,
        "network_parameters": f"Parameters\n----------{_SCHEDULE}{_TRAINING.lstrip()}",
        "identity_parameters": _IDENTITY,
        "trunk_parameter": _TRUNK,
        "au_attributes": _AUS,
        "input_attributes": _INPUTS,
        "network_attributes": f"Attributes\n----------{_NETWORK}{_AUS.lstrip()}{_INPUTS.lstrip()}",
        "baseline_example": _EXAMPLE.replace("AnyClassifier", name),
    }
