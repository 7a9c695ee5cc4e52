"""What all five faces share: one look, one way to send and to follow, two languages.

Rule 1: it imports none of the four programs; they import it.
Rule 2: nothing a page loads comes from outside, and no script stands in a page.
"""
