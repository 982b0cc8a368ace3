"""Stands in for pykms, which draws camera previews on a screen; picamera2 asks it for names when it is imported."""


class _Names:
    def __getattr__(self, name):
        return name


PixelFormats = _Names()
