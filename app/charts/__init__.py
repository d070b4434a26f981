"""Charts: pictures of figures that are defined elsewhere, as SVG, PNG and Vega-Lite."""
