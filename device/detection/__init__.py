"""What finds faces: the Haar cascade with its scan, skin segmentation, YuNet."""
