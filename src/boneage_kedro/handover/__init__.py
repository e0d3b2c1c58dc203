"""A trained model as one folder to hand over: weights, preparation, calibration, model card, ONNX."""
