"""The link to `lua/kart.lua` in BizHawk: bytes, messages, the door where it connects, and the turns that are taken."""
