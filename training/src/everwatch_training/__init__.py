# SPDX-License-Identifier: Apache-2.0
"""Trains the streaming vision-language models that Everwatch serves, and judges them."""
