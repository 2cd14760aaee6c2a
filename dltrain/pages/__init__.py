"""What every HTML page shares: the templates' environment, the stylesheet, escaping."""
