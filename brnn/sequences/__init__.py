"""Networks of discrete time over sequences: initial weights, networks that are joined, gradients and training."""

from brnn.sequences.conventions import keras as keras
from brnn.sequences.conventions import onnx as onnx
from brnn.sequences.conventions import pytorch as pytorch
from brnn.sequences.gradients import bptt as bptt
from brnn.sequences.gradients import influence as influence
from brnn.sequences.gradients import rtrl as rtrl
from brnn.sequences.gradients import squared_error as squared_error
from brnn.sequences.initial import chrono as chrono
from brnn.sequences.initial import glorot as glorot
from brnn.sequences.initial import identity as identity
from brnn.sequences.initial import orthogonal as orthogonal
from brnn.sequences.joined import bidirectional as bidirectional
from brnn.sequences.joined import both_ways as both_ways
from brnn.sequences.joined import continued as continued
from brnn.sequences.joined import fed_back as fed_back
from brnn.sequences.joined import stacked as stacked
from brnn.sequences.training import Trained as Trained
from brnn.sequences.training import adam as adam
from brnn.sequences.training import clipped as clipped
from brnn.sequences.training import train as train
from brnn.sequences.unrolled import Unrolled as Unrolled
