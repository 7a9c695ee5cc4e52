"""The front page of a running stack: what runs, the way of the last payment, a guided first one.

Rule 1: it keeps no books. What it shows, the programs say by their own interfaces; what it does, it
        does by them.
Rule 2: it listens on the loopback only, and no token, PIN or key stands in a page.
"""
