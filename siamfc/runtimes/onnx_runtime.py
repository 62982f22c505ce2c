"""The network run by ONNX Runtime on the CPU."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from siamfc.errors import ConfigError, EnvironmentProblem
from siamfc.model import SiamFC
from siamfc.runtimes.embedding import Embedding
from siamfc.runtimes.libraries import need
from siamfc.runtimes.onnx_graph import FEATURES, IMAGES, build_embedding_graph


class OnnxRuntime:
    """A `siamfc.runtimes.runtime.Runtime`: the embedding by ONNX Runtime, the correlation by torch.

    A convolution whose kernel is an input takes ONNX Runtime ten times as long as torch's product of matrices.

    Args:
        model: On the CPU.
        precision: ``fp32``; ``int8`` where ``graph`` is quantised.
        graph: A serialised embedding graph to run instead of one written here.

    Raises:
        EnvironmentProblem: onnx or onnxruntime is not installed; a model that is not on the CPU.
        ConfigError: No such precision.
    """

    name: ClassVar[str] = "onnxruntime"

    def __init__(self, model: SiamFC, *, precision: str = "fp32", graph: bytes | None = None) -> None:
        check_on_cpu(self.name, model)
        if precision not in ("fp32", "int8") or (precision == "int8" and graph is None):
            raise ConfigError(
                f"onnxruntime builds fp32 graphs, not {precision!r}; for int8, run 'siamfc export --precision int8' "
                "and give its folder as --runtime"
            )
        need("onnxruntime")
        self.precision = precision
        self._embedding = Embedding(model)
        self._graph = graph or build_embedding_graph(self._embedding).SerializeToString()
        self._session: Any = None

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """See `siamfc.runtimes.runtime.Runtime`."""
        self._embedding.check(images)
        if self._session is None:
            self._session = open_session(self._graph)
        pixels = images.to("cpu", torch.float32, memory_format=torch.contiguous_format)
        return torch.from_numpy(self._session.run([FEATURES], {IMAGES: pixels.numpy()})[0])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_session": None}  # opened anew where it is used


def open_session(graph: bytes) -> Any:
    """An ``onnxruntime.InferenceSession`` on the CPU with as many threads as torch has.

    Its threads do not wait in a loop for work: between two frames the processor belongs to torch's.
    """
    onnxruntime = need("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def check_on_cpu(library: str, model: SiamFC) -> None:
    """Raise EnvironmentProblem for a model that is not on the CPU, where these libraries compute."""
    if model.device.type != "cpu":
        raise EnvironmentProblem(
            f"{library} computes on the CPU, and the model is on {model.device}: give --device cpu"
        )
