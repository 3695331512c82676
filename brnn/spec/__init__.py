"""What a network is, as frozen data: layers, projections, topologies, gates, learning laws, stimuli and events."""
