"""Opening links: how a person on the machine of a development stack comes into the wallet and the
console by one press, without a copied token. A deployed backend has none of this.
"""
