"""What a desktop shows and takes: its pixels and windows, and the pads and keys that programs can play on."""
