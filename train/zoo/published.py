"""Networks of the published systems that `fer_edge.train.zoo.convnet` can build from a description.

``deep-cnn``: the network of Jain (California State University, Long Beach) and, with the same layers, of Khopkar and
Saxena; also the deep one of Alizadeh and Fazel 2017 (arXiv:1704.06756). 4,478,727 parameters for seven classes. A
printed first layer of 56x56 gives the same count, because 48 and 56 both end at 3x3 after four poolings.

``shallow-cnn``: the smaller network of Alizadeh and Fazel, section 3: 32 and 64 filters of 3x3, 2x2 max-pooling after
the second only, a dense layer of 512. These counts were not checked against its text. Nearly all of its parameters are
in the dense layer, which reads 24x24x64 values.

``hog-cnn``: their "hybrid features", HOG joined to the convolutions of ``deep-cnn`` before the dense layers. Training
computes the features inside the network, from the augmented image (`fer_edge.train.zoo.hog_layer`); a converted file
takes them as its second input, which `fer_edge.preprocess` computes with OpenCV from the same crop.

``ffnn``: dense layers on the pixels, a baseline without convolutions. Jain names such a network and prints no sizes;
two hidden layers of 512 and 256 units are this project's choice.

``cnn-lstm`` and ``vgg`` have layers that no such description knows; they have modules of their own.
"""

from __future__ import annotations

from fer_edge.train.zoo.convnet import Convolution, Network

DEEP = (
    Convolution(64, kernel=3, pool=2),
    Convolution(128, kernel=5, pool=2),
    Convolution(512, kernel=3, pool=2),
    Convolution(512, kernel=3, pool=2),
)

NETWORKS = {
    "deep-cnn": Network(convolutions=DEEP, dense=(256, 512)),
    "shallow-cnn": Network(convolutions=(Convolution(32), Convolution(64, pool=2)), dense=(512,)),
    "hog-cnn": Network(convolutions=DEEP, dense=(256, 512), hog=True),
    "ffnn": Network(convolutions=(), dense=(512, 256)),
}
"""Name -> layers."""
