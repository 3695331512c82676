"""The methods of integration, one file each."""
