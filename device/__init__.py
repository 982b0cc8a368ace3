"""The Raspberry Pi: camera, skin regions, face cascade, inference, outputs and measurement."""
