"""The hub's rules, without a socket, thread, clock or database.

Handlers take what happened and put what is to be done (`hub.domain.effects`) into a queue; a
shell performs it and reports back by another handler. The asyncio shell is `hub.shell`, the
stepped one for simulations `hub.stepped`.
"""
