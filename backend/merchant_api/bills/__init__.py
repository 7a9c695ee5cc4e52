"""Bills as merchants' programs ask for them: the papers of ``backend.bills``, by their numbers."""
