"""What dltrain plugs into Hydra; Hydra imports every module of this package when it starts, so they stay light."""
