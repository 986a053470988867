"""Figure 2 of the paper next to the chart: what is advised now, and the answers to it."""
