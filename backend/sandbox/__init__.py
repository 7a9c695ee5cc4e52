"""The other institutions, simulated as a program of its own: a bank and a top-up channel.

They share message formats with us (`backend/channels`) and nothing else; they have their own
books, their own clock and their own faults.
"""
