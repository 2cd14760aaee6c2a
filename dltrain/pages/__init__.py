"""Holds what all HTML pages share: the environment of templates, the stylesheet and escaping."""
