"""The board: a Traces tab inside TensorBoard, which reads archives and changes nothing."""
