"""Colours, blur and occlusion of a batch of crops, on the device that trains, by kornia."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from siamfc.data.augmentation import Photometry
from siamfc.errors import EnvironmentProblem

try:
    from kornia.enhance import (
        adjust_brightness_accumulative,
        adjust_contrast_with_mean_subtraction,
        adjust_saturation_with_gray_subtraction,
    )
    from kornia.filters import filter2d, gaussian_blur2d, get_motion_kernel2d
except ImportError as error:
    raise EnvironmentProblem(f'training needs the extra "train": pip install "siamfc[train]" ({error})') from error


class BatchPhotometry:
    """The changes to a batch of crops, as tensors; small, and drawn by those who read the crops.

    Args:
        looks: One a crop.
    """

    def __init__(self, looks: Sequence[Photometry]) -> None:
        self.factors = torch.tensor([[look.brightness, look.contrast, look.saturation] for look in looks])
        self.color_shift = torch.tensor([look.color_shift for look in looks])
        self.blur_sigma_px = torch.tensor([look.blur_sigma_px for look in looks])
        self.motion_px = torch.tensor([look.motion_px for look in looks])
        self.motion_deg = torch.tensor([look.motion_deg for look in looks])
        self.patches = [(index, look.patch, look.patch_color) for index, look in enumerate(looks) if any(look.patch)]

    def apply(self, images: Tensor) -> Tensor:
        """Changed crops, 0..255.

        Args:
            images: (B, 3, H, W) float, 0..255, RGB.
        """
        images = self._color(images / 255)
        images = self._blur_along_lines(self._blur(images))
        for index, (left, top, right, bottom), color in self.patches:
            patch = images.new_tensor(color)[:, None, None] / 255
            images[index, :, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = patch
        return images * 255

    def _color(self, images: Tensor) -> Tensor:
        brightness, contrast, saturation = self.factors.to(images).unbind(dim=1)
        if not torch.equal(self.factors[:, 0], torch.ones(len(self.factors))):
            images = adjust_brightness_accumulative(images, brightness)
        if not torch.equal(self.factors[:, 1], torch.ones(len(self.factors))):
            images = adjust_contrast_with_mean_subtraction(images, contrast)
        if not torch.equal(self.factors[:, 2], torch.ones(len(self.factors))):
            images = adjust_saturation_with_gray_subtraction(images, saturation)
        if self.color_shift.any():
            images = (images + self.color_shift.to(images)[:, :, None, None] / 255).clamp(0, 1)
        return images

    def _blur(self, images: Tensor) -> Tensor:
        blurred = self.blur_sigma_px.nonzero()[:, 0]
        if not len(blurred):
            return images
        sigma = self.blur_sigma_px[blurred]
        reach = 2 * int(torch.ceil(3 * sigma.max())) + 1
        chosen = blurred.to(images.device)
        soft = gaussian_blur2d(images[chosen], (reach, reach), sigma[:, None].expand(-1, 2).to(images))
        return images.index_copy(0, chosen, soft)

    def _blur_along_lines(self, images: Tensor) -> Tensor:
        for length in sorted(set(self.motion_px.tolist()) - {1}):
            chosen = (self.motion_px == length).nonzero()[:, 0]
            angles = self.motion_deg[chosen].to(images)
            kernels = get_motion_kernel2d(length, angles, torch.zeros_like(angles))
            chosen = chosen.to(images.device)
            images = images.index_copy(0, chosen, filter2d(images[chosen], kernels))
        return images
