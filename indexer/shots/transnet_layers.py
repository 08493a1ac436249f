"""TransNetV2's layers in torch, named as its published weights name them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

DILATIONS = (1, 2, 4, 8)
FILTERS = (16, 32, 64)
LOOKUP_FRAMES = 101
"""A frame is compared with the fifty on either side."""
BATCH_NORM_EPS = 1e-3


class TransNetV2(nn.Module):
    """The published network: frames to the chance that each ends a shot, or lies in a transition.

    Colour histograms come from outside, which keeps integer scatter out of the exported graph.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = (3, *(4 * filters for filters in FILTERS))
        self.SDDCNN = nn.ModuleList(
            _Block(before, filters) for before, filters in zip(channels, FILTERS, strict=False)
        )
        self.frame_sim_layer = _Similarity(sum(channels[1:]))
        self.color_hist_layer = _Similarity(None)
        self.fc1 = nn.Linear(128 + 128 + 3 * 6 * channels[-1], 1024)
        self.cls_layer1 = nn.Linear(1024, 1)
        self.cls_layer2 = nn.Linear(1024, 1)

    def forward(self, frames: Tensor, histograms: Tensor) -> Tensor:
        """Take (n, 27, 48, 3) uint8 RGB and (n, 512) unit histograms; return (n, 2), 0..1."""
        x = (frames.float() / 255).permute(3, 0, 1, 2)[None]  # (1, C, n, H, W)
        means = []
        for block in self.SDDCNN:
            x = block(x)
            means.append(x[0].mean((2, 3)).t())
        flat = x[0].permute(1, 2, 3, 0).flatten(1)
        parts = [
            self.color_hist_layer(histograms),
            self.frame_sim_layer(torch.cat(means, 1)),
            flat,
        ]
        x = functional.relu(self.fc1(torch.cat(parts, 1)))
        return torch.sigmoid(torch.cat([self.cls_layer1(x), self.cls_layer2(x)], 1))


class _Block(nn.Module):
    def __init__(self, before: int, filters: int) -> None:
        super().__init__()
        self.DDCNN = nn.ModuleList([_Dilated(before, filters), _Dilated(4 * filters, filters)])
        self.pool = nn.AvgPool3d((1, 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = functional.relu(self.DDCNN[0](x))
        pooled: Tensor = self.pool(functional.relu(self.DDCNN[1](shortcut)) + shortcut)
        return pooled


class _Dilated(nn.Module):
    """Four convolutions that look 1, 2, 4 and 8 frames to either side."""

    def __init__(self, before: int, filters: int) -> None:
        super().__init__()
        for reach in DILATIONS:
            setattr(self, f"Conv3D_{reach}", _SpaceThenTime(before, filters, reach))
        self.bn = nn.BatchNorm3d(4 * filters, eps=BATCH_NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.bn(torch.cat([conv(x) for conv in self.convolutions()], 1))
        return normed

    def convolutions(self) -> list[Any]:
        return [getattr(self, f"Conv3D_{reach}") for reach in DILATIONS]


class _SpaceThenTime(nn.Module):
    def __init__(self, before: int, filters: int, reach: int) -> None:
        super().__init__()
        space = nn.Conv3d(before, 2 * filters, (1, 3, 3), padding=(0, 1, 1), bias=False)
        time = nn.Conv3d(
            2 * filters, filters, (3, 1, 1), dilation=(reach, 1, 1), padding=(reach, 0, 0),
            bias=False,
        )  # fmt: skip
        self.layers = nn.ModuleList([space, time])

    def forward(self, x: Tensor) -> Tensor:
        after: Tensor = self.layers[1](self.layers[0](x))
        return after


class _Similarity(nn.Module):
    """How like each frame is to the fifty on either side."""

    def __init__(self, channels: int | None) -> None:
        super().__init__()
        if channels is not None:
            self.projection = nn.Linear(channels, 128)
        self.fc = nn.Linear(LOOKUP_FRAMES, 128)

    def forward(self, x: Tensor) -> Tensor:
        if hasattr(self, "projection"):
            x = functional.normalize(self.projection(x), p=2.0, dim=1)
        around = functional.pad(x @ x.t(), (LOOKUP_FRAMES // 2, LOOKUP_FRAMES // 2))
        # Row i is wanted from its i-th place on: one more zero a row shifts each by one more.
        skewed = functional.pad(around.reshape(-1), (0, x.shape[0])).reshape(x.shape[0], -1)
        return functional.relu(self.fc(skewed[:, :LOOKUP_FRAMES]))
