"""Readings as DICOM objects beside the radiograph they were made from: a Structured Report and a picture."""
