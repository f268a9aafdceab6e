"""torchvision.models: VGG and ResNet, with torchvision's names of parameters.  Without trained weights: minigan downloads none.

The weights that PyTorch's users have as a .pth file can come through a .safetensors file: torch.load(...) of this package
reads it, and model.load_state_dict takes it.
"""

from __future__ import annotations

from typing import Any

from minigan.errors import ConfigError
from minigan.torch import nn
from minigan.torch.missing import missing_from

VGGS = {  # channels of the convolutions; "M" halves the picture
    11: (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
    13: (64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
    16: (64, 64, "M", 128, 128, "M", *(256,) * 3, "M", *(512,) * 3, "M", *(512,) * 3, "M"),
    19: (64, 64, "M", 128, 128, "M", *(256,) * 4, "M", *(512,) * 4, "M", *(512,) * 4, "M"),
}


def _refuse(name, pretrained, weights):
    if pretrained or weights is not None:
        raise ConfigError(
            f"{name}: minigan has no trained weights; use weights=None, and load a .safetensors file of them with "
            f"model.load_state_dict(torch.load('{name}.safetensors'))"
        )


class VGG(nn.Module):
    """Convolutions 3x3 with ReLU and max pooling, then three linear layers.   Simonyan and Zisserman 2015."""

    def __init__(self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5):
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )  # fmt: skip

    def forward(self, x: Any) -> Any:
        """The logits (N, num_classes)."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _vgg(depth, batch_norm=False):
    name = f"vgg{depth}" + ("_bn" if batch_norm else "")

    def make(*, pretrained: bool = False, weights: Any = None, progress: bool = True, **options: Any) -> VGG:
        _refuse(name, pretrained, weights)
        layers: list[Any] = []
        channels: Any = 3
        for item in VGGS[depth]:
            if item == "M":
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers.append(nn.Conv2d(channels, item, 3, padding=1))
                layers += [nn.BatchNorm2d(item)] if batch_norm else []
                layers.append(nn.ReLU(inplace=True))
                channels = item
        return VGG(nn.Sequential(*layers), **options)

    make.__name__, make.__doc__ = name, f"VGG with {depth} layers{', and batch norm' if batch_norm else ''}."
    return make


class _Block(nn.Module):
    """y = relu(x + F(x)); the shortcut has a 1x1 convolution where the shape changes.   He et al. 2016."""

    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1):
        super().__init__()
        self._convolutions(inplanes, planes, stride)
        self.relu = nn.ReLU(inplace=True)
        width = planes * self.expansion
        self.downsample = None
        if stride != 1 or inplanes != width:
            self.downsample = nn.Sequential(nn.Conv2d(inplanes, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Any) -> Any:
        """The block's output."""
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(self._changes(x) + shortcut)


class BasicBlock(_Block):
    """Two convolutions 3x3."""

    def _convolutions(self, inplanes, planes, stride):
        self.conv1, self.bn1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False), nn.BatchNorm2d(planes)

    def _changes(self, x):
        return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))


class Bottleneck(_Block):
    """A convolution 3x3 between two 1x1, which make the channels fewer and more again."""

    expansion = 4

    def _convolutions(self, inplanes, planes, stride):
        self.conv1, self.bn1 = nn.Conv2d(inplanes, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv3, self.bn3 = nn.Conv2d(planes, 4 * planes, 1, bias=False), nn.BatchNorm2d(4 * planes)

    def _changes(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        return self.bn3(self.conv3(self.relu(self.bn2(self.conv2(x)))))


class ResNet(nn.Module):
    """A convolution 7x7, four rows of blocks, the mean over the picture, a linear layer.   He et al. 2016."""

    def __init__(self, block: Any, layers: Any, num_classes: int = 1000):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        inplanes = 64
        for i, count in enumerate(layers):
            planes = 64 * 2**i
            blocks = []
            for k in range(count):
                blocks.append(block(inplanes, planes, 2 if i and not k else 1))
                inplanes = planes * block.expansion
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(inplanes, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Any) -> Any:
        """The logits (N, num_classes)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def _resnet(depth, block, layers):
    name = f"resnet{depth}"

    def make(*, pretrained: bool = False, weights: Any = None, progress: bool = True, **options: Any) -> ResNet:
        _refuse(name, pretrained, weights)
        return ResNet(block, layers, **options)

    make.__name__, make.__doc__ = name, f"ResNet with {depth} layers."
    return make


vgg11, vgg13, vgg16, vgg19 = map(_vgg, VGGS)
vgg16_bn, vgg19_bn = _vgg(16, True), _vgg(19, True)
resnet18, resnet34 = _resnet(18, BasicBlock, (2, 2, 2, 2)), _resnet(34, BasicBlock, (3, 4, 6, 3))
resnet50, resnet101 = _resnet(50, Bottleneck, (3, 4, 6, 3)), _resnet(101, Bottleneck, (3, 4, 23, 3))
resnet152 = _resnet(152, Bottleneck, (3, 8, 36, 3))

__getattr__ = missing_from(__name__)
