"""torchvision.datasets: MNIST and its relatives, CIFAR10, folders of pictures, and noise.

MNIST   FashionMNIST   KMNIST   CIFAR10     where the files are; download=True gets what minigan can check by its SHA-256
ImageFolder   DatasetFolder                 a folder with a sub-folder for each class
FakeData                                    noise with random labels
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minigan.data import cifar, mnist
from minigan.errors import DataError
from minigan.torch import core as torch
from minigan.torch.missing import missing_from
from minigan.torch.torchvision.transforms import ToPILImage
from minigan.torch.utils.data import Dataset

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class _Pictures(Dataset):
    """The common part: sample i is (transform(picture i), target_transform(label i))."""

    def __init__(self, root: Any = None, transform: Callable | None = None, target_transform: Callable | None = None):
        self.root, self.transform, self.target_transform = root, transform, target_transform

    def _changed(self, picture, target):
        picture = picture if self.transform is None else self.transform(picture)
        return picture, target if self.target_transform is None else self.target_transform(target)


class MNIST(_Pictures):
    """28x28 grey pictures of digits, with their labels.

    The files are looked for in root (root/MNIST/raw, root/mnist, root itself), then where minigan keeps its data: $MINIGAN_DATA
    and the cache.  download=True gets them into that cache, not into root.   DataError if they are nowhere.
    data: uint8 (N, 28, 28).   targets: (N,).
    """

    source = "mnist"
    classes = tuple("0123456789")

    def __init__(
        self, root: Any, train: bool = True, transform: Any = None, target_transform: Any = None, download: bool = False
    ):
        super().__init__(root, transform, target_transform)
        self.train = train
        found = self._found("train" if train else "test", root, download)
        self.data, self.targets = torch.from_numpy(np.array(found.images[:, 0])), torch.from_numpy(np.array(found.labels))

    def _found(self, split, root, download):
        in_root = os.path.isdir(root) and any(status.startswith("ok") for _, status in mnist.verify(self.source, root))
        return mnist.load(self.source, split, root if in_root else None, mirrors=None if download else ())

    def __getitem__(self, index: int) -> tuple:
        from PIL import Image

        return self._changed(Image.fromarray(self.data[index].numpy()), int(self.targets[index]))

    def __len__(self) -> int:
        return len(self.data)


class FashionMNIST(MNIST):
    """28x28 grey pictures of clothes; see MNIST."""

    source = "fashion-mnist"
    classes = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


class KMNIST(MNIST):
    """28x28 grey pictures of hiragana; see MNIST."""

    source = "kmnist"
    classes = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


class CIFAR10(_Pictures):
    """32x32 pictures in colour of ten kinds of things.   data: a NumPy array uint8 (N, 32, 32, 3).   targets: a list.

    minigan reads the *binary* version's files (data_batch_1.bin ...) from root, $MINIGAN_DATA or the cache, and downloads none.
    """

    classes = cifar.NAMES

    def __init__(
        self, root: Any, train: bool = True, transform: Any = None, target_transform: Any = None, download: bool = False
    ):
        super().__init__(root, transform, target_transform)
        self.train, split = train, "train" if train else "test"
        in_root = os.path.isdir(root) and any(status.startswith("ok") for _, status in cifar.verify(root))
        found = cifar.load(split, root if in_root else None)
        self.data, self.targets = np.ascontiguousarray(found.images.transpose(0, 2, 3, 1)), found.labels.tolist()

    def __getitem__(self, index: int) -> tuple:
        from PIL import Image

        return self._changed(Image.fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)


class FakeData(_Pictures):
    """`size` pictures of noise with random labels; a picture is always the same for its number, but not PyTorch's."""

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Any = None,
        target_transform: Any = None,
        random_offset: int = 0,
    ):
        super().__init__(None, transform, target_transform)
        self.size, self.image_size, self.num_classes, self.random_offset = size, image_size, num_classes, random_offset

    def __getitem__(self, index: int) -> tuple:
        if not 0 <= index < self.size:
            raise IndexError(f"FakeData: index {index} is outside its {self.size} pictures")
        rng = np.random.default_rng(index + self.random_offset)
        noise, target = rng.standard_normal(self.image_size, np.float32), int(rng.integers(self.num_classes))
        return self._changed(ToPILImage()(torch.from_numpy(noise).clamp(0, 1)), target)

    def __len__(self) -> int:
        return self.size


def default_loader(path: Any) -> Any:
    """The picture in a file, in RGB."""
    from PIL import Image

    with Image.open(path) as picture:
        return picture.convert("RGB")


class DatasetFolder(_Pictures):
    """Files in root/<class>/..., sorted; the classes are the names of the sub-folders in alphabetical order.

    loader: a function of a path.   extensions, or is_valid_file: which files count.   samples: [(path, label)].
    """

    def __init__(
        self,
        root: Any,
        loader: Callable,
        extensions: Any = None,
        transform: Any = None,
        target_transform: Any = None,
        is_valid_file: Callable | None = None,
    ):
        super().__init__(root, transform, target_transform)
        counts = is_valid_file or (lambda path: extensions is None or path.lower().endswith(tuple(extensions)))
        self.loader = loader
        if not Path(root).is_dir():
            raise DataError(f"{type(self).__name__}: {root} is not a folder")
        self.classes = sorted(entry.name for entry in Path(root).iterdir() if entry.is_dir())
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self.samples = [
            (str(path), label)
            for name, label in self.class_to_idx.items()
            for path in sorted((Path(root) / name).rglob("*"))
            if path.is_file() and counts(str(path))
        ]
        if not self.samples:
            raise DataError(f"{type(self).__name__}: {root} has no pictures in sub-folders; each class needs one")
        self.targets = [label for _, label in self.samples]

    def __getitem__(self, index: int) -> tuple:
        path, target = self.samples[index]
        return self._changed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """DatasetFolder for pictures, which are read in RGB.   imgs: `samples` by its old name."""

    def __init__(
        self,
        root: Any,
        transform: Any = None,
        target_transform: Any = None,
        loader: Callable = default_loader,
        is_valid_file: Callable | None = None,
    ):
        super().__init__(root, loader, IMG_EXTENSIONS, transform, target_transform, is_valid_file)
        self.imgs = self.samples


__getattr__ = missing_from(__name__)
