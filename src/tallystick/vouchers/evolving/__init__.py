"""How each kind of event changes the state, by area; `evolve` is the way in."""
