"""Make an int8 file of a trained network and check it.

python examples/convert_network.py MODEL.keras DATA OUT.tflite
"""

import sys

import fer_edge

model, data, out = sys.argv[1:4]

report = fer_edge.convert(model, out, data=data, qat_epochs=0)
print(f"{report.out}: {report.file_bytes / 1024:.0f} KB, operators {', '.join(report.operators)}")
print(f"the int8 file gives the same class for {report.comparison.agreement:.1%} of the images")
