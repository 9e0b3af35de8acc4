"""Image models: torchvision's classifiers and a small U-Net, with random weights that keep every layer alive."""

from __future__ import annotations

import torch
import torchvision
from torch import nn
from torch.nn import functional

from export_models.case import NEWER, Case, Input


def settle(model: nn.Module, size: int) -> nn.Module:
    """Replaces what random initialisation leaves dead or unrealistic, in place.

    Batch normalisation gets random scales and shifts and then the statistics of random images (as training would leave them),
    layer scales and zeroed linear layers get values that let every block reach the output.
    """
    norms = {name: m for name, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}
    for name, norm in norms.items():
        # The last one of a residual branch stays small, as in trained networks: otherwise rounding errors grow with depth.
        last = name.endswith("bn3")
        nn.init.uniform_(norm.weight, 0.1 if last else 0.5, 0.4 if last else 1.5)
        nn.init.normal_(norm.bias, 0.0, 0.2)
        norm.momentum = None
        norm.train()
    for module in model.modules():
        if isinstance(module, nn.Linear):
            if module.weight.abs().max() == 0 or module.weight.std() < 0.015:
                nn.init.normal_(module.weight, 0.0, module.in_features**-0.5)
            if module.bias is not None:
                nn.init.normal_(module.bias, 0.0, 0.05)
    for name, parameter in model.named_parameters():
        if name.endswith("layer_scale"):
            nn.init.uniform_(parameter, 0.1, 0.5)
        elif name.endswith("class_token"):
            nn.init.normal_(parameter, 0.0, 0.1)
    if norms:
        with torch.no_grad():
            model(torch.randn(4, 3, size, size))
    return model.eval()


def vit(weights):
    # The fused attention of PyTorch's inference path is one operator that the TorchScript exporter cannot take apart.
    torch.backends.mha.set_fastpath_enabled(False)
    return torchvision.models.vit_b_16(weights=weights)


class Block(nn.Sequential):
    def __init__(self, inputs: int, outputs: int):
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class UNet(nn.Module):
    """Three levels: max pooling down, a transposed convolution and two bilinear resizings up, skips by concatenation."""

    def __init__(self):
        super().__init__()
        widths = [16, 32, 64, 128]
        self.down = nn.ModuleList(Block(a, b) for a, b in zip([3, *widths[:-1]], widths))
        self.up = nn.ModuleList(Block(a + b, a) for a, b in zip(widths[:-1], widths[1:]))
        self.transposed = nn.ConvTranspose2d(widths[3], widths[3], 2, stride=2)
        self.classes = nn.Conv2d(widths[0], 5, 1)

    def forward(self, image):
        skips = []
        value = image
        for level, block in enumerate(self.down):
            value = block(value if level == 0 else functional.max_pool2d(value, 2))
            skips.append(value)
        for level in (2, 1, 0):
            if level == 2:
                value = self.transposed(value)
            else:
                value = functional.interpolate(value, scale_factor=2.0, mode="bilinear", align_corners=False)
            value = self.up[level](torch.cat([skips[level], value], dim=1))
        return self.classes(value)


def image(height: int | str, width: int | str) -> list[Input]:
    return [Input("image", "float32", ("batch", 3, height, width))]


def classifier(rank: int, name: str, build, **options) -> tuple[int, Case]:
    return rank, Case(
        name,
        lambda: settle(build(weights=None), 224),
        image(224, 224),
        ["logits"],
        [{"batch": 1}, {"batch": 2}],
        {"batch": 2},
        **options,
    )


CASES = [
    (
        2,
        Case(
            "unet",
            lambda: settle(UNet(), 64),
            image("height", "width"),
            ["mask_logits"],
            [{"batch": 1, "height": 64, "width": 96}, {"batch": 2, "height": 96, "width": 40}, {"batch": 1, "height": 8, "width": 152}],
            {"batch": 2, "height": 64, "width": 96},
            NEWER,
        ),
    ),
    classifier(3, "mobilenet_v3_large", torchvision.models.mobilenet_v3_large),
    classifier(3, "efficientnet_b0", torchvision.models.efficientnet_b0, exporters=NEWER),
    classifier(5, "resnet50", torchvision.models.resnet50),
    classifier(6, "convnext_tiny", torchvision.models.convnext_tiny, exporters=NEWER),
    classifier(8, "vit_b_16", vit),
]
