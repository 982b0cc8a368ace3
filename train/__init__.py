"""The workstation: data sets, augmentation, the model zoo, training and evaluation."""
