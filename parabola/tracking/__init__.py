"""Records: read, compare, draw. Never imports TensorFlow or Keras."""
