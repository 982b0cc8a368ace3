"""Loaded at the start of each Python: make picamera2 work with libcamera's virtual camera.

The virtual camera differs from a Raspberry Pi's in two things that picamera2 takes for granted.
"""

import importlib.machinery
import sys


def adapt(picamera2):
    """Replace ``picamera2.Picamera2`` by a class that opens the virtual camera."""
    import libcamera
    from picamera2.allocators import LibcameraAllocator

    class VirtualPicamera2(picamera2.Picamera2):
        def _get_raw_modes(self):
            # It has no sensor and so no raw stream; its modes are those of its one stream.
            stream = self.camera.generate_configuration([libcamera.StreamRole.Viewfinder]).at(0)
            modes = [(pixels, size) for pixels in stream.formats.pixel_formats for size in stream.formats.sizes(pixels)]
            return [{"format": str(pixels), "size": (size.width, size.height)} for pixels, size in modes]

        def configure(self, *arguments, **keywords):
            # Its buffers are of two planes, which picamera2's usual allocator does not make.
            self.allocator = LibcameraAllocator(self.camera)
            return super().configure(*arguments, **keywords)

    picamera2.Picamera2 = VirtualPicamera2


class AfterImport:
    """Finds picamera2 where it is and adapts it once it is loaded."""

    def find_spec(self, name, path=None, target=None):
        if name != "picamera2":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def execute_and_adapt(module):
            execute(module)
            adapt(module)

        spec.loader.exec_module = execute_and_adapt
        return spec


sys.meta_path.insert(0, AfterImport())
