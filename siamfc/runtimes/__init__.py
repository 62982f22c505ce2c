"""The same network run by several libraries: torch, ONNX Runtime, OpenVINO."""
