"""NetsUnion's (网联) XML dialect, the subset that our flows need. Pure.

    model    the messages as values, each field with its place in the XML
    ids      institution numbers, transaction numbers, batch numbers
    codec    values to XML and back, checked against ``epcc.xsd``
    sealed   fields under the digital envelope
    frame    XML, a newline and the detached signature ``{S:…}``
    day_text the clearing house's list of a day

There is no public schema of the dialect. ``epcc.xsd`` is ours: it says what this subset is and
proves nothing about another implementation. Where public samples show a number or a name, it is
theirs; the numbers of answers (a request's number plus one) and of batch, net position and day
file requests, the element ``ReqDgst`` and the status codes but ``00`` are ours.
"""
