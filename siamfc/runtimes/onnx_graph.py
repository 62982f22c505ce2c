"""The embedding and the correlation written as ONNX graphs, layer by layer.

Written here and not by torch's exporter: that takes seconds to minutes, warns, and leaves the arithmetic of sizes in
the graph. What is written is compared with torch wherever it is used or saved.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, nn

from siamfc.backbones import AlexNet, MobileNetV2
from siamfc.backbones.mobilenetv2 import Expansion, InvertedResidual
from siamfc.errors import EnvironmentProblem
from siamfc.runtimes.embedding import Embedding
from siamfc.runtimes.libraries import need

IMAGES, FEATURES = "images", "features"
WEIGHT, OFFSET, MAPS = "weight", "offset", "maps"

# Old enough for every library of the last years, new enough for quantisation by channel.
_OPSET, _IR_VERSION = 17, 8

_IN_ORDER = (AlexNet, Expansion, nn.Sequential)  # what hands its input from child to child


def build_embedding_graph(embedding: Embedding) -> Any:
    """An ``onnx.ModelProto``: ``images`` (B, 3, H, W) float32, 0..255, RGB -> ``features`` (B, C, h, w).

    Raises:
        EnvironmentProblem: onnx is not installed, or the network has a layer that is not known here.
    """
    onnx = need("onnx", extra="onnx")
    writer = _Writer(onnx)
    value = IMAGES
    for part in (embedding.normalise, embedding.backbone, embedding.neck):
        value = writer.write(part, value)
    writer.add("Identity", [value], FEATURES)
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        writer.nodes,
        "embedding",
        [helper.make_tensor_value_info(IMAGES, number, ["B", 3, "H", "W"])],
        [helper.make_tensor_value_info(FEATURES, number, ["B", embedding.out_channels, "h", "w"])],
        writer.constants,
    )
    return _checked(onnx, graph)


def build_correlation_graph(channels: int) -> Any:
    """An ``onnx.ModelProto`` that slides N exemplars over B searches, each over each.

    Inputs are ``features`` (B, C, H, W), ``weight`` (N, C, h, w) and ``offset`` (N,), the latter two a
    `siamfc.model.ExemplarKernel`; the output is ``maps`` (B, N, H - h + 1, W - w + 1), logits.
    """
    onnx = need("onnx", extra="onnx")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Conv", [FEATURES, WEIGHT, OFFSET], [MAPS])],
        "correlation",
        [
            helper.make_tensor_value_info(FEATURES, number, ["B", channels, "H", "W"]),
            helper.make_tensor_value_info(WEIGHT, number, ["N", channels, "h", "w"]),
            helper.make_tensor_value_info(OFFSET, number, ["N"]),
        ],
        [helper.make_tensor_value_info(MAPS, number, ["B", "N", "rows", "columns"])],
    )
    return _checked(onnx, graph)


def _checked(onnx: Any, graph: Any) -> Any:
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="siamfc"
    )
    onnx.checker.check_model(model)
    return model


class _Writer:
    """Nodes and constants of one graph, in the order in which they are computed."""

    def __init__(self, onnx: Any) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._onnx = onnx

    def write(self, layer: nn.Module, value: str) -> str:
        """The name of what ``layer`` makes of the value of a name."""
        if isinstance(layer, nn.Identity):
            return value
        if isinstance(layer, _IN_ORDER):
            for child in layer.children():
                value = self.write(child, value)
            return value
        if isinstance(layer, MobileNetV2):
            return self._levels(layer, value)
        if isinstance(layer, InvertedResidual):
            return self._residual(layer, value)
        if isinstance(layer, nn.Conv2d):
            return self._convolution(layer, value)
        if isinstance(layer, nn.ReLU6):
            return self.add("Clip", [value, self._constant(np.float32(0)), self._constant(np.float32(6))])
        if isinstance(layer, nn.ReLU):
            return self.add("Relu", [value])
        if isinstance(layer, nn.MaxPool2d):
            side, stride = int(layer.kernel_size), int(layer.stride)  # type: ignore[arg-type]  # ours are numbers
            return self.add("MaxPool", [value], kernel_shape=[side, side], strides=[stride, stride])
        raise EnvironmentProblem(f"a network with {type(layer).__name__} cannot be written as ONNX: use runtime torch")

    def add(self, operation: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        """One node; the name of its output."""
        name = output or f"value{len(self.nodes)}"
        self.nodes.append(
            self._onnx.helper.make_node(operation, inputs, [name], name=f"{operation}_{name}", **attributes)
        )
        return name

    def _levels(self, network: MobileNetV2, value: str) -> str:
        if network.shallow is None:
            return self.write(network.features, value)
        value = self.write(network.features[: network.shared_layers], value)
        shallow = self._inner(self.write(network.shallow, value), network.eaten_cells)
        return self.add("Concat", [shallow, self.write(network.features[network.shared_layers :], value)], axis=1)

    def _residual(self, block: InvertedResidual, value: str) -> str:
        filtered = self.write(block.conv, value)
        # A 3 x 3 filter of stride 1 eats one cell on each side.
        return self.add("Add", [filtered, self._inner(value, 1)]) if block.has_residual else filtered

    def _inner(self, value: str, eaten: int) -> str:
        """The features without so many cells to each side."""
        corner, end, axes = (self._constant(np.array(pair)) for pair in ((eaten, eaten), (-eaten, -eaten), (2, 3)))
        return self.add("Slice", [value, corner, end, axes])

    def _convolution(self, layer: nn.Conv2d, value: str) -> str:
        inputs = [value, self._constant(_array(layer.weight))]
        if layer.bias is not None:
            inputs.append(self._constant(_array(layer.bias)))
        return self.add(
            "Conv", inputs, kernel_shape=list(layer.kernel_size), strides=list(layer.stride), group=layer.groups
        )

    def _constant(self, array: Any) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(self._onnx.numpy_helper.from_array(np.asarray(array), name))
        return name


def _array(tensor: Tensor) -> np.ndarray[Any, Any]:
    return np.ascontiguousarray(tensor.detach().cpu().float().numpy())
