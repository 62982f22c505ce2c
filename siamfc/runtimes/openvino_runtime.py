"""The network run by OpenVINO on the CPU."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor

from siamfc.errors import ConfigError, EnvironmentProblem
from siamfc.model import SiamFC
from siamfc.runtimes.embedding import Embedding
from siamfc.runtimes.libraries import need
from siamfc.runtimes.onnx_graph import IMAGES, build_embedding_graph
from siamfc.runtimes.onnx_runtime import check_on_cpu

_MOST_SIZES = 8
_HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoRuntime:
    """A `siamfc.runtimes.runtime.Runtime`: the embedding by OpenVINO, the correlation by torch.

    Images go through one by one, each while it is in the processor's caches: three together take a fifth longer. So
    an image's features do not depend on what else is in its batch. The graph is compiled for each size that comes,
    the last few of which are kept: for sizes that are open it computes slower.

    Args:
        model: On the CPU.
        precision: ``fp32``, or ``bf16`` where the processor has it.

    Raises:
        EnvironmentProblem: openvino or onnx is not installed; a model that is not on the CPU; a processor without
            bf16 arithmetic.
        ConfigError: No such precision.
    """

    name: ClassVar[str] = "openvino"

    def __init__(self, model: SiamFC, *, precision: str = "fp32") -> None:
        check_on_cpu(self.name, model)
        if precision not in _HINTS:
            raise ConfigError(f"openvino computes in {' or '.join(_HINTS)}, not {precision!r}")
        need("openvino")
        if precision == "bf16" and not _cpu_has_bf16():
            raise EnvironmentProblem("this processor has no bf16 arithmetic that openvino could use")
        self.precision = precision
        self._embedding = Embedding(model)
        self._graph: bytes = build_embedding_graph(self._embedding).SerializeToString()
        self._requests: OrderedDict[tuple[int, int], tuple[Any, tuple[int, int]]] = OrderedDict()

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """See `siamfc.runtimes.runtime.Runtime`."""
        self._embedding.check(images)
        tensor = need("openvino").Tensor
        request, cells = self._request((images.shape[-2], images.shape[-1]))
        pixels = images.to("cpu", torch.float32, memory_format=torch.contiguous_format)
        features = torch.empty(len(images), self._embedding.out_channels, *cells)
        for index in range(len(images)):
            request.set_input_tensor(tensor(pixels[index : index + 1].numpy(), shared_memory=True))
            request.set_output_tensor(tensor(features[index : index + 1].numpy(), shared_memory=True))
            request.infer()
        return features

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_requests": OrderedDict()}  # compiled anew where they are used

    def _request(self, size: tuple[int, int]) -> tuple[Any, tuple[int, int]]:
        """What computes images of a size (height, width), and the size of their features."""
        if size not in self._requests:
            self._requests[size] = _compile(self._graph, size, self.precision)
            if len(self._requests) > _MOST_SIZES:
                self._requests.popitem(last=False)
        self._requests.move_to_end(size)
        return self._requests[size]


def _compile(graph: bytes, size: tuple[int, int], precision: str) -> tuple[Any, tuple[int, int]]:
    """An inference request for one image of one size, with as many threads as torch has; and its features' size."""
    core, threads = _core(), torch.get_num_threads()
    model = core.read_model(graph)
    model.reshape({IMAGES: [1, 3, *size]})
    settings = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        # Requests of one thread each (siamfc.tracker.search_crew) would all be pinned to the first core.
        "ENABLE_CPU_PINNING": threads > 1,
    }
    compiled = core.compile_model(model, "CPU", settings)
    height, width = list(compiled.output(0).shape)[2:]
    return compiled.create_infer_request(), (height, width)


@lru_cache(maxsize=1)
def _core() -> Any:
    """OpenVINO, loaded once and kept for as long as the program runs.

    Its CPU plugin moves the signal stack of the thread that loads it into memory of its own, and frees that when it is
    unloaded, from whatever thread: the next signal, Ctrl-C for one, would find no stack and end the program.
    """
    core = need("openvino").Core()
    core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")  # loads the plugin, here and not in a passing thread
    return core


def _cpu_has_bf16() -> bool:
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
