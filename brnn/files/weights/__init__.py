"""Files of weights of other frameworks: safetensors, .npz, .keras and Keras's .h5; nothing in them is ever executed."""
