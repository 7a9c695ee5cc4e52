"""The sounds of the faces, made from formulas: ``python -m faces.sounds`` writes the files."""
