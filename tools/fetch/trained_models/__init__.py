"""Models of scikit-learn, XGBoost and LightGBM, trained on small data and converted, with the libraries' own predictions."""
