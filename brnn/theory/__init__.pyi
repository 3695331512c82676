"""The names of brnn.theory, loaded when they are used: a model needs only its own theory."""

from . import additive as additive
from . import art as art
from . import avalanche as avalanche
from . import competition as competition
from . import every_equilibrium as every_equilibrium
from . import feedforward as feedforward
from . import fields as fields
from . import habituation as habituation
from . import lateral_inhibition as lateral_inhibition
from . import masking_field as masking_field
from . import membrane as membrane
from . import pacemaker as pacemaker
from . import quenching as quenching
from . import rcf as rcf
from . import regime as regime
from . import serial as serial
from . import slow_inhibition as slow_inhibition
from . import spectral_timing as spectral_timing
from . import store as store
from . import storing as storing
from . import survivors as survivors
from . import vite as vite
from .liapunov_functions.value import Liapunov as Liapunov
from .liapunov_functions.value import liapunov as liapunov
from .predictions.predict import predict as predict
