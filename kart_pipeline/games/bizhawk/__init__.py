"""Games that run in the emulator BizHawk, seen and driven over its own socket."""
