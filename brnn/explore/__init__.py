"""``brnn explore``: a local page on which one moves the parameters of a network and sees what it does.

`asked.py` reads what an address asks for, `answers.py` answers it, `server.py` speaks HTTP, and the page stands in
`page/`: HTML, CSS and modules of JavaScript, as they are, without a framework.
"""
