"""The integrators in compiled code.

Each lane carries one network (a member) with its own time, step, error control and break points; when a member is
done its lane takes the next one. What a lane computes depends on its own member only, so that results do not depend on
which members run side by side, nor on how many threads share them.

The modules import each other relatively, because it is a copy of them that is compiled: `brnn.ensemble.load` puts it
into a folder of the cache whose name says the hash of all of them, so that a change in one compiles all of them anew.
"""
