"""Where the console's pages are, whose session a browser has, and its forms' bounds."""

from functools import partial

from backend import forms
from backend.console.limits import FORM_BYTES_MAX, FORM_FIELDS_MAX

COOKIE, ROOT = "console", "/console"
OF_MERCHANT = ROOT + "/merchants/{merchant_id}"
"""Where an operator looks at a merchant's own pages."""

read_form = partial(forms.read_form, bytes_max=FORM_BYTES_MAX, fields_max=FORM_FIELDS_MAX)
