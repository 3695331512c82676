"""A page that needs no server: one file that integrates in the browser (`brnn explore MODEL --html FILE`)."""
