"""The comparison: Windhover and other servers under the same loads. `./dev bench` runs it; docs/adr/0013 says why so."""
