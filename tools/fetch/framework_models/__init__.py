"""Small models of Keras and JAX as their exporters write them."""
