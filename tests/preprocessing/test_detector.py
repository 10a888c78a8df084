"""The cascade against facenet-pytorch's own, and the search from large to small."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from facenet_pytorch import MTCNN
from facenet_pytorch.models.mtcnn import PNet
from PIL import Image
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call
from torch.nn.functional import interpolate
from torchvision.ops import batched_nms

from skau.preprocessing._mtcnn import _cascade, _networks, _search, _turned
from skau.preprocessing._mtcnn._boxes import Faces
from skau.preprocessing._mtcnn._following import follow_face
from skau.preprocessing._mtcnn._integral import IntegralImages
from skau.preprocessing._mtcnn._search import find_faces


@pytest.fixture(scope="module")
def scene(photos):
    """A wide scene with a small and a larger face before a smooth background."""
    y, x = np.mgrid[:300, :420]
    ground = np.stack([90 + x // 8, 120 + y // 6, 140 - x // 10], axis=-1).astype(np.uint8)
    image = Image.fromarray(ground)
    image.paste(Image.fromarray(photos[0]).resize((60, 60)), (30, 200))
    image.paste(Image.fromarray(photos[2]).resize((130, 130)), (250, 60))
    return image


def _scaled(pixels, size):
    planes = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float()
    return (interpolate(planes, size, mode="area") - 127.5) / 128


def test_means_from_the_table_are_area_interpolation(photos):
    images = [Image.fromarray(photo).resize((70, 50)) for photo in photos[:2]]
    tables = IntegralImages(images, 1, "cpu")
    for size in ((50, 70), (31, 43), (7, 5), (80, 90)):
        expected = torch.cat([_scaled(image, size) for image in images])
        torch.testing.assert_close(tables.resized(*size), expected, atol=1e-5, rtol=0)
    boxes = torch.tensor([[3, 2, 41, 50], [0, 0, 70, 50], [60, 10, 65, 14]])
    index = torch.tensor([1, 0, 1])
    expected = torch.cat(
        [_scaled(images[i].crop(box), (24, 24)) for i, box in zip(index, boxes.tolist())]  # noqa: B905
    )
    torch.testing.assert_close(tables.windows(index, boxes, 24), expected, atol=1e-5, rtol=0)


def test_reduced_tables_average_blocks(photos):
    image = Image.fromarray(photos[0]).resize((65, 48))
    tables = IntegralImages([image], 4, "cpu")
    assert tables.size == (64, 48)
    expected = _scaled(image.reduce(4, box=(0, 0, 64, 48)), (6, 8))
    torch.testing.assert_close(tables.resized(6, 8), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("rows", "fewest"), [(20, 1), (64, 4)])
def test_the_first_network_in_strips_is_facenet_pytorchs(photos, monkeypatch, rows, fewest):
    monkeypatch.setattr(_cascade, "ROWS", rows)
    monkeypatch.setattr(_cascade, "FEWEST", fewest)
    monkeypatch.setattr(_cascade, "TILE", 20 if fewest == 1 else 10**9)
    tables = IntegralImages([Image.fromarray(photo) for photo in photos[:2]], 1, "cpu")
    scale, least = 0.5, 0.1
    found = _cascade._rung(_networks.load_networks("cpu")[0], tables, scale, least)
    side = int(photos.shape[1] * scale + 1)
    with torch.inference_mode():
        shift, probability = PNet()(tables.resized(side, side))
    owner, y, x = (probability[:, 1] >= least).nonzero(as_tuple=True)
    corner = torch.stack([x, y], 1) * 2 + 1
    boxes = torch.cat([corner / scale, (corner + 11) / scale], 1).floor()
    keep = batched_nms(boxes, probability[owner, 1, y, x], owner, 0.5)
    expected = boxes, probability[owner, 1, y, x], owner, shift[owner, :, y, x]
    assert len(keep) > 3
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs[keep], atol=1e-4, rtol=1e-4)


def test_only_flat_windows_are_left_out():
    strip = torch.zeros(2, 3, 20, 200)
    strip[1, 2, 4, 70] = 11 / 128  # in the windows that begin in columns 60 to 70
    strip[0, 0, 9, 150] = 9 / 128
    assert _cascade._spans(strip, 9) == [(32, 106)]
    strip[0, 0, 9, 199] = 1
    assert _cascade._spans(strip, 9) == [(32, 106), (160, 200)]
    assert _cascade._spans(strip, 1) == [(32, 74), (64, 106), (160, 200)]
    assert _cascade._spans(strip[..., :30], 9) == [(0, 30)]
    assert _cascade._spans(strip[..., :60], 9) == []


@pytest.mark.skipif(
    torch.__version__ < (2, 7), reason="torch 2.6 asks the driver even for such tensors"
)
@pytest.mark.parametrize(("which", "side"), [(0, 40), (1, 24), (2, 48)])
def test_a_gpu_computes_in_full_float32(which, side, monkeypatch):
    net = _networks.load_networks("cpu")[which]
    linear, convolutions, products = F.linear, [], []

    def convolution(x, weight, bias, *how):
        convolutions.append(how[-1])  # whether TF32 is allowed
        return x.new_empty(len(x), len(weight), *(n + 1 - weight.shape[2] for n in x.shape[2:]))

    def product(x, weight, bias):
        products.append(x.dtype)
        return linear(x, weight, bias)

    monkeypatch.setattr(torch, "_convolution", convolution)
    monkeypatch.setattr(F, "linear", product)
    with FakeTensorMode():  # tensors that say they were on a GPU, and hold nothing
        weights = {k: torch.empty(w.shape, device="cuda") for k, w in net.named_parameters()}
        out = functional_call(net, weights, torch.empty(2, 3, side, side, device="cuda"))
    assert all(part.is_cuda and part.dtype == torch.float32 for part in out)
    assert convolutions == [False] * sum(isinstance(m, nn.Conv2d) for m in net.modules())
    assert len(products) > 0
    assert set(products) == {torch.float64}


def test_a_convolution_that_is_told_so_is_the_same():
    for net in _networks.load_networks("cpu"):
        for layer in (m for m in net.modules() if isinstance(m, nn.Conv2d)):
            x = torch.randn(2, layer.in_channels, 9, 7)
            ours, plain = _networks._convolved(layer, x), F.conv2d(x, layer.weight, layer.bias)
            torch.testing.assert_close(ours, plain)


@pytest.mark.parametrize("side", range(250, 270))
def test_a_face_as_large_as_the_image_is_looked_for(photos, side):
    image = Image.fromarray(photos[0]).resize((side, side))
    assert len(find_faces([image], min_face_size=side)[0]) <= 1
    assert _search._n_rungs(side, side) == 1
    assert _search._n_rungs(side, side + 1) == 0
    assert _search._n_rungs(side, side * 0.709) == 2


@pytest.mark.parametrize("largest_only", [True, False])
def test_same_faces_as_facenet_pytorch(photos, scene, largest_only):
    images = [Image.fromarray(photo) for photo in photos[:3]] + [scene]
    found = find_faces(images, largest_only=largest_only, threshold=0.7)
    mtcnn = MTCNN(thresholds=[0.6, 0.7, 0.7])
    for image, faces in zip(images, found, strict=True):
        boxes, probability, points = mtcnn.detect(image, landmarks=True)
        np.testing.assert_allclose(faces.boxes[0], boxes[0].astype(float), atol=0.01)
        np.testing.assert_allclose(faces.points[0], points[0].astype(float), atol=0.01)
        assert faces.probability[0] == pytest.approx(float(probability[0]), abs=1e-4)


@pytest.mark.parametrize("largest_only", [True, False])
def test_a_face_that_only_a_mirror_shows(scene, monkeypatch, largest_only):
    expected = find_faces([scene], largest_only=largest_only)[0]
    reject = _search.reject

    def blind(pixels, candidates, *, mirror=False):
        return reject(pixels, candidates if mirror else candidates.take(slice(0)), mirror=mirror)

    monkeypatch.setattr(_search, "reject", blind)
    faces = find_faces([scene], largest_only=largest_only)[0]
    assert len(faces) == len(expected)
    eyes = np.linalg.norm(expected.points[:, 0] - expected.points[:, 1], axis=1)
    off = np.linalg.norm(faces.points - expected.points, axis=2).max(axis=1)
    assert (off < 0.1 * eyes).all()  # left is left, and right right


def test_doubtful_faces_must_be_seen_in_most_views(scene, monkeypatch):
    refine = _search.refine

    def doubtful(*args, **kwargs):
        sky = np.array([[200.0, 10, 260, 80]])
        found = refine(*args, **kwargs)
        return [
            Faces(
                np.concatenate([sky, faces.boxes]),
                np.full(len(faces) + 1, 0.99),
                np.concatenate([np.zeros((1, 5, 2)), faces.points]),
            )
            for faces in found
        ]

    expected = find_faces([scene], largest_only=False)[0]
    monkeypatch.setattr(_search, "refine", doubtful)
    faces = find_faces([scene], largest_only=False)[0]
    np.testing.assert_allclose(faces.points, expected.points)


def test_smaller_faces_are_found_when_all_are_wanted(scene):
    assert len(find_faces([scene], largest_only=True)[0]) == 1
    faces = find_faces([scene], largest_only=False)[0]
    assert len(faces) == 2
    middle = faces.boxes.reshape(2, 2, 2).mean(axis=1)
    np.testing.assert_allclose(middle, [[315, 125], [60, 230]], atol=15)  # the larger one first


def test_a_small_face_in_a_large_image(photos):
    image = Image.new("RGB", (900, 700), (120, 130, 140))
    image.paste(Image.fromarray(photos[1]).resize((64, 64)), (700, 500))
    faces = find_faces([image])[0]
    assert len(faces) == 1
    np.testing.assert_allclose(faces.points[0].mean(axis=0), [732, 532], atol=16)
    assert len(find_faces([image], min_face_size=120)[0]) == 0


def test_batches_do_not_change_the_result(photos, scene):
    images = [Image.fromarray(photo) for photo in photos[:4]] + [scene]
    together = find_faces(images)
    for image, faces in zip(images, together, strict=True):
        alone = find_faces([image])[0]
        np.testing.assert_allclose(alone.points, faces.points, atol=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (11, 300), (12, 12), (40, 30)])
def test_images_too_small_for_a_face(size):
    assert len(find_faces([Image.new("RGB", size, (90, 80, 70))])[0]) == 0


@pytest.mark.parametrize("seed", range(3))
def test_no_face_in_landscapes(seed):
    # Clouds: noise whose power falls with the frequency, as in natural scenes.
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(400), np.fft.fftfreq(300)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(rng.normal(size=(3, 300, 400))) / frequency**1.2
    clouds = np.fft.ifft2(spectrum).real
    clouds = 127 + 50 * clouds / clouds.std()
    image = Image.fromarray(clouds.clip(0, 255).astype(np.uint8).transpose(1, 2, 0))
    assert len(find_faces([image], largest_only=False)[0]) == 0


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("side", [96, 200])
def test_turned_faces(photos, turns, side):
    ground = np.full((240, 320, 3), (120, 130, 140), np.uint8)
    photo = np.asarray(Image.fromarray(photos[0]).resize((side, side)))
    ground[20 : 20 + side, 60 : 60 + side] = photo
    expected = find_faces([Image.fromarray(ground)])[0]
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(ground, turns)))
    faces = find_faces([turned])[0]
    assert len(faces) == 1
    points, height = faces.points[0], turned.height  # back again, one turn after the other
    for _ in range(turns):
        points = np.stack([height - 1 - points[:, 1], points[:, 0]], axis=-1)
        height = 320 + 240 - height
    eyes = np.linalg.norm(expected.points[0, 0] - expected.points[0, 1])
    assert np.linalg.norm(points - expected.points[0], axis=1).max() < 0.12 * eyes
    box = faces.boxes[0]
    assert (faces.points[0] > box[:2]).all()
    assert (faces.points[0] < box[2:]).all()


def test_a_turned_face_must_be_seen_in_more_views(photos, scene, monkeypatch):
    true = find_faces([scene])[0]
    doubtful = Faces(true.boxes, np.array([0.99]), true.points)
    monkeypatch.setattr(_turned, "_seems_turned", lambda *args: True)

    def sees_a_face_everywhere(copies, smallest, hasty):
        box = np.array([[100.0, 100, 190, 200]])
        points = np.array([[[125.0, 135], [165, 135], [145, 160], [130, 180], [160, 180]]])
        return [Faces(box, np.array([0.9999]), points) for _ in copies]

    faces = _turned.look_turned([scene], [doubtful], 20, sees_a_face_everywhere, "cpu")[0]
    np.testing.assert_array_equal(faces.points, true.points)


def test_upright_faces_are_left_alone(photos, scene, monkeypatch):
    images = [Image.fromarray(photo) for photo in photos] + [scene]
    expected = find_faces(images)
    monkeypatch.setattr(_search, "look_turned", lambda images, found, *args: found)
    for ours, before in zip(expected, find_faces(images), strict=True):
        np.testing.assert_array_equal(ours.points, before.points)


def test_following_a_face(photos, scene):
    face = find_faces([scene])[0]
    moved = np.asarray(scene)[6:, 9:]
    near = follow_face(Image.fromarray(moved), face.boxes[0])
    eyes = np.linalg.norm(face.points[0, 0] - face.points[0, 1])
    assert np.abs(near.points[0] + [9, 6] - face.points[0]).max() < 0.12 * eyes
    assert len(follow_face(scene, np.array([5.0, 5, 60, 60]))) == 0
    assert len(follow_face(scene, np.array([900.0, 900, 960, 960]))) == 0
