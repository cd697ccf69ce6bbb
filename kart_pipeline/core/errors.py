"""The one exception whose message is written for the person at the keyboard."""


class KartError(Exception):
    """Something that a person can mend: one sentence that says what is wrong, where, and what to do.

    Command-line programs print the sentence and exit with status 2; nothing else should be caught there.
    """
