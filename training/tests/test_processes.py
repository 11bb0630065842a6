# SPDX-License-Identifier: Apache-2.0
import pytest

from everwatch_training import processes
from everwatch_training.errors import TrainingError


def test_a_process_that_fails_ends_the_others_and_is_named():
    with pytest.raises(TrainingError, match="process 1 failed: a wrong sample; expected 2"):
        processes.run(2, fail_in_the_second)


def fail_in_the_second(company: processes.Company) -> None:
    if company.rank == 1:
        raise TrainingError("a wrong sample")
    company.together()
