"""The words that every part shares, without any framework: action, frame, contract, session, store, settings."""
