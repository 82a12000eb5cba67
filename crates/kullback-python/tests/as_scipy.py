"""A plugin of pytest: scipy's own tests of `entropy` and `jensenshannon` find ours in their place."""

import scipy.spatial.distance
import scipy.stats
from scipy._lib import _array_api

import kullback.scipy

for module, name in [(scipy.stats, "entropy"), (scipy.spatial.distance, "jensenshannon")]:
    theirs, ours = getattr(module, name), getattr(kullback.scipy, name)
    # What scipy says of its functions, it says of these.
    if theirs in _array_api.xp_capabilities_table:
        _array_api.xp_capabilities_table[ours] = _array_api.xp_capabilities_table[theirs]
    setattr(module, name, ours)
