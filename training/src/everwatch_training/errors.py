# SPDX-License-Identifier: Apache-2.0
"""What stops a command: the message says what happened, what was expected and what to do."""


class TrainingError(Exception):
    """A wrong recipe, folder or run; told to the user as one line, without a stack trace."""
