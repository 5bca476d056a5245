"""From a publication to every socket that should show it: encode once, bound every queue, block nobody."""
