"""minigan.torch.torchvision: grids, files, transforms and data sets, against written-out values."""

import gzip

import numpy as np
import pytest
from PIL import Image

import minigan.torch as torch
from minigan.errors import ConfigError, DataError
from minigan.torch.torchvision import datasets, models, transforms
from minigan.torch.torchvision.utils import make_grid, save_image


def picture(values):
    return Image.fromarray(np.array(values, np.uint8))


def test_a_grid_has_a_border_around_each_picture():
    images = torch.arange(3).float().reshape(3, 1, 1, 1) + 1
    assert make_grid(images, nrow=2, padding=1)[0].tolist() == [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 2.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 3.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0],
    ]
    assert make_grid(images, nrow=3, padding=0).shape == (3, 1, 3)
    assert make_grid([torch.zeros(3, 2, 2), torch.ones(3, 2, 2)], padding=0)[0, 0].tolist() == [0.0, 0.0, 1.0, 1.0]
    assert make_grid(torch.tensor([[[[-1.0, 1.0]]]]), normalize=True)[0].tolist() == [[0.0, 1.0]]
    assert make_grid(torch.tensor([[[[-9.0, 0.0]]]]), normalize=True, value_range=(-1, 1))[0].tolist() == [[0.0, 0.5]]
    with pytest.raises(TypeError, match="unknown argument 'wrong'"):
        make_grid(images, wrong=1)


def test_a_file_counts_from_0_to_255(tmp_path):
    save_image(torch.tensor([[[[0.0, 0.5, 1.0, 2.0]]]]), tmp_path / "x.png")
    assert np.asarray(Image.open(tmp_path / "x.png"))[0, :, 0].tolist() == [0, 128, 255, 255]


def test_pictures_become_tensors_and_come_back():
    x = transforms.ToTensor()(picture([[0, 255], [51, 102]]))
    assert x.shape == (1, 2, 2) and x.tolist() == [[[0.0, 1.0], [pytest.approx(0.2), pytest.approx(0.4)]]]
    assert transforms.ToTensor()(picture(np.zeros((4, 5, 3)))).shape == (3, 4, 5)
    assert np.asarray(transforms.ToPILImage()(x)).tolist() == [[0, 255], [51, 102]]
    assert transforms.PILToTensor()(picture([[7]])).dtype is torch.uint8


def test_normalize_is_per_channel():
    x = torch.ones(2, 1, 1)
    assert transforms.Normalize([0.5, 0.0], [0.5, 2.0])(x).flatten().tolist() == [1.0, 0.5]
    with pytest.raises(ValueError, match="must not be 0"):
        transforms.Normalize([0.5], [0.0])
    with pytest.raises(TypeError, match=r"put ToTensor\(\) before it"):
        transforms.Normalize([0.5], [0.5])(picture([[1]]))


def test_sizes_and_places():
    wide = picture(np.arange(24).reshape(4, 6))
    assert transforms.Resize(2)(wide).size == (3, 2) and transforms.Resize((8, 8), Image.BICUBIC)(wide).size == (8, 8)
    assert np.asarray(transforms.CenterCrop(2)(wide)).tolist() == [[8, 9], [14, 15]]
    assert np.asarray(transforms.CenterCrop((4, 8))(wide))[0].tolist() == [0, 0, 1, 2, 3, 4, 5, 0]
    assert np.asarray(transforms.Pad(1)(picture([[5]]))).tolist() == [[0, 0, 0], [0, 5, 0], [0, 0, 0]]
    assert transforms.RandomCrop(3)(wide).size == (3, 3) and transforms.RandomCrop(4, padding=2)(wide).size == (4, 4)
    with pytest.raises(ValueError, match="pad_if_needed"):
        transforms.RandomCrop(5)(wide)
    assert transforms.Resize(8)(torch.zeros(1, 4, 4)).shape == (1, 8, 8)
    with pytest.raises(ConfigError, match="can't shrink"):
        transforms.Resize(2)(torch.zeros(1, 4, 4))


def test_mirrors_colours_and_functions():
    row = picture([[1, 2]])
    assert np.asarray(transforms.RandomHorizontalFlip(p=1.0)(row)).tolist() == [[2, 1]]
    assert np.asarray(transforms.RandomHorizontalFlip(p=0.0)(row)).tolist() == [[1, 2]]
    assert transforms.RandomVerticalFlip(p=1.0)(torch.tensor([[[1.0], [2.0]]])).tolist() == [[[2.0], [1.0]]]
    assert transforms.Grayscale()(picture(np.full((1, 1, 3), 7))).mode == "L"
    chain = transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda x: x * 2)])
    assert chain(picture([[255]])).item() == 2.0 and "ToTensor()" in repr(chain)


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))


def test_mnist_is_read_where_torchvision_keeps_it(tmp_path, monkeypatch):
    monkeypatch.delenv("MINIGAN_DATA", raising=False)
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "cache"))
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for split in ("train", "t10k"):
        write_idx(raw / f"{split}-images-idx3-ubyte.gz", np.arange(2 * 28 * 28).reshape(2, 28, 28) % 256)
        write_idx(raw / f"{split}-labels-idx1-ubyte.gz", np.array([3, 4]))
    found = datasets.MNIST(tmp_path, train=True, download=True, transform=transforms.ToTensor())
    x, label = found[1]
    assert len(found) == 2 and x.shape == (1, 28, 28) and label == 4 and found.targets.tolist() == [3, 4]
    assert found.data.dtype is torch.uint8 and found.classes[3] == "3"
    with pytest.raises(DataError, match="cannot find"):
        datasets.FashionMNIST(tmp_path / "nowhere", download=False)


def test_folders_and_noise(tmp_path):
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        picture(np.zeros((3, 3))).save(tmp_path / name / "a.png")
    (tmp_path / "cats" / "notes.txt").write_text("no picture")
    found = datasets.ImageFolder(tmp_path, transform=transforms.ToTensor())
    assert found.classes == ["cats", "dogs"] and len(found) == 2 and found[1][1] == 1 and found[0][0].shape == (3, 3, 3)
    noise = datasets.FakeData(5, (3, 8, 8), 2, transforms.ToTensor())
    assert noise[0][0].tolist() == noise[0][0].tolist() and noise[4][1] in (0, 1) and len(list(noise)) == 5
    with pytest.raises(DataError, match="no pictures in sub-folders"):
        datasets.ImageFolder(tmp_path / "cats")


def test_models_have_torchvisions_names_and_no_weights():
    net = models.resnet18(num_classes=3)
    assert "layer2.0.downsample.1.running_mean" in net.state_dict() and net.fc.out_features == 3
    assert sum(p.numel() for p in models.resnet18().parameters()) == 11_689_512  # as torchvision documents
    assert net.eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    with pytest.raises(ConfigError, match="vgg19: minigan has no trained weights"):
        models.vgg19(pretrained=True)
