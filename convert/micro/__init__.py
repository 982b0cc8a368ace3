"""Int8 files for microcontrollers: C++ sources, verified with TensorFlow Lite Micro."""
